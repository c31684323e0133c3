"""What a clause of the auth slot is given: hubs, users' browsers, and logins."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from typing import Any

import requests
from jinja2 import FileSystemBytecodeCache

from greyhub.conformance.auth.accounts import AccountsCase, shown
from greyhub.conformance.auth.login import UserBrowser
from greyhub.conformance.auth.noop_spawner import NoopSpawner
from greyhub.conformance.case import Unproven
from greyhub.conformance.record import shorten
from greyhub.conformance.suite import fill
from greyhub.conformance.testkit.browser import browsing
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.log_capture import LogCapture
from greyhub.conformance.testkit.provider import Person
from greyhub.conformance.testkit.recorder import Answer, recorded

METHODS = ("authenticate", "refresh_user", "check_allowed", "get_authenticated_user")
"""The methods of an Authenticator whose answers are noted."""

KEY = "JUPYTERHUB_CRYPT_KEY"

MANY_GROUPS = tuple(f"group-{number:03}" for number in range(250))
"""Groups of one person, for which no token has room."""


class AuthCase(AccountsCase):
    """One clause's hubs and people."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.answers: list[Answer] = []
        self.log = self.enter(LogCapture())
        self.log.addFilter(lambda record: not browsing())
        self._before = os.environ.get(KEY)
        self.finally_(self.crypt_keys, self._before or "")
        self.crypt_keys(secrets.token_hex(32))

    # hubs

    def hub(self, name: str = "one", **options: Any) -> Hub:
        """A hub with the adapter, started; `options` are the adapter's, over the author's."""
        hub = self.make_hub(name, **options)
        self.call("a hub that starts with the adapter", hub.start)
        return hub

    def make_hub(self, name: str = "one", **options: Any) -> Hub:
        """As `hub`, but not started."""
        directory = self.directory / name
        hub = Hub(directory, {})
        names = {"hub": name, "directory": str(directory)}
        names["callback"] = f"{hub.url}/hub/oauth_callback"
        if self.suite.provider is not None:
            names |= self.suite.provider.names
        run = str(self.directory.parent)
        own: dict[str, dict[str, Any]] = {
            "JupyterHub": {
                "authenticator_class": recorded(
                    self.suite.subject(), METHODS, self.record, self.answers
                ),
                "spawner_class": NoopSpawner,
                # Compiling templates takes longer than all else of a login: once for a run.
                "jinja_environment_options": {"bytecode_cache": FileSystemBytecodeCache(run)},
                "tornado_settings": {"slow_spawn_timeout": 0, "slow_stop_timeout": 0},
            },
            "Spawner": {"poll_interval": 0},
        }
        for section, values in fill(self.suite.options(), names).items():
            own.setdefault(section, {}).update(values)
        own.setdefault(self.section, {}).update(options)
        hub.config = own
        if options:
            self.did(f"{self.section}: {shown(options)}")
        self.finally_(hub.__exit__)
        return hub

    @property
    def section(self) -> str:
        """The adapter's own section of the configuration."""
        return str(self.suite.subject().__name__)

    def crypt_keys(self, keys: str) -> None:
        """Give the hubs that start from now on these keys, or none."""
        if keys:
            os.environ[KEY] = keys
        else:
            os.environ.pop(KEY, None)

    def rows(self, hub: Hub) -> dict[str, dict[str, Any]]:
        """The users that the hub's database holds, by name."""
        found = {user["name"]: user for user in hub.api("GET", "/users").json()}
        self.saw(f"the hub's users: {', '.join(found) or 'none'}")
        return found

    def authenticator(self, hub: Hub) -> Any:
        """The hub's own authenticator; use it in the hub's loop only."""
        return hub.app.authenticator

    # logins

    def open_hub(self, **options: Any) -> tuple[Hub, Person]:
        """A hub that admits everybody, and ada, who has an account."""
        return self.hub(allow_all=True, **options), self.person("ada")

    def logged_in(self, **options: Any) -> tuple[Hub, Person, UserBrowser]:
        """As `open_hub`, with a browser in which ada has logged in."""
        hub, ada = self.open_hub(**options)
        return hub, ada, self.let_in(hub, ada)

    def browser(self, hub: Hub, person: Person) -> UserBrowser:
        """A browser of a person's, that has seen nothing yet."""
        browser = UserBrowser(self, hub, person)
        self.finally_(browser.__exit__)
        return browser

    def let_in(self, hub: Hub, person: Person, otherwise: str = "") -> UserBrowser:
        """A person logs in and must come in; their browser."""
        browser = self.browser(hub, person)
        answer = browser.login()
        self.require(
            browser.who() is not None,
            otherwise or f"{person.name} did not come in: {_told(answer)}",
        )
        return browser

    def keep_out(self, hub: Hub, person: Person, otherwise: str) -> requests.Response:
        """A person tries to log in and must not come in, nor leave a row; the hub's answer."""
        before = set(self.rows(hub))
        browser = self.browser(hub, person)
        answer = browser.login()
        self.kept_out(hub, browser, before, otherwise)
        return answer

    def kept_out(
        self, hub: Hub, browser: UserBrowser, before: Iterable[str], otherwise: str
    ) -> None:
        """The promise is broken if the browser has a session, or the hub a new user."""
        came = browser.who()
        self.require(came is None, f"{otherwise}, as {shorten((came or {}).get('name'))}")
        new = set(self.rows(hub)) - set(before)
        self.require(not new, f"{otherwise}: the hub has a new user, {shorten(sorted(new))}")

    def stale(self, browser: UserBrowser) -> None:
        """Let the hub ask the adapter again at the next request of a user's."""
        hub, name = browser.hub, self.name(browser.person)
        hub.run(lambda: setattr(hub.app.users[name], "_auth_refreshed", None))

    def refresh(self, browser: UserBrowser) -> Any:
        """A request at which the adapter is asked again: what refresh_user() said, or raised."""
        self.stale(browser)
        before = len(self.answers)
        browser.who()
        said = [each for each in self.answers[before:] if each.name == "refresh_user"]
        self.require(said, "the hub did not come to ask refresh_user()")
        return said[-1].error if said[-1].error is not None else said[-1].value

    def last(self, method: str) -> Answer:
        """What the adapter's method answered last; the clause is unproven if it never did."""
        for answer in reversed(self.answers):
            if answer.name == method:
                return answer
        raise Unproven(f"{method}() was not called")


def _told(answer: requests.Response) -> str:
    return f"the hub answered {answer.status_code}"
