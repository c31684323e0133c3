"""A browser for tests: keeps cookies, follows a redirect only when told to."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from greyhub.conformance.limits import PATIENCE

_here = threading.local()

SPECIAL = ("http", "https", "ftp", "ws", "wss")


class Browser:
    """One person's browser at one hub.

    Parameters
    ----------
    url : str
        The hub's, without a path.
    trust : str or bool
        The file of the authority that other places are trusted by.
    timeout : float
        Seconds until a request is given up.
    """

    def __init__(
        self, url: str, *, trust: str | bool = True, timeout: float = 8 * PATIENCE
    ) -> None:
        self.url, self.timeout = url, timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = trust

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies it holds."""
        return {cookie.name: cookie.value or "" for cookie in self._session.cookies}

    def kept(self, *, longer: float) -> list[str]:
        """The names of the cookies that it was told to keep for longer than so many seconds."""
        limit = time.time() + longer
        return [each.name for each in self._session.cookies if (each.expires or 0) > limit]

    def take(self, cookies: Mapping[str, str]) -> None:
        """Hold these cookies, and no others."""
        self._session.cookies.clear()
        self._session.cookies.update(dict(cookies))

    def get(self, where: str, **how: Any) -> requests.Response:
        """GET a path of the hub's, or any address."""
        return self.ask("GET", where, **how)

    def post(
        self, where: str, form: Mapping[str, Any], *, xsrf: bool = True, **how: Any
    ) -> requests.Response:
        """POST a form, by default with the token that the page of a form carries."""
        sent = {**form, "_xsrf": self.cookies.get("_xsrf", "")} if xsrf else dict(form)
        return self.ask("POST", where, data=sent, **how)

    def who(self) -> dict[str, Any] | None:
        """Whom the hub takes its owner for; None if for nobody."""
        answer = self.get("/hub/api/user")
        found: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
        return found if found and found.get("kind") == "user" else None

    def ask(self, method: str, where: str, **how: Any) -> requests.Response:
        """Any request, to a path of the hub's or to any address."""
        how = {"allow_redirects": False, "timeout": self.timeout, **how}
        _here.browsing = True
        try:
            return self._session.request(method, urljoin(f"{self.url}/", where), **how)
        finally:
            _here.browsing = False


def browsing() -> bool:
    """Whether a browser is at work in this thread: what it logs is not the hub's."""
    return getattr(_here, "browsing", False)


def destination(page: str, location: str) -> str:
    """The ``scheme://host`` where a browser on a page goes, told a location.

    Browsers drop tabs and newlines, take a backslash for a slash, any number of
    slashes for two, and ``http:path`` for a path of the same host.
    """
    here = urlsplit(page)
    text = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(0x21)))))
    match = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", text)
    scheme = match[1].lower() if match else here.scheme
    rest = text[match.end() :] if match else text
    if scheme not in SPECIAL:
        return f"{scheme}:"
    rest = rest.replace("\\", "/")
    relative = scheme == here.scheme and not rest.startswith("//")
    if relative:
        return f"{here.scheme}://{here.netloc}"
    host = re.split(r"[/?#]", rest.lstrip("/"), maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{host}"
