"""A hub whose login goes from passwords to one provider, to another, and back, under a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.conformance.testkit.provider import Person, Provider
from tests.auth.hubs import log_in, login_by
from tests.identity.test_swap import PASSWORD, command, who
from tests.support.hubs import Hub

pytestmark = [pytest.mark.slow, pytest.mark.processes]


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
        restart(login_by(first))
        assert log_in(hub, first, ada) is None, "nobody inherits by a name"
        command(hub, "map", "ada", "--issuer", first.url, "--subject", ada.subject)
        assert log_in(hub, first, ada) == "ada"
        assert same()

        restart(login_by(second))
        thief = Person("mallory", subject=ada.subject)
        assert log_in(hub, second, thief) == "mallory", "a subject is its issuer's alone"
        other = Person("ada", subject="second-ada")
        assert log_in(hub, second, other) is None
        command(hub, "map", "ada", "--issuer", second.url, "--subject", other.subject)
        assert log_in(hub, second, other) == "ada"
        assert same()

        restart(login_by(first))
        assert log_in(hub, first, ada) == "ada"
        restart(PASSWORD)
        assert who(hub, "ada") == "ada"
        assert who(hub, "mallory") is None
        assert same()
    finally:
        hub.end()
        first.close()
        second.close()
