"""Logins at an OpenID Connect provider: who comes in, and who is kept out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from greyhub.auth.openid import handlers
from greyhub.auth.openid.adapter import KeptKey
from greyhub.auth.openid.authenticator import OIDCAuthenticator
from greyhub.auth.openid.errors import ProviderUnavailable
from greyhub.auth.openid.provider import Misconfigured, read_metadata
from greyhub.conformance.testkit.provider import endpoints
from tests.auth.oidc import World, changed, query_of, refused, world

__all__ = ["world"]


def test_a_user_logs_in_by_the_issuer_alone(world: World) -> None:
    hub = world.hub()
    user = world.logged_in(hub, "ada", groups=("staff", "wheel"))
    said = user.who
    assert said is not None
    assert (said["name"], said["admin"], set(said["groups"])) == ("ada", False, {"staff", "wheel"})
    authenticator = hub.app.authenticator
    state = user.state()
    identity = authenticator.identity({"auth_state": state})
    assert identity == (world.provider.url, "subject-of-ada")


def test_nobody_comes_in_unless_it_is_said(world: World) -> None:
    user = world.user(world.hub(allow_all=False), groups=("staff",))
    assert user.login().status_code == 403
    assert user.name is None


def test_the_request_holds_what_protects_the_answer(world: World) -> None:
    user = world.user(world.hub(extra_authorize_params={"state": "x", "nonce": "y", "prompt": "z"}))
    first, second = query_of(user.begin()), query_of(user.begin())
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
        assert len(first[name]) >= 32
    assert first["code_challenge_method"] == "S256"
    assert first["response_type"] == "code"
    assert first["prompt"] == "z"
    assert world.provider.client_secret not in str(first)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://issuer.example"},
        {"aud": "another-client"},
        {"aud": ["conformance", "another"]},
        {"azp": "another-client"},
        {"sub": ""},
    ],
    ids=str,
)
def test_a_false_id_token_admits_nobody(world: World, claims: dict[str, Any]) -> None:
    user = world.user(world.hub(), claims=claims)
    answer = user.login()
    assert refused(answer), answer.status_code
    assert user.name is None


def test_userinfo_of_somebody_else_admits_nobody(world: World) -> None:
    """A token that was put in the place of the user's own: OpenID Connect Core 1.0, 5.3.2."""
    hub = world.hub()
    world.provider._statement = lambda person: {**person.standard(), "sub": next(subjects)}
    subjects = iter(["subject-of-ada", "subject-of-eve"])
    user = world.user(hub)
    assert refused(user.login())
    assert user.name is None


def test_a_code_of_another_login_is_refused(world: World) -> None:
    """Code injection: RFC 9700, 4.5."""
    hub = world.hub()
    victim, thief = world.user(hub, "ada"), world.user(hub, "eve")
    stolen = query_of(victim.consent(victim.begin()))["code"]
    back = thief.consent(thief.begin())
    assert refused(thief.browser.get(changed(back, code=stolen)))
    assert thief.name is None


def test_the_answer_of_another_browser_or_of_none_is_refused(world: World) -> None:
    """Cross-site request forgery: RFC 9700, 4.7."""
    hub = world.hub()
    eve, ada = world.user(hub, "eve"), world.user(hub, "ada")
    link = eve.consent(eve.begin())
    assert refused(ada.browser.get(link))
    ada.begin()
    assert refused(ada.browser.get(link))
    assert ada.name is None
    assert eve.browser.get(link).is_redirect


@pytest.mark.parametrize(
    "change",
    [
        {"state": None},
        {"state": ""},
        {"state": "0" * 32},
        {"state": "../../x"},
        {"code": None},
        {"code": ""},
        {"code": "made-up"},
        {"iss": "https://another.example"},
        {"iss": ""},
        {"error": "access_denied"},
        {"error": "<script>alert(1)</script>", "code": None},
    ],
    ids=str,
)
def test_a_changed_answer_is_refused(world: World, change: dict[str, Any]) -> None:
    user = world.user(world.hub())
    answer = user.browser.get(changed(user.consent(user.begin()), **change))
    assert refused(answer), answer.status_code
    assert "<script>alert" not in answer.text
    assert user.name is None


@pytest.mark.parametrize("name", ["code", "state", "iss"])
def test_an_answer_that_says_one_thing_twice_is_refused(world: World, name: str) -> None:
    user = world.user(world.hub())
    back = changed(user.consent(user.begin()), iss=world.provider.url)
    assert refused(user.browser.get(f"{back}&{name}={query_of(back)[name]}"))
    assert user.name is None


