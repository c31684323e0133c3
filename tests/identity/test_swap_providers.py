"""A hub whose login goes from passwords to one provider, to another, and back, under a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.conformance.testkit.browser import Browser
from greyhub.conformance.testkit.provider import Person, Provider
from greyhub.conformance.testkit.provider.endpoints import WHO
from tests.identity.test_swap import PASSWORD, command, who
from tests.support.hubs import Hub

pytestmark = [pytest.mark.slow, pytest.mark.processes]


def by(provider: Provider) -> str:
    return f"""\
c.GreyHub.auth = "oidc"
c.JupyterHub.ip = "127.0.0.1"
c.OIDCAuthenticator.issuer = "{provider.url}"
c.OIDCAuthenticator.client_id = "{provider.client_id}"
c.OIDCAuthenticator.client_secret = "{provider.client_secret}"
c.OIDCAuthenticator.allow_all = True
"""


def name_of(hub: Hub, provider: Provider, person: Person) -> str | None:
    """The hub's name of whoever logs in with an account of a provider's."""
    provider.enrol(person)
    browser = Browser(hub.url.rstrip("/"))
    there = browser.get("/hub/oauth_login").headers["Location"]
    browser.get(browser.get(there, headers={WHO: person.subject}).headers["Location"])
    return (browser.who() or {}).get("name")


def test_from_passwords_to_two_providers_and_back(directory: Path) -> None:
    hub, first, second = Hub(directory), Provider(), Provider()
    plain = hub.file.read_text()

    def restart(lines: str) -> None:
        hub.stop()
        hub.file.write_text(plain.replace("import greyhub\n", lines + "import greyhub\n"))
        hub.start()

    def same() -> bool:
        assert (home / "mine.txt").read_text() == "hers"
        assert hub.ticket("ada", "homespace").data["path"] == str(home)
        return hub.pid("ada") == pid and hub.answers("ada")

    try:
        restart(PASSWORD)
        assert who(hub, "ada") == "ada"
        hub.spawn("ada")
        pid, home = hub.pid("ada"), hub.state / "homes" / "ada"
        (home / "mine.txt").write_text("hers")

        ada = Person("ada", subject="first-ada")
        restart(by(first))
        assert name_of(hub, first, ada) is None, "nobody inherits by a name"
        command(hub, "map", "ada", "--issuer", first.url, "--subject", ada.subject)
        assert name_of(hub, first, ada) == "ada"
        assert same()

        restart(by(second))
        thief = Person("mallory", subject=ada.subject)
        assert name_of(hub, second, thief) == "mallory", "a subject is its issuer's alone"
        other = Person("ada", subject="second-ada")
        assert name_of(hub, second, other) is None
        command(hub, "map", "ada", "--issuer", second.url, "--subject", other.subject)
        assert name_of(hub, second, other) == "ada"
        assert same()

        restart(by(first))
        assert name_of(hub, first, ada) == "ada"
        restart(PASSWORD)
        assert who(hub, "ada") == "ada"
        assert who(hub, "mallory") is None
        assert same()
    finally:
        hub.end()
        first.close()
        second.close()
