"""Logins by a real Keycloak, by its issuer alone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jwt import get_unverified_header

from greyhub.auth.openid.authenticator import OIDCAuthenticator
from greyhub.auth.openid.live_check import findings
from greyhub.conformance.auth.noop_spawner import NoopSpawner
from greyhub.conformance.testkit.browser import Browser
from greyhub.conformance.testkit.hub import Hub
from tests.auth.keycloak import FOLDER, SECRET, Keycloak, consent
from tests.auth.oidc import TEMPLATES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="needs Keycloak: GREYHUB_TESTS_KEYCLOAK is its folder"),
]


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    with Keycloak(tmp_path_factory.mktemp("keycloak")) as started:
        yield started


@pytest.fixture
def hub(keycloak: Keycloak, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("JUPYTERHUB_CRYPT_KEY", secrets.token_hex(32))
    made = Hub(tmp_path, {})
    made.config = {
        "JupyterHub": {
            "authenticator_class": OIDCAuthenticator,
            "spawner_class": NoopSpawner,
            "template_paths": [str(TEMPLATES)],
        },
        "OIDCAuthenticator": {
            "preset": "keycloak",
            "issuer": keycloak.issuer,
            "client_id": "hub",
            "client_secret": SECRET,
            "oauth_callback_url": f"{made.url}/hub/oauth_callback",
            "logout_redirect_url": f"{made.url}/hub/login",
            "logout_at_provider": True,
            "allowed_groups": {"staff"},
            "admin_groups": {"wheel"},
        },
    }
    for each in keycloak.ask("GET", "/science/clients?clientId=hub"):
        keycloak.ask("DELETE", f"/science/clients/{each['id']}")
    keycloak.client(made.url)
    try:
        yield made.start()
    finally:
        made.__exit__()


class Person:
    """Somebody with an account, and a browser in which they have logged in."""

    def __init__(self, keycloak: Keycloak, hub: Hub, name: str, *groups: str) -> None:
        self.name, self.hub = name, hub
        self.id = keycloak.enrol(name, *groups)
        self.browser = Browser(hub.url)
        begun = self.browser.get("/hub/oauth_login")
        back = consent(self.browser._session, begun.headers["Location"], name)
        self.answer = self.browser.get(back)

    def refresh(self, **kept: Any) -> dict[str, Any] | None:
        """Whom the hub takes them for once it has asked again."""

        async def forget() -> None:
            user = self.hub.app.users[self.name]
            user._auth_refreshed = None
            if kept:
                await user.save_auth_state({**await user.get_auth_state(), **kept})

        self.hub.run(forget)
        return self.browser.who()

    def state(self) -> dict[str, Any]:
        return dict(self.hub.run(lambda: self.hub.app.users[self.name].get_auth_state()))


def test_login_with_groups_and_a_name(keycloak: Keycloak, hub: Hub) -> None:
    ada = Person(keycloak, hub, "ada", "staff", "wheel")
    who = ada.browser.who()
    assert who, ada.answer.text
    assert (who["name"], who["admin"], set(who["groups"])) == ("ada", True, {"staff", "wheel"})
    state = ada.state()
    assert (state["issuer"], state["subject"]) == (keycloak.issuer, ada.id)


def test_who_is_in_no_group_is_not_admitted(keycloak: Keycloak, hub: Hub) -> None:
    eve = Person(keycloak, hub, "eve")
    assert eve.answer.status_code == 403
    assert eve.browser.who() is None


def test_refresh_rotates_tokens_and_follows_groups(keycloak: Keycloak, hub: Hub) -> None:
    bob = Person(keycloak, hub, "bob", "staff", "wheel")
    first = bob.state()
    for _ in range(3):
        assert bob.refresh(expires_at=0) is not None
    assert bob.state()["refresh_token"] != first["refresh_token"]
    keycloak.leave(bob.id, "wheel")
    said = bob.refresh()  # by userinfo
    assert said is not None
    assert (said["admin"], said["groups"]) == (False, ["staff"])
    keycloak.leave(bob.id, "staff")
    assert bob.refresh(expires_at=0) is None
    assert "do not admit you" in bob.browser.get("/hub/login").text


def test_a_refresh_token_is_good_once(keycloak: Keycloak, hub: Hub) -> None:
    """What the test before stands on: the hub has none left that was used."""
    hal = Person(keycloak, hub, "hal", "staff")
    used = hal.state()["refresh_token"]
    assert hal.refresh(expires_at=0) is not None
    assert keycloak.refreshed(used) == "invalid_grant"
    # Who shows a used one has perhaps stolen it: Keycloak ends the login, and so the hub.
    assert hal.refresh(expires_at=0) is None


@pytest.mark.parametrize(("name", "kept"), [("carol", {}), ("cato", {"expires_at": 0})])
def test_a_disabled_account_is_out(
    keycloak: Keycloak, hub: Hub, name: str, kept: dict[str, Any]
) -> None:
    user = Person(keycloak, hub, name, "staff")
    assert user.browser.who() is not None
    keycloak.disable(user.id)
    assert user.refresh(**kept) is None
    assert hub.run(lambda: hub.app.authenticator.login_refused(hub.app.users[name]))
    assert "Your login by Keycloak has ended" in user.browser.get("/hub/login").text


def test_a_logout_ends_the_session_at_keycloak(keycloak: Keycloak, hub: Hub) -> None:
    dan = Person(keycloak, hub, "dan", "staff")
    assert keycloak.sessions(dan.id) == 1
    answer = dan.browser.get("/hub/logout")
    assert answer.is_redirect
    last = dan.browser.get(answer.headers["Location"], allow_redirects=True)
    assert last.url == f"{hub.url}/hub/login"
    assert dan.browser.who() is None
    assert keycloak.sessions(dan.id) == 0


def test_new_keys_are_found_and_the_old_ones_count_on(keycloak: Keycloak, hub: Hub) -> None:
    fay = Person(keycloak, hub, "fay", "staff")
    keycloak.new_keys()
    gus = Person(keycloak, hub, "gus", "staff")
    kids = [get_unverified_header(each.state()["id_token"])["kid"] for each in (fay, gus)]
    assert len(set(kids)) == 2
    assert gus.browser.who() is not None
    assert fay.refresh(expires_at=0) is not None


def test_the_live_check_finds_nothing_wrong(keycloak: Keycloak, hub: Hub) -> None:
    def wrong(callback: str) -> list[str]:
        found = hub.run(lambda: findings(hub.app.authenticator, f"{hub.url}{callback}"))
        return [str(each) for each in found if each.level in ("error", "warning")]

    assert wrong("/hub/oauth_callback") == []
    [said] = wrong("/elsewhere")
    assert "register exactly that address" in said