def test_the_issuer_in_the_answer_is_looked_at(world: World) -> None:
    """Mix-up: RFC 9207; a provider that promises to name itself must."""
    hub = world.hub()
    user = world.user(hub)
    back = user.consent(user.begin())
    metadata = hub.run(lambda: hub.app.authenticator.provider.metadata())
    promising = {**vars(metadata), "authorization_response_iss_parameter_supported": True}
    hub.app.authenticator.provider._metadata = type(metadata)(**promising)
    assert refused(user.browser.get(back))
    back = user.consent(user.begin())
    assert user.browser.get(changed(back, iss=world.provider.url)).is_redirect
    assert user.name == "ada"


def test_an_answer_is_good_once(world: World) -> None:
    user = world.user(world.hub())
    back = user.consent(user.begin())
    before = user.browser.cookies
    assert user.browser.get(back).is_redirect
    thief = world.user(user.hub, "eve")
    thief.browser.take(before)  # the cookies as well: the provider refuses the code
    assert refused(thief.browser.get(back))
    assert thief.name is None


def test_a_state_is_good_once(world: World) -> None:
    user = world.user(world.hub())
    asked = user.begin()
    assert user.browser.get(user.consent(asked)).is_redirect
    assert user.browser.get(user.consent(asked)).status_code == 400


def test_what_belongs_to_a_login_is_for_the_hub_alone(world: World) -> None:
    """A user's server, which is on the same host, is sent no cookie of a login."""
    user = world.user(world.hub())
    user.begin()
    cookies = [each for each in user.browser._session.cookies if each.name.startswith("greyhub-")]
    assert [each.path for each in cookies] == ["/hub/"]
    assert all(each.has_nonstandard_attr("HttpOnly") for each in cookies)
    for _ in range(20):
        user.begin()
    names = [name for name in user.browser.cookies if name.startswith("greyhub-")]
    assert len(names) <= 10


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "/%09/evil.example"]
)
def test_a_login_leads_to_this_hub_alone(world: World, target: str) -> None:
    user = world.user(world.hub())
    back = user.consent(user.begin(params={"next": target}))
    location = user.browser.get(back).headers["Location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    back = user.consent(user.begin(params={"next": "/hub/token"}))
    assert user.browser.get(back).headers["Location"] == "/hub/token"


def test_the_address_to_come_back_to_is_not_what_a_request_says(world: World) -> None:
    hub = world.hub(oauth_callback_url="")
    user = world.user(hub)
    own = f"{hub.url}/hub/oauth_callback"
    assert query_of(user.begin())["redirect_uri"] == own
    answer = user.browser.get("/hub/oauth_login", headers={"Host": "evil.example"})
    assert answer.status_code == 500
    assert "evil.example" not in answer.headers.get("Location", "")
    assert "c.JupyterHub.public_url" in answer.text


def test_the_providers_new_keys_are_fetched(world: World) -> None:
    hub = world.hub()
    world.logged_in(hub, "ada")
    world.logged_in(hub, "bob")
    assert len(world.provider.asked("jwks")) == 1
    world.provider.rotate()
    world.logged_in(hub, "eve")
    assert len(world.provider.asked("jwks")) == 2
    with world.provider.lying("foreign"):
        assert refused(world.user(hub, "mallory").login())


def test_discovery_is_asked_again_and_an_outage_then_does_no_harm(world: World) -> None:
    hub = world.hub()
    world.logged_in(hub, "ada")
    provider = hub.app.authenticator.provider
    assert len(world.provider.asked("discovery")) == 1
    for name, kind in (("bob", "error"), ("eve", "hang")):
        provider._metadata_at -= 2 * 3600
        with world.provider.fault("discovery", kind) as fault:
            world.logged_in(hub, name)  # nobody waits for it
            assert fault.hit.wait(10)
    assert len(world.provider.asked("discovery")) == 3


def test_discovery_is_asked_once_for_all_who_wait(world: World) -> None:
    hub = world.hub()
    users = [world.user(hub, name) for name in ("ada", "bob", "eve")]
    with ThreadPoolExecutor() as pool:
        with world.provider.fault("discovery", "hold") as held:
            begun = [pool.submit(user.login) for user in users]
            assert held.hit.wait(10)
        assert all(each.result().is_redirect for each in begun)
    assert len(world.provider.asked("discovery")) == 1


def test_a_key_that_was_withdrawn_is_believed_no_longer_than_an_hour(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = world.hub()
    world.logged_in(hub, "ada")
    monkeypatch.setattr(endpoints, "jwks", lambda *_: endpoints.give({"keys": []}))
    assert world.logged_in(hub, "bob").name == "bob"
    hub.app.authenticator.provider._keys_at -= 2 * 3600
    assert world.user(hub, "eve").login().status_code == 403


def test_a_login_that_takes_too_long_is_begun_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = world.user(world.hub())
    back = user.consent(user.begin())
    monkeypatch.setattr(handlers, "MINUTES", -1.0)
    answer = user.browser.get(back)
    assert answer.status_code == 400
    assert "Log in again" in answer.text


def test_a_provider_that_is_away_is_told_in_words_and_comes_back(world: World) -> None:
    hub = world.hub()
    user = world.user(hub)
    with world.provider.fault("discovery", "unavailable"):
        answer = user.browser.get("/hub/oauth_login")
    assert answer.status_code == 502
    assert "discovery answers with status 503" in answer.text
    assert user.login().is_redirect
    assert user.name == "ada"


ISSUER = "https://idp.example"
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/a",
    "token_endpoint": f"{ISSUER}/t",
    "jwks_uri": f"{ISSUER}/k",
}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"issuer": f"{ISSUER}/"}, "calls itself"),
        ({"issuer": "https://evil.example"}, "calls itself"),
        ({"issuer": "https://login.example/{tenantid}/v2.0"}, "id of your tenant"),
        ({"issuer": None}, "no provider"),
        ({"token_endpoint": None}, "names no token_endpoint"),
        ({"jwks_uri": ""}, "names no jwks_uri"),
        ({"token_endpoint": "http://idp.example/t"}, "no address that tokens may"),
        ({"userinfo_endpoint": "http://idp.example/u"}, "no address that tokens may"),
        ({"token_endpoint": "file:///etc/passwd"}, "no address that tokens may"),
        ({"end_session_endpoint": "javascript:alert(1)"}, "no address that tokens may"),
    ],
    ids=str,
)
def test_a_discovery_document_that_cannot_be_right_is_refused(
    changes: dict[str, Any], why: str
) -> None:
    assert read_metadata(DOCUMENT, ISSUER).token_endpoint == f"{ISSUER}/t"
    with pytest.raises(Misconfigured) as caught:
        read_metadata({**DOCUMENT, **changes}, ISSUER)
    assert why in str(caught.value)


