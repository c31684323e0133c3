"""How contributions join what the administrator wrote."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets.config import Config

from greyhub.adapter import Contribution
from greyhub.errors import ConfigConflict
from greyhub.merge import Origin, merge

CLUSTER, DATA = Origin("cluster", "snow"), Origin("data", "ice")
LINEAGE = [["KubeSpawner", "Spawner"]]


def merged(config: Config, *contributions: Contribution) -> Config:
    found = merge(config, list(zip((CLUSTER, DATA), contributions, strict=False)), LINEAGE)
    for conflict in found.conflicts:
        raise conflict
    return config


def option(section: str, trait: str, value: Any) -> Contribution:
    return Contribution(config={section: {trait: value}})


def test_what_nobody_wrote_is_added() -> None:
    c = merged(Config(), option("Spawner", "mem_limit", "2G"))
    assert c.Spawner.mem_limit == "2G"


def test_what_the_administrator_wrote_stands() -> None:
    c = Config({"Spawner": {"mem_limit": "8G"}})
    assert merged(c, option("Spawner", "mem_limit", "2G")).Spawner.mem_limit == "8G"


def test_it_stands_also_in_a_section_above_or_below() -> None:
    c = Config({"Spawner": {"mem_limit": "8G"}})
    assert "mem_limit" not in merged(c, option("KubeSpawner", "mem_limit", "2G")).KubeSpawner
    c = Config({"KubeSpawner": {"mem_limit": "8G"}})
    assert "mem_limit" not in merged(c, option("Spawner", "mem_limit", "2G")).Spawner


def test_two_adapters_that_differ_are_both_named() -> None:
    with pytest.raises(ConfigConflict) as error:
        merged(Config(), option("Spawner", "port", 1), option("Spawner", "port", 2))
    said = str(error.value)
    assert "c.Spawner.port" in said
    assert 'cluster = "snow" and data = "ice"' in said
    assert "1 and 2" in said


def test_two_adapters_that_agree_are_no_conflict() -> None:
    c = merged(Config(), option("Spawner", "port", 1), option("Spawner", "port", 1))
    assert c.Spawner.port == 1


def test_the_administrator_settles_a_conflict() -> None:
    c = Config({"Spawner": {"port": 3}})
    merged(c, option("Spawner", "port", 1), option("Spawner", "port", 2))
    assert c.Spawner.port == 3


def test_two_adapters_that_differ_in_two_sections_of_one_class_are_a_conflict() -> None:
    with pytest.raises(ConfigConflict, match=r"c\.KubeSpawner\.port"):
        merged(Config(), option("Spawner", "port", 1), option("KubeSpawner", "port", 2))


def test_an_adapter_may_say_another_value_for_one_class() -> None:
    both = Contribution(config={"Spawner": {"port": 1}, "KubeSpawner": {"port": 2}})
    assert merged(Config(), both).KubeSpawner.port == 2


def test_every_conflict_is_found_and_the_rest_is_merged() -> None:
    one = Contribution(config={"Spawner": {"port": 1, "ip": "a", "mem_limit": "2G"}})
    other = Contribution(config={"Spawner": {"port": 2, "ip": "b"}})
    c = Config()
    found = merge(c, [(CLUSTER, one), (DATA, other)], LINEAGE)
    assert [each.where for each in found.conflicts] == ["c.Spawner.port", "c.Spawner.ip"]
    assert c.Spawner == {"mem_limit": "2G"}


def test_who_contributes_is_known_where_the_option_stands() -> None:
    c = Config({"KubeSpawner": {"environment": {"A": "mine"}}})
    one, other = Contribution(environment={"B": "1"}), Contribution(environment={"C": "2"})
    [(path, offers)] = merge(c, [(CLUSTER, one), (DATA, other)], LINEAGE).offers.items()
    assert path == ("KubeSpawner", "environment")
    assert [offer.origin for offer in offers] == [CLUSTER, DATA]


def test_lists_join() -> None:
    c = Config({"JupyterHub": {"services": [{"name": "mine"}]}})
    merged(c, Contribution(services=[{"name": "a"}]), Contribution(services=[{"name": "b"}]))
    assert [each["name"] for each in c.JupyterHub.services] == ["a", "b", "mine"]


def test_lists_that_were_appended_to_join() -> None:
    c = Config()
    c.JupyterHub.services.append({"name": "mine"})
    merged(c, Contribution(services=[{"name": "a"}]))
    assert [each["name"] for each in c.JupyterHub.services] == ["a", "mine"]


def test_a_service_of_the_administrators_replaces_an_adapters() -> None:
    c = Config({"JupyterHub": {"services": [{"name": "a", "url": "mine"}]}})
    merged(c, Contribution(services=[{"name": "a", "url": "theirs"}]))
    assert c.JupyterHub.services == [{"name": "a", "url": "mine"}]


def test_two_services_of_one_name_are_a_conflict() -> None:
    one, other = ({"name": "a", "url": url} for url in "12")
    with pytest.raises(ConfigConflict) as error:
        merged(Config(), Contribution(services=[one]), Contribution(services=[other]))
    assert "c.JupyterHub.services['a']" in str(error.value)


def test_a_conflict_does_not_repeat_a_token() -> None:
    one, other = ({"name": "a", "api_token": f"canary-{n}"} for n in "12")
    with pytest.raises(ConfigConflict) as error:
        merged(Config(), Contribution(services=[one]), Contribution(services=[other]))
    assert "canary" not in str(error.value)


def test_roles_and_environment_join() -> None:
    c = Config({"Spawner": {"environment": {"A": "mine", "B": "mine"}}})
    c.JupyterHub.load_roles.extend([{"name": "mine"}])
    both = Contribution(roles=[{"name": "theirs"}], environment={"B": "theirs", "C": "theirs"})
    merged(c, both)
    assert c.Spawner.environment == {"A": "mine", "B": "mine", "C": "theirs"}
    assert [each["name"] for each in c.JupyterHub.load_roles] == ["theirs", "mine"]


def test_roles_of_one_name_have_the_scopes_of_both() -> None:
    one, other = ({"name": "server", "scopes": ["self", scope]} for scope in ("a", "b"))
    c = merged(Config(), Contribution(roles=[one]), Contribution(roles=[other]))
    assert c.JupyterHub.load_roles == [{"name": "server", "scopes": ["self", "a", "b"]}]
    with pytest.raises(ConfigConflict):
        merged(Config(), Contribution(roles=[one]), Contribution(roles=[{**other, "users": ["x"]}]))
    mine = {"name": "server", "scopes": ["mine"]}
    c = Config({"JupyterHub": {"load_roles": [mine]}})
    merged(c, Contribution(roles=[one]), Contribution(roles=[other]))
    assert c.JupyterHub.load_roles == [mine]


def test_one_variable_of_two_adapters_is_a_conflict() -> None:
    with pytest.raises(ConfigConflict) as error:
        merged(Config(), Contribution(environment={"A": "1"}), Contribution(environment={"A": "2"}))
    assert "c.Spawner.environment['A']" in str(error.value)


def test_the_environment_is_joined_where_the_administrator_wrote_it() -> None:
    c = Config({"KubeSpawner": {"environment": {"A": "mine"}}})
    merged(c, Contribution(environment={"B": "theirs"}))
    assert c.KubeSpawner.environment == {"A": "mine", "B": "theirs"}


def test_a_tuple_is_one_value() -> None:
    c = Config({"Spawner": {"cmd": ["mine"]}})
    assert merged(c, option("Spawner", "cmd", ("theirs",))).Spawner.cmd == ["mine"]


async def test_hooks_are_called_in_turn_the_administrators_last() -> None:
    calls = []

    async def theirs(spawner: str) -> None:
        calls.append(f"theirs {spawner}")

    def mine(spawner: str) -> None:
        calls.append(f"mine {spawner}")

    c = Config({"KubeSpawner": {"pre_spawn_hook": mine}})
    merged(c, option("Spawner", "pre_spawn_hook", theirs))
    await c.KubeSpawner.pre_spawn_hook("s")
    assert calls == ["theirs s", "mine s"]


async def test_a_hook_sees_what_the_one_before_returned() -> None:
    def double(authenticator: object, handler: object, model: int) -> int:
        return model * 2

    async def plus_one(authenticator: object, handler: object, model: int) -> int:
        return model + 1

    c = Config()
    merged(
        c,
        option("Authenticator", "post_auth_hook", double),
        option("Authenticator", "post_auth_hook", plus_one),
    )
    assert await c.Authenticator.post_auth_hook(None, None, 10) == 21
