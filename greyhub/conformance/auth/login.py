"""A user's browser, and the steps of a login: by a form, or by a provider and back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from greyhub.conformance.auth.accounts import AccountsCase
from greyhub.conformance.testkit.browser import Browser
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.provider import Person
from greyhub.conformance.testkit.provider.endpoints import WHO


class UserBrowser(Browser):
    """A person's browser. `login` goes all the way; the other methods are its steps."""

    def __init__(self, case: AccountsCase, hub: Hub, person: Person) -> None:
        trust = str(case.provider.ca) if case.suite.tls else True
        super().__init__(hub.url, trust=trust, timeout=8 * case.patience)
        self.case, self.hub, self.person = case, hub, person

    def login(self, next_url: str = "") -> requests.Response:
        """Log in; the hub's last answer."""
        self.case.did(f"{self.person.name!r} logs in")
        if self.case.claims("oauth2"):
            return self.come_back(self.consent(self.begin(next_url)))
        return self.send(self.case.form(self.hub, self.person), next_url)

    # by a form

    def send(self, form: dict[str, Any], next_url: str = "") -> requests.Response:
        """Open the login page, and send its form."""
        where = {"next": next_url} if next_url else {}
        self.get("/hub/login", params=where)
        return self.post("/hub/login", form, params=where)

    # by a provider

    def begin(self, next_url: str = "", **how: Any) -> str:
        """Ask the hub for a login: where it sends the browser to."""
        where = {"next": next_url} if next_url else {}
        answer = self.get(self.login_path, params=where, **how)
        location = answer.headers.get("Location", "")
        self.case.require(
            answer.is_redirect and location.startswith(self.case.provider.url),
            f"the login did not lead to the provider: {answer.status_code} {location}",
        )
        return location

    def consent(self, url: str) -> str:
        """Go to the provider, and agree: where it sends the browser back to."""
        answer = self.get(url, headers={WHO: self.person.subject})
        location = answer.headers.get("Location", "")
        self.case.require(
            answer.is_redirect, f"the provider refused the hub's request: {answer.text}"
        )
        return location

    def come_back(self, url: str, **how: Any) -> requests.Response:
        """Come back to the hub from the provider."""
        return self.get(url, **how)

    @property
    def login_path(self) -> str:
        """The path at the hub where a login begins."""
        app = self.hub.app
        return str(self.hub.run(lambda: app.authenticator.login_url(app.hub.base_url)))


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