def test_groups_say_who_comes_in_and_who_is_an_admin(world: World) -> None:
    hub = world.hub(allow_all=False, allowed_groups={"staff", "s"}, admin_groups={"wheel"})
    for name, groups in (
        ("text", "staff"),
        ("letter", "s"),
        ("none", None),
        ("case", ("Staff",)),
        ("longer", ("staff2", "my-staff")),
        ("numbers", (1, None, ["staff"])),
    ):
        user = world.user(hub, name, groups=groups)
        assert user.login().status_code == 403, name
        assert user.name is None
    assert not (world.logged_in(hub, "ada", groups=("staff",)).who or {})["admin"]
    grace = world.logged_in(hub, "grace", groups=("wheel",))
    assert (grace.who or {})["admin"]


def test_groups_in_one_text_with_a_separator(world: World) -> None:
    hub = world.hub(allow_all=False, allowed_groups={"staff"}, groups_separator=",")
    assert set((world.logged_in(hub, groups="staff,wheel").who or {})["groups"]) == {
        "staff",
        "wheel",
    }
    assert refused(world.user(hub, "eve", groups="staffing,s").login())


def test_groups_inside_of_another_claim(world: World) -> None:
    hub = world.hub(allow_all=False, allowed_groups={"staff"}, groups_claim="realm_access.roles")
    ada = world.logged_in(hub, claims={"realm_access": {"roles": ["staff"]}})
    assert (ada.who or {})["groups"] == ["staff"]
    assert refused(world.user(hub, "eve", groups=("staff",)).login())


def test_groups_of_several_claims(world: World) -> None:
    claims = ["groups", "realm_access.roles"]
    hub = world.hub(allow_all=False, allowed_groups={"reader"}, groups_claim=claims)
    said = {"realm_access": {"roles": ["reader", "staff"]}}
    ada = world.logged_in(hub, groups=("staff", "wheel"), claims=said)
    assert set((ada.who or {})["groups"]) == {"reader", "staff", "wheel"}
    assert refused(world.user(hub, "eve", groups=("staff",)).login())
    assert (ada.refresh() or {})["name"] == "ada"


