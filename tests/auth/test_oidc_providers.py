"""Several providers at one hub: each login is one provider's, and so are the rules for it."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from greyhub.auth.openid.providers import Choice, OIDCProviders
from greyhub.conformance.auth.noop_spawner import NoopSpawner
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.provider import Person, Provider
from tests.auth.oidc import TEMPLATES, User, World, a_world, changed, query_of, refused


class Visitor(User):
    """Somebody who logs in at one of the providers."""

    at: str

    def begin(self, **how: Any) -> str:
        answer = self.browser.get(f"/hub/oauth_login/{self.at}", **how)
        assert answer.is_redirect, answer.text
        return answer.headers["Location"]


class Providers:
    """Two providers, ``university`` and ``club``, and hubs that take logins of both."""

    def __init__(self, world: World, club: Provider) -> None:
        self.world, self.known = world, {"university": world.provider, "club": club}

    def options(self, word: str, **more: Any) -> dict[str, Any]:
        names = self.known[word].names
        own = {name: names[name] for name in ("issuer", "client_id", "client_secret")}
        return {**own, "allow_all": True, **more}

    def hub(self, *, all_of: dict[str, Any] | None = None, **own: dict[str, Any]) -> Hub:
        """A hub; with options for all, and for each."""
        hub = Hub(self.world.directory / f"hub-{len(self.world.hubs)}", {})
        self.world.hubs.append(hub)
        self.configure(hub, all_of=all_of, **(own or {"university": {}, "club": {}}))
        return hub.start()

    def configure(
        self, hub: Hub, *, all_of: dict[str, Any] | None = None, **own: dict[str, Any]
    ) -> None:
        hub.config = {
            "JupyterHub": {
                "authenticator_class": OIDCProviders,
                "spawner_class": NoopSpawner,
                "public_url": f"{hub.url}/",
                "template_paths": [str(TEMPLATES)],
            },
            "OIDCAuthenticator": all_of or {},
            "OpenIDConnect": {
                "providers": {word: self.options(word, **each) for word, each in own.items()}
            },
        }

    def restart(self, hub: Hub, *users: User) -> None:
        """Start it again, as it is configured now; the users' browsers notice."""
        hub.start()
        for user in users:
            user.browser._session.close()  # else it waits on a connection to the former one

    def user(self, hub: Hub, at: str, name: str = "ada", **facts: Any) -> Visitor:
        """Somebody with an account at one provider, and a browser."""
        facts = {"subject": f"{name}-at-{at}", **facts}
        user = Visitor(hub, self.known[at].enrol(Person(name, **facts)))
        user.at = at
        return user

    def logged_in(self, hub: Hub, at: str, name: str = "ada", **facts: Any) -> Visitor:
        user = self.user(hub, at, name, **facts)
        answer = user.login()
        assert user.who is not None, answer.text
        return user


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Providers]:
    monkeypatch.setenv("JUPYTERHUB_CRYPT_KEY", secrets.token_hex(32))
    with a_world(tmp_path) as world:
        club = Provider()
        try:
            yield Providers(world, club)
        finally:
            club.close()


def state_of(hub: Hub, name: str) -> dict[str, Any]:
    return dict(hub.run(lambda: hub.app.users[name].get_auth_state()) or {})


def asked_again(hub: Hub, user: Visitor, name: str) -> dict[str, Any] | None:
    hub.run(lambda: setattr(hub.app.users[name], "_auth_refreshed", None))
    return user.who


def test_each_logs_in_at_its_provider_and_is_asked_about_there(two: Providers) -> None:
    hub = two.hub()
    ada = two.logged_in(hub, "university", "ada", groups=("staff",))
    bob = two.logged_in(hub, "club", "bob", groups=("staff",))
    for user, at in ((ada, "university"), (bob, "club")):
        name = user.person.name
        state = state_of(hub, name)
        assert (state["provider"], state["issuer"]) == (at, two.known[at].url)
        identity = hub.app.authenticator.identity({"auth_state": state})
        assert identity == (two.known[at].url, f"{name}-at-{at}")
        other = two.known["club" if at == "university" else "university"]
        before = [len(each.asked("userinfo")) for each in (two.known[at], other)]
        assert asked_again(hub, user, name) is not None
        after = [len(each.asked("userinfo")) for each in (two.known[at], other)]
        assert after == [before[0] + 1, before[1]]
    two.known["club"].disable(bob.person)
    assert asked_again(hub, bob, "bob") is None
    assert asked_again(hub, ada, "ada") is not None


def test_the_providers_have_addresses_of_their_own(two: Providers) -> None:
    hub = two.hub()
    for at in ("university", "club"):
        asked = query_of(two.user(hub, at).begin())
        assert asked["redirect_uri"] == f"{hub.url}/hub/oauth_callback/{at}"
    browser = two.user(hub, "club").browser
    for path in ("oauth_login", "oauth_login/other", "oauth_callback", "oauth_callback/other"):
        assert browser.get(f"/hub/{path}").status_code == 404


