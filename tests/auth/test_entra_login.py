"""Logins by Entra ID: who somebody is, what they are called, and what groups they are in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from greyhub.auth.openid.entra.proof import by_certificate
from greyhub.conformance.testkit.provider.entra_accounts import (
    OWN,
    PARTNER,
    PERSONAL,
    STRANGER,
    object_id,
)
from greyhub.conformance.testkit.provider.tokens import b64
from tests.auth.entra import EntraWorld, world
from tests.auth.oidc import refused
from tests.support.certificates import self_signed

__all__ = ["world"]

SEVERAL = {"allowed_tenants": [PARTNER]}


def test_somebody_is_their_directory_and_object_id(world: EntraWorld) -> None:
    user = world.logged_in(world.hub())
    state = user.state()
    assert user.name == "ada"
    assert state["subject"] == object_id("subject-of-ada") != state["id_token_claims"]["sub"]
    assert state["issuer"] == f"{world.provider.url}/{OWN}/v2.0"
    assert not world.provider.asked("userinfo")
    assert user.refresh() is not None


def test_a_name_that_has_changed_hands_stays_with_who_had_it(world: EntraWorld) -> None:
    hub = world.hub()
    ada = world.logged_in(hub)
    # She is now called otherwise at the provider, and her old name is somebody else's.
    renamed = world.user(hub, "countess", subject="subject-of-ada")
    renamed.login()
    assert renamed.name == "ada"
    heir = world.user(hub, "ada", subject="another")
    assert refused(heir.login())
    assert heir.name is None
    assert ada.state()["subject"] == object_id("subject-of-ada")


def test_one_object_id_in_two_directories_is_two_people(world: EntraWorld) -> None:
    twin = {"subject": "subject-of-the-twin", "claims": {"tid": PARTNER}}
    twin["claims"]["oid"] = object_id("subject-of-ada")
    hub = world.hub(**SEVERAL)
    assert world.logged_in(hub).name == "ada"
    assert world.logged_in(hub, "ada", **twin).name == "ada@people.example"
    alone = world.hub()
    stranger = world.user(alone, "ada", **twin)
    assert "none of those whose members" in stranger.login().text
    assert stranger.name is None


@pytest.mark.parametrize("keys", ["{tenantid}", ""])
@pytest.mark.parametrize(
    "claims",
    [
        {"tid": PARTNER, "iss": "{url}/" + OWN + "/v2.0"},
        {"tid": OWN, "iss": "{url}/" + PARTNER + "/v2.0"},
        {"tid": OWN, "iss": "{url}/{{tenantid}}/v2.0"},
        {"tid": "{{tenantid}}", "iss": "{url}/{{tenantid}}/v2.0"},
        {"tid": STRANGER},
        {"tid": PERSONAL},
        {"tid": [OWN]},
        {"tid": None},
        {"ver": "1.0", "iss": "https://sts.windows.net/" + OWN + "/"},
        {"ver": "1.0"},
        {"ver": None},
        {"oid": None},
        {"oid": "ada"},
    ],
)
def test_tokens_of_other_directories_and_versions_are_refused(
    world: EntraWorld, claims: dict[str, Any], keys: str
) -> None:
    world.entra.key_directory = keys
    said = {
        name: value.format(url=world.provider.url) if isinstance(value, str) else value
        for name, value in claims.items()
    }
    user = world.user(world.hub(**SEVERAL), claims=said)
    assert refused(user.login())
    assert user.name is None


def test_a_key_of_one_directory_signs_for_no_other(world: EntraWorld) -> None:
    hub = world.hub(**SEVERAL)
    world.entra.key_directory = PARTNER
    user = world.user(hub)
    assert refused(user.login())
    assert user.name is None
    assert world.logged_in(hub, "bob", claims={"tid": PARTNER}).name == "bob@people.example"


def test_personal_accounts_come_in_where_they_are_listed(world: EntraWorld) -> None:
    hub = world.hub(allowed_tenants=[PERSONAL])
    assert world.logged_in(hub, "eve", claims={"tid": PERSONAL}).name == "eve@people.example"
    assert world.provider.asked("authorize")[-1].path.startswith("/common/")


def test_a_login_of_a_directory_that_is_not_admitted_any_more_ends(
    world: EntraWorld, caplog: pytest.LogCaptureFixture
) -> None:
    hub = world.hub(**SEVERAL)
    user = world.logged_in(hub, "bob", claims={"tid": PARTNER})
    hub.run(lambda: setattr(hub.app.authenticator, "allowed_tenants", []))
    users = hub.app.users
    hub.run(lambda: setattr(users["bob@people.example"], "_auth_refreshed", None))
    assert user.name is None
    assert f"/{PARTNER}/v2.0, which is no provider of this hub any more" in caplog.text


def test_names_in_rules_are_those_of_the_hubs_own_directory(world: EntraWorld) -> None:
    options = {"allow_all": False, "allowed_users": {"root@people.example"}, "username_domain": ""}
    hub = world.hub(**SEVERAL, **options, admin_users={"root@people.example"})
    thief = world.user(hub, "root", subject="thief", claims={"tid": PARTNER})
    assert refused(thief.login())
    assert thief.name is None
    assert (world.logged_in(hub, "root").who or {})["admin"] is True


def test_a_member_of_another_directory_has_a_whole_name(world: EntraWorld) -> None:
    claims = {"tid": PARTNER, "preferred_username": "ada"}
    user = world.user(world.hub(**SEVERAL), subject="thief", claims=claims)
    assert "does not say which directory" in user.login().text


# groups


def test_groups_are_known_by_their_ids_alone(world: EntraWorld) -> None:
    hub = world.hub(allow_all=False, allowed_groups={"staff"})
    ada = world.logged_in(hub, groups=("staff", "another"))
    assert (ada.who or {})["groups"] == ["staff"]
    for told in (["staff"], ["STAFF"], [f"{object_id('staff')} "], "staff", object_id("staff")):
        eve = world.user(hub, "eve", claims={"groups": told})
        assert refused(eve.login()), told
        assert eve.name is None


def test_without_names_groups_are_called_by_their_ids(world: EntraWorld) -> None:
    user = world.logged_in(world.hub(group_names={}), groups=("staff",))
    assert (user.who or {})["groups"] == [object_id("staff")]


def test_a_group_that_is_told_by_name_is_none(
    world: EntraWorld, caplog: pytest.LogCaptureFixture
) -> None:
    hub = world.hub(allow_all=False, allowed_groups={"staff"}, group_names={})
    eve = world.user(hub, "eve", claims={"groups": ["staff", object_id("guests")]})
    assert refused(eve.login())
    assert "some groups are told by name" in caplog.text


def test_app_roles_are_groups_and_make_admins(world: EntraWorld) -> None:
    hub = world.hub(allow_all=False, allowed_groups={"staff"}, admin_groups={"Hub.Admin"})
    user = world.logged_in(hub, groups=("staff",), claims={"roles": ["Hub.Admin", "Hub.User"]})
    who = user.who or {}
    assert set(who["groups"]) == {"staff", "Hub.Admin", "Hub.User"}
    assert who["admin"] is True
    world.user(hub, groups=("staff",))
    assert (user.refresh() or {})["admin"] is False


MANY = tuple(f"group-{number}" for number in range(250))


def test_more_groups_than_a_token_holds_come_from_graph(world: EntraWorld) -> None:
    world.entra.overage = True
    world.entra.busy = ["0", "0"]
    hub = world.hub(allow_all=False, allowed_groups={"group-249"})
    user = world.logged_in(hub, groups=MANY)
    assert (user.who or {})["groups"] == ["group-249"]
    asked = world.provider.asked("/v1.0/me/transitiveMemberOf")
    assert len(asked) == 5  # three pages, and the first of them three times
    assert not world.provider.asked("getMemberObjects")


def test_where_graph_refuses_the_login_says_what_to_do(world: EntraWorld) -> None:
    world.entra.overage = world.entra.graph_refuses = True
    user = world.user(world.hub(), groups=MANY)
    page = user.login()
    assert page.status_code == 502
    assert "grants User.Read" in page.text
    assert user.name is None


def test_where_graph_is_busy_for_long_the_login_waits_for_another_time(world: EntraWorld) -> None:
    world.entra.overage = True
    world.entra.busy = ["60"]
    assert world.user(world.hub(), groups=MANY).login().status_code == 502


# how the hub proves who it is


def certificate(path: Path) -> tuple[str, Any]:
    """A certificate with its key in a file: the certificate's SHA-256, and the public key."""
    made, pem = self_signed()
    path.write_bytes(pem)
    return b64(made.fingerprint(hashes.SHA256())), made.public_key()


def test_a_certificate_stands_for_the_secret(world: EntraWorld, tmp_path: Path) -> None:
    pem = tmp_path / "hub.pem"
    thumb, public = certificate(pem)
    world.entra.certificates[thumb] = public
    user = world.logged_in(world.hub(client_secret="", client_certificate=str(pem)))
    assert user.refresh() is not None
    assert all("client_secret" not in each.form for each in world.provider.asked("token"))
    proofs = {each.form["client_assertion"] for each in world.provider.asked("token")}
    assert len(proofs) == 2
    assert by_certificate(str(pem), "x")("https://elsewhere") not in proofs
    certificate(pem)  # another, which nobody has registered
    assert "certificate is not registered" in world.user(user.hub, "bob").login().text


def test_a_federated_token_stands_for_the_secret(world: EntraWorld, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    world.entra.federated = {"first"}
    hub = world.hub(client_secret="", federated_token_file=str(file))
    user = world.logged_in(hub)
    file.write_text("second")  # whoever runs the machine has renewed it
    world.entra.federated = {"second"}
    assert user.refresh() is not None
    file.unlink()
    assert "cannot prove who it is" in world.user(hub, "bob").login().text
