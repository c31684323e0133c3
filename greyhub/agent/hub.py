"""The agent's requests to the hub: signed, and again until one is answered."""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.client import HTTPException
from itertools import chain, repeat
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from greyhub.errors import GreyHubError
from greyhub.rendezvous.protocol import PATH, Keys

PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds between two tries, of which the last stays."""

TIMEOUT: Final = 60.0
"""Seconds for an answer; the hub holds one for less."""

LARGEST: Final = 16 * 1024 * 1024
"""Bytes that an answer may have."""


class NotAnswered(GreyHubError):
    """The hub is away, or cannot answer now."""


class NotGiven(GreyHubError):
    """The hub has refused."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """None: what is signed for the hub goes nowhere else."""


class Hub:
    """The hub, for one agent.

    Parameters
    ----------
    url : str
        The hub's address, ``https://hub.example.org/hub/``.
    keys : Keys
        The agent's.
    authorities : str
        Certificates, as PEM, of who may vouch for the hub; by default, those of the system.
    plain_http : bool
        Whether the hub may be reached without TLS, beyond this machine too.
    """

    def __init__(
        self, url: str, keys: Keys, authorities: str = "", *, plain_http: bool = False
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (
            parts.scheme == "http"
            and (plain_http or parts.hostname in ("127.0.0.1", "::1", "localhost"))
        ):
            raise GreyHubError(
                f"the hub's address {url} does not begin with https://\n"
                "  fix: give the hub a certificate, and its https address to the spawner"
            )
        self.url, self.keys = url.rstrip("/"), keys
        self.context = ssl.create_default_context(cadata=authorities or None)
        self._opener = build_opener(HTTPSHandler(context=self.context), _NoRedirects())
        self.patience = float("inf")
        """Seconds after which `insist` gives up."""
        self._challenge = ""
        self._lock = threading.Lock()

    def ask(self, what: str, **fields: object) -> dict[str, Any]:
        """Ask once.

        Raises
        ------
        NotAnswered
            It is not known whether the hub has heard.
        NotGiven
            The hub refuses.
        """
        for _ in range(2):
            with self._lock:  # each challenge is for one request
                challenge, self._challenge = self._challenge, ""
            status, answer = self._post(what, self.keys.request(what, challenge, fields))
            if "challenge" in answer:
                self._challenge = answer["challenge"]
            if status == 200:
                return answer
            if status != 401:
                break
        said = f"{what}: {status} {answer.get('error', '')}"
        raise NotGiven(said) if status in (400, 403, 409, 413) else NotAnswered(said)

    def insist(self, what: str, **fields: object) -> dict[str, Any]:
        """Ask until there is an answer.

        Raises
        ------
        NotGiven
            The hub refuses.
        NotAnswered
            There was none for `patience` seconds.
        """
        until = time.monotonic() + self.patience
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            try:
                return self.ask(what, **fields)
            except NotAnswered as error:
                if time.monotonic() > until:
                    raise
                say(f"{error}; asking again in {pause:g} s")
                time.sleep(pause)
        raise AssertionError

    def _post(self, what: str, body: bytes) -> tuple[int, dict[str, Any]]:
        url = f"{self.url}/{PATH}/{what}"
        headers = {"Content-Type": "application/json"}
        request = Request(url, body, headers)  # noqa: S310 (its scheme was looked at)
        try:
            try:
                with self._opener.open(request, timeout=TIMEOUT) as reply:
                    status, text = reply.status, reply.read(LARGEST)
            except HTTPError as error:
                status, text = error.code, error.read(LARGEST)
        except (URLError, HTTPException, OSError) as error:
            raise NotAnswered(f"the hub at {self.url} does not answer: {error}") from None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = {}
        if not isinstance(found, dict):
            found = {}
        if status == 200 and "challenge" not in found:
            raise NotAnswered(f"what answers at {self.url} is not a hub with a rendezvous")
        return status, found


def say(line: str) -> None:
    """A line for the unit's log."""
    print(f"greyhub-agent: {line}", flush=True)