@pytest.mark.parametrize("named", ["", "its own", "the other"])
def test_the_answer_of_one_provider_is_refused_at_anothers_address(
    two: Providers, named: str
) -> None:
    """Mix-up: RFC 9700, 4.4. Neither provider is sent the other's code."""
    hub = two.hub()
    user = two.user(hub, "university")
    back = user.consent(user.begin())
    iss = {"its own": two.known["university"].url, "the other": two.known["club"].url}.get(named)
    mixed = changed(back, iss=iss).replace("oauth_callback/university", "oauth_callback/club")
    answer = user.browser.get(mixed)
    assert answer.status_code == 400
    assert "begun at another provider" in answer.text
    assert not two.known["club"].asked("token")
    assert not two.known["university"].asked("token")
    assert user.who is None
    assert refused(user.browser.get(back))  # and the login is used up


def test_a_name_is_one_persons_whichever_provider_proposes_it(two: Providers) -> None:
    hub = two.hub()
    ada = two.logged_in(hub, "university", "ada")
    other = two.user(hub, "club", "ada", subject="ada-at-university")  # the same subject, even
    answer = other.login()
    assert answer.status_code == 403
    assert "belongs to somebody else" in answer.text
    assert (other.who, ada.who is None) == (None, False)


def test_a_user_of_whom_nothing_is_known_is_nobodys_unless_rules_name_them(
    two: Providers,
) -> None:
    hub = two.hub(university={"allowed_users": {"Grace"}}, club={})
    for name in ("ada", "grace"):
        hub.api("POST", f"/users/{name}")
    assert refused(two.user(hub, "club", "ada").login())
    assert refused(two.user(hub, "club", "grace").login())
    assert two.logged_in(hub, "university", "grace").name == "grace"


def test_prefixes_keep_names_and_groups_apart(two: Providers) -> None:
    club = {"username_prefix": "c-", "groups_prefix": "club:", "allow_all": False}
    club["allowed_groups"], club["admin_groups"] = {"staff"}, {"wheel"}
    hub = two.hub(university={}, club=club)
    assert two.logged_in(hub, "university", "ada", groups=("staff",)).who["groups"] == ["staff"]
    other = two.logged_in(hub, "club", "ada", groups=("staff", "round"))
    assert (other.who["name"], set(other.who["groups"])) == ("c-ada", {"club:staff", "club:round"})
    assert asked_again(hub, other, "c-ada") is not None
    assert not other.who["admin"]
    assert two.logged_in(hub, "club", "root", groups=("wheel",)).who["admin"]
    assert refused(two.user(hub, "club", "eve", groups=("club:staff",)).login())
    long = {"subject": "a long name", "groups": ("staff",)}
    assert refused(two.user(hub, "club", "x" * 254, **long).login())
    assert two.logged_in(hub, "club", "x" * 253, **long)


def test_rules_of_one_provider_say_nothing_of_the_others_users(two: Providers) -> None:
    both = {"allow_all": False, "allowed_groups": {"staff"}}
    university = {**both, "admin_groups": {"wheel"}, "admin_users": {"root"}}
    known = {"bob", "mallory"}
    club = {"allow_all": False, "allowed_users": known, "blocked_users": {"mallory"}}
    hub = two.hub(university=university, club=club)
    assert two.logged_in(hub, "university", "ada", groups=("wheel",)).who["admin"]
    assert refused(two.user(hub, "club", "eve", groups=("wheel", "staff")).login())
    bob = two.logged_in(hub, "club", "bob", groups=("wheel",))
    assert not bob.who["admin"]
    assert refused(two.user(hub, "university", "bill", groups=()).login())
    for name in ("root", "mallory"):
        assert refused(two.user(hub, "club", name).login())


def test_one_provider_twice_with_rules_of_their_own(two: Providers) -> None:
    """Two clients of one provider, say for staff and for guests."""
    two.known["guests"] = two.known["university"]
    rules = {"allow_all": False, "allowed_groups": {"guest"}, "groups_prefix": "guest:"}
    hub = two.hub(university={"allow_all": False, "allowed_groups": {"staff"}}, guests=rules)
    eve = two.logged_in(hub, "guests", "eve", groups=("guest",))
    assert (asked_again(hub, eve, "eve") or {})["groups"] == ["guest:guest"]
    assert state_of(hub, "eve")["provider"] == "guests"


def test_what_admits_is_never_taken_from_the_options_of_all(two: Providers) -> None:
    lax = {"allow_all": True, "allowed_users": {"ada"}, "admin_users": {"ada"}}
    hub = two.hub(all_of=lax, university={"allow_all": False}, club={"allow_all": False})
    assert refused(two.user(hub, "club", "eve").login())
    assert refused(two.user(hub, "club", "ada").login())


def test_other_options_of_all_are_each_providers_defaults(two: Providers) -> None:
    hub = two.hub(
        all_of={"username_claim": "email", "required_claims": {"hd": "example.org"}},
        university={},
        club={"required_claims": {}, "username_claim": "preferred_username"},
    )
    assert refused(two.user(hub, "university", "ada").login())
    ada = two.logged_in(hub, "university", "ada", claims={"hd": "example.org"})
    assert ada.who["name"] == ada.person.email
    assert two.logged_in(hub, "club", "bob").who["name"] == "bob"


