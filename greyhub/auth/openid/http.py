"""Requests to a provider: bounded in time, and with no word of them in an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from greyhub.auth.openid.errors import ProviderUnavailable, Throttled
from greyhub.public_address import is_loopback

TIMEOUT: Final = 10.0
"""Seconds that a connection and an answer may each take."""


@dataclass(frozen=True)
class Answer:
    """A provider's answer in JSON."""

    status: int
    body: Any
    next_page: str = ""
    """Where a list goes on, by its Link header."""

    @property
    def error(self) -> str:
        """OAuth's word for what is wrong; empty if there is none, or it is no such word."""
        word = self.body.get("error", "") if isinstance(self.body, Mapping) else ""
        return word if isinstance(word, str) and word.replace("_", "").isalnum() else ""


def is_safe(url: object) -> bool:
    """Whether tokens may be sent to an address: over TLS, or to this machine itself."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    if parts.username or parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


async def ask(
    client: Any,
    what: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    **options: Any,
) -> Answer:
    """One request for JSON; redirects are not followed.

    Parameters
    ----------
    client : tornado.httpclient.AsyncHTTPClient
        What sends it.
    what : str
        What is asked, for people: ``the token endpoint``.
    url : str
        Where.
    form, headers : mapping
        What is sent; with a form, by POST.
    **options
        Of `tornado.httpclient.HTTPRequest`.

    Raises
    ------
    ProviderUnavailable
        No answer, one that says it is out of order, or one that is no JSON.
    """
    given = {"Accept": "application/json", "User-Agent": "greyhub", **(headers or {})}
    timing = {"connect_timeout": TIMEOUT, "request_timeout": TIMEOUT}
    body = None
    if form is not None:
        given["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form)
    try:
        answer = await client.fetch(
            url,
            raise_error=False,
            **timing
            | options
            | {
                "method": "GET" if form is None else "POST",
                "headers": given,
                "body": body,
                "follow_redirects": False,
            },
        )
    except Exception as error:
        raise ProviderUnavailable(f"{what} cannot be asked: {type(error).__name__}") from None
    wait = answer.headers.get("Retry-After", "")
    if answer.code in (429, 503) and wait.isdecimal():
        raise Throttled(f"{what} answers with status {answer.code}", float(wait))
    if answer.code == 599 or answer.code >= 500 or answer.code == 429:
        raise ProviderUnavailable(f"{what} answers with status {answer.code}")
    try:
        found = json.loads(answer.body or b"")
    except ValueError:
        if 400 <= answer.code < 500:
            return Answer(answer.code, {})
        raise ProviderUnavailable(f"{what} answers with what is no JSON") from None
    return Answer(answer.code, found, _next(answer.headers.get("Link", "")))


def _next(link: str) -> str:
    """The address of the next page in a Link header: RFC 8288."""
    for part in link.split(","):
        url, _, parameters = part.strip().partition(">")
        if 'rel="next"' in parameters:
            return url.removeprefix("<")
    return ""
