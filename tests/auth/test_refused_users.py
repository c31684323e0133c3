"""What users have left whose login is refused while they have servers."""

from __future__ import annotations

from typing import Any

import pytest

from greyhub.auth.refused import end_refused
from greyhub.conformance.auth.noop_spawner import running
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.provider import Person
from tests.auth.oidc import User, World, world
from tests.support.waiting import until

__all__ = ["world"]


def watched(world: World, **options: Any) -> Hub:
    """A hub that ends what refused users have, and looks often."""
    hub = world.hub(auth_refresh_age=1, outage_grace=3600, **options)
    hub.submit(end_refused, hub.app)
    return hub


def at_work(world: World, hub: Hub, name: str = "ada", **facts: Any) -> tuple[User, str]:
    """Somebody with a server, and an API token of theirs."""
    user = world.logged_in(hub, name, **facts)

    async def start() -> str:
        await hub.app.users[name].spawn()
        token: str = hub.app.users[name].new_api_token()
        return token

    return user, hub.run(start)


def looked(world: World, hub: Hub, times: int = 2) -> None:
    """Wait until the hub has asked about its users some more times."""
    before = len(world.provider.seen)
    until(lambda: len(world.provider.seen) >= before + times, 30)


@pytest.mark.parametrize("end", ["revoke", "disable"])
def test_who_is_refused_while_away_loses_servers_and_tokens(world: World, end: str) -> None:
    hub = watched(world, admin_groups={"wheel"})
    user, token = at_work(world, hub, groups=("wheel",))
    other, _ = at_work(world, hub, "bob")
    assert hub.api("GET", "/users", token=token).ok
    getattr(world.provider, end)(user.person)
    until(lambda: "ada" not in running(hub.url), 30)
    until(lambda: hub.api("GET", "/user", token=token).status_code == 403, 30)
    found = hub.api("GET", "/users/ada").json()
    assert (found["admin"], found["groups"], found["servers"]) == (False, [], {})
    looked(world, hub)
    assert running(hub.url) == {"bob"}
    assert other.name == "bob"


def test_who_loses_the_group_that_admits_them_loses_servers(world: World) -> None:
    hub = watched(world, allow_all=False, allowed_groups={"staff"})
    at_work(world, hub, groups=("staff", "ocean"))
    world.provider.enrol(Person("ada", groups=("ocean",)))
    until(lambda: "ada" not in running(hub.url), 30)


def test_groups_follow_while_a_user_is_away(world: World) -> None:
    hub = watched(world)
    at_work(world, hub, groups=("staff",))
    world.provider.enrol(Person("ada", groups=("ocean",)))
    until(lambda: hub.api("GET", "/users/ada").json()["groups"] == ["ocean"], 30)
    assert running(hub.url) == {"ada"}


@pytest.mark.parametrize("kind", ["unavailable", "nonsense"])
def test_a_provider_that_does_not_answer_ends_nothing(world: World, kind: str) -> None:
    hub = watched(world)
    _, token = at_work(world, hub)
    with world.provider.fault("any", kind):
        looked(world, hub, 4)
    assert running(hub.url) == {"ada"}
    assert hub.api("GET", "/user", token=token).ok


def test_who_logs_out_keeps_the_server(world: World) -> None:
    hub = watched(world, logout_at_provider=True)
    user, _ = at_work(world, hub)
    at_work(world, hub, "bob")
    user.browser.get("/hub/logout")
    assert user.state()["access_token"] is None
    looked(world, hub, 4)
    assert running(hub.url) == {"ada", "bob"}


def test_a_refusal_is_known_after_a_restart_and_forgotten_by_a_login(world: World) -> None:
    hub = world.hub()
    user = world.logged_in(hub)
    world.provider.revoke(user.person)
    assert user.refresh() is None

    def refused() -> bool:
        return bool(hub.run(lambda: hub.app.authenticator.login_refused(hub.app.users["ada"])))

    assert refused()
    hub.restart()
    assert refused()
    User(hub, user.person).login()
    assert not refused()


def test_servers_go_on_unless_it_is_said(world: World) -> None:
    hub = world.hub()
    user, token = at_work(world, hub)
    world.provider.disable(user.person)
    assert user.refresh() is None
    assert running(hub.url) == {"ada"}
    assert hub.api("GET", "/user", token=token).ok


def test_rights_go_with_the_rules_also_for_tokens(world: World) -> None:
    """JupyterHub leaves them to tokens until the next login."""
    hub = world.hub(allow_all=False, allowed_groups={"staff"}, admin_groups={"wheel"})
    user, token = at_work(world, hub, groups=("staff", "wheel"))
    assert hub.api("GET", "/users", token=token).ok
    user.person = world.provider.enrol(Person("ada", groups=("guests",)))
    assert user.refresh() is None
    assert hub.api("GET", "/users", token=token).status_code == 403
    assert hub.api("GET", "/users/ada").json()["groups"] == ["guests"]


def test_roles_of_a_group_follow_at_a_refresh(world: World) -> None:
    hub = world.hub()
    hub.stop()
    hub.config["JupyterHub"]["load_roles"] = [
        {
            "name": "conformance",
            "scopes": ["admin:users", "admin:servers", "admin:groups", "tokens"],
            "services": ["conformance"],
        },
        {"name": "helpers", "groups": ["staff"], "scopes": ["list:users"]},
    ]
    hub.start()
    user, token = at_work(world, hub, groups=("staff",))
    assert hub.api("GET", "/users", token=token).ok
    user.person = world.provider.enrol(Person("ada", groups=()))
    assert user.refresh() is not None
    assert hub.api("GET", "/users", token=token).status_code == 403