@pytest.mark.parametrize("change", ["removed", "another issuer"])
def test_the_logins_of_a_provider_that_is_removed_end(
    two: Providers, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    hub = two.hub()
    ada, bob = two.logged_in(hub, "university", "ada"), two.logged_in(hub, "club", "bob")
    hub.stop()
    two.configure(hub, university={})
    if change == "another issuer":
        options = {**hub.config["OpenIDConnect"]["providers"], "club": two.options("university")}
        hub.config["OpenIDConnect"]["providers"] = options
    two.restart(hub, ada, bob)
    before = len(two.known["university"].asked("token"))
    assert ada.who is not None
    assert asked_again(hub, bob, "bob") is None
    assert asked_again(hub, ada, "ada") is not None
    assert f"it was at {two.known['club'].url}, which is no provider of this hub" in caplog.text
    assert state_of(hub, "bob")["refresh_token"] is None
    assert "takes no logins any more by the provider" in bob.browser.get("/hub/login").text
    # No token of the one is shown to the other.
    assert len(two.known["university"].asked("token")) == before
    assert bob.browser.get("/hub/logout").status_code < 400


def test_logins_of_the_only_provider_go_on_where_it_becomes_one_of_several(
    two: Providers,
) -> None:
    world = two.world
    hub = world.hub()
    ada = world.logged_in(hub, "ada")
    hub.stop()
    two.configure(hub, university={}, club={})
    two.restart(hub, ada)
    assert ada.refresh() is not None
    assert ada.state()["provider"] == "university"


def test_a_logout_is_at_the_provider_of_the_login(two: Providers) -> None:
    leave = {"logout_at_provider": True}
    hub = two.hub(university={**leave, "logout_redirect_url": "https://a.example"}, club=leave)
    ada, bob = two.logged_in(hub, "university", "ada"), two.logged_in(hub, "club", "bob")
    there = bob.browser.get("/hub/logout").headers["Location"]
    assert there.startswith(f"{two.known['club'].url}/logout?")
    assert "post_logout_redirect_uri" not in there
    assert two.known["club"].asked("revoke")
    assert not two.known["university"].asked("revoke")
    there = ada.browser.get("/hub/logout").headers["Location"]
    assert there.startswith(f"{two.known['university'].url}/logout?")
    assert query_of(there)["post_logout_redirect_uri"] == "https://a.example"
    assert (ada.who, bob.who) == (None, None)


def links(page: str) -> dict[str, str]:
    """The page's ways to log in: address to title."""
    found = re.findall(r'href="(oauth_login[^"]*)".*?</a>', page, re.DOTALL)
    names = re.findall(r"visually-hidden.>Sign in with </span>(.*?)</span>", page)
    return dict(zip(map(html.unescape, found), map(html.unescape, names), strict=True))


def test_the_page_offers_each_and_keeps_where_one_wants_to_go(two: Providers) -> None:
    evil = '<script>alert("{{ 7 * 7 }}")</script>'
    hub = two.hub(university={"login_service": "University of Ä & B"}, club={"login_service": evil})
    browser = two.user(hub, "club").browser
    page = browser.get("/hub/login", params={"next": '/hub/token?a=1&b="x"'}).content.decode()
    assert "<script>alert(" not in page
    words = {path.partition("?")[0]: name for path, name in links(page).items()}
    assert words == {"oauth_login/university": "University of Ä & B", "oauth_login/club": evil}
    ada = two.user(hub, "university")
    [there] = [path for path in links(page) if "university" in path]
    back = ada.consent(ada.browser.get(f"/hub/{there}").headers["Location"])
    assert ada.browser.get(back).headers["Location"] == '/hub/token?a=1&b="x"'


def test_one_of_providers_is_gone_to_at_once_where_that_is_configured(two: Providers) -> None:
    hub = two.hub(all_of={"auto_login": True}, club={})
    answer = two.user(hub, "club").browser.get("/hub/login", params={"next": "/hub/token"})
    assert answer.headers["Location"] == "/hub/oauth_login/club?next=%2Fhub%2Ftoken"
    hub = two.hub(club={})
    page = two.user(hub, "club").browser.get("/hub/login").text
    assert links(page) == {"oauth_login/club": "Club"}


def test_a_provider_that_is_away_hinders_nobody_else(two: Providers) -> None:
    hub = two.hub()
    with two.known["club"].fault("discovery", "unavailable"):
        answer = two.user(hub, "club").browser.get("/hub/oauth_login/club")
        assert answer.status_code == 502
        assert two.logged_in(hub, "university").name == "ada"


@pytest.mark.parametrize(
    ("title", "mark"),
    [("University of Example", "UE"), ("GitHub", "G"), ("eduGAIN", "E"), ("Ärzte", "Ä")],
)
def test_the_mark_of_a_provider(title: str, mark: str) -> None:
    assert Choice("x", title).mark == mark