def test_groups_that_are_told_elsewhere_are_those_of_the_first_claim(world: World) -> None:
    world.provider.overage = True
    place = f"{world.provider.url}/v1.0/me/transitiveMemberOf"
    hub = world.hub(groups_claim=["groups", "roles"], groups_url=place)
    ada = world.logged_in(hub, groups=MANY, claims={"roles": ["reader"]})
    assert set((ada.who or {})["groups"]) == {*MANY, "reader"}
    world.provider.seen.clear()
    assert (world.logged_in(hub, "bob", groups=("staff",)).who or {})["groups"] == ["staff"]
    assert not world.provider.asked("/v1.0/me/transitiveMemberOf")


MANY = tuple(f"group-{number:03}" for number in range(250))


def test_more_groups_than_a_token_holds_are_refused_in_words_or_asked_for(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.provider.overage = True
    hub = world.hub()
    user = world.user(hub, groups=MANY)
    answer = user.login()
    assert answer.status_code == 403
    assert "more groups than the provider tells" in answer.text
    assert "set c.OIDCAuthenticator.groups_url" in caplog.text
    hub = world.hub(groups_url=f"{world.provider.url}/v1.0/me/transitiveMemberOf")
    assert set((world.logged_in(hub, groups=MANY).who or {})["groups"]) == set(MANY)


def test_a_list_of_groups_that_leads_to_another_host_is_not_followed(world: World) -> None:
    asked: list[str] = []
    elsewhere = world.provider.url.replace("127.0.0.1", "localhost")

    def api(path: str, person: Any) -> Any:
        asked.append(path)
        return {"value": [{"id": "staff"}], "@odata.nextLink": f"{elsewhere}/more"}

    world.provider.api = api
    hub = world.hub(groups_url=f"{world.provider.url}/graph")
    user = world.user(hub, without=("groups",))
    assert user.login().status_code == 502
    assert asked == ["/graph"]


def test_an_admin_is_one_by_the_hubs_own_name(world: World) -> None:
    """The platform may give another name than was proposed; that one counts."""
    authenticator = OIDCAuthenticator(admin_users={"root"}, allowed_users={"ada"})
    model = {"name": "ada", "groups": [], "admin": None, "auth_state": {}}
    assert authenticator.is_admin(None, model) is None
    assert authenticator.is_admin(None, {**model, "name": "root"}) is True


def test_a_display_name_is_no_user_name(tmp_path: Path) -> None:
    for name in ("name", "nickname", "profile.given_name"):
        with pytest.raises(ValueError, match="a name for people to read"):
            OIDCAuthenticator(username_claim=name)


def test_a_claim_can_be_required(world: World) -> None:
    hub = world.hub(required_claims={"hd": ["example.org"]})
    assert world.logged_in(hub, "ada", claims={"hd": "example.org"}).name == "ada"
    answer = world.user(hub, "eve", claims={"hd": "evil.example"}).login()
    assert answer.status_code == 403
    assert "your hd is not among those admitted" in answer.text


def test_no_secret_is_logged_or_shown(world: World, caplog: pytest.LogCaptureFixture) -> None:
    hub = world.hub()
    ada = world.logged_in(hub, "ada")
    pages = [ada.browser.get("/hub/home").text]
    for endpoint, kind in (("token", "bare"), ("token", "rejected"), ("userinfo", "nonsense")):
        with world.provider.fault(endpoint, kind):
            pages.append(world.user(hub, "bob").login().text)
    secrets = world.provider.secrets()
    assert len(secrets) > 5
    # Traitlets itself writes the whole configuration there, where that is wanted.
    log = [line for line in caplog.text.splitlines() if "Config changed:" not in line]
    for secret in secrets:
        assert secret not in "".join([*pages, *log])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_with_a_secret(
    world: World, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """A token endpoint that redirects, by 307 with the form: RFC 9700, 4.12."""
    there = f"{world.provider.url}/thief"
    redirect = endpoints.Reply(status, b"", {"Location": there})
    monkeypatch.setattr(endpoints, "token", lambda *_: redirect)
    made = OIDCAuthenticator(issuer=world.provider.url, client_id="x", client_secret="y")
    provider = made.provider
    with pytest.raises(ProviderUnavailable):
        await provider.exchange({"grant_type": "authorization_code", "code": "x"})
    assert world.provider.asked("token")
    assert not world.provider.asked("/thief")


def test_the_key_for_tokens_is_made_once_and_is_the_hubs_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub" / "crypt-key"
    assert KeptKey(path).get_value(None)
    assert not path.exists()  # a check makes nothing
    path.parent.mkdir()
    [key] = KeptKey(path).get_value(None)
    assert [key] == KeptKey(path).get_value(None)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(key)) == 32
    assert key not in repr(KeptKey(path))
