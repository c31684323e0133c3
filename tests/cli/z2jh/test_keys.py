"""Every value that z2jh and dask-gateway have is classified, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from greyhub.cli.z2jh.moving import leaves
from tests.cli.z2jh.moves import moving, text

KEYS = json.loads((Path(__file__).parent / "keys.json").read_text())

HOLDS: dict[str, Any] = {
    "hub.config": {"JupyterHub": {"admin_access": True}, "Spawner": {"debug": True}},
    "hub.extraConfig": {"one": "c.Spawner.debug = True"},
    "hub.extraEnv": {"A": "b"},
    "hub.extraFiles": {"a": {"mountPath": "/a", "stringData": "a"}},
    "hub.loadRoles": {"one": {"scopes": ["self"]}},
    "hub.services": {"one": {"url": "http://one"}},
    "singleuser.extraEnv": {"A": "b"},
    "singleuser.extraFiles": {"a": {"mountPath": "/a", "stringData": "a"}},
    "singleuser.profileList": [{"display_name": "One"}],
    "singleuser.initContainers": [{"name": "one"}],
    "custom": {"one": 1},
    "dask-gateway.gateway.extraConfig": {"one": "pass"},
}
"""What some hold: mappings and lists of their own."""


def nested(path: str, value: Any) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def paths() -> list[str]:
    ours = KEYS["z2jh"]["keys"]
    return [*ours, *(f"dask-gateway.{key}" for key in KEYS["dask-gateway"]["keys"])]


@pytest.mark.parametrize("value", ["as it should be", "x", 1, True, ["x"], {"x": "y"}])
def test_every_value_of_z2jh_ends_in_one_place(tmp_path: Path, value: Any) -> None:
    """Also where it holds what z2jh does not take: then it is said, and nothing fails."""
    right = value == "as it should be"
    for path in paths():
        held = HOLDS.get(path, "x") if right else value
        inside = nested(path, held)
        gateway = path.startswith("dask-gateway.")
        given = {"jupyterhub": {"debug": {}}, **inside} if gateway else inside
        made = moving(tmp_path, given)
        about = [each for each in made.outcomes if each.given]
        for leaf in leaves(held, path):
            of = [each for each in about if leaf == each.path or leaf.startswith(f"{each.path}.")]
            assert len(of) == 1, f"{leaf}: {of}"
            assert "there is no such value" not in of[0].said or not right, leaf
            assert "takes no such value" not in of[0].said or not right or held == "x", leaf
        compile(text(made), "greyhub_config.py", "exec")


def test_the_values_of_a_daskhub_are_known(tmp_path: Path) -> None:
    for path in KEYS["daskhub"]["keys"]:
        made = moving(tmp_path, {"jupyterhub": {"debug": {}}}, nested(path, HOLDS.get(path, True)))
        assert any(each.path in path or path.endswith(each.path) for each in made.outcomes), path


def test_a_value_that_z2jh_does_not_have_is_named_with_its_path(tmp_path: Path) -> None:
    made = moving(tmp_path, {"singleuser": {"memroy": {"limit": "1G"}}})
    (found,) = (each for each in made.outcomes if each.path == "singleuser.memroy")
    assert found.kind == "left"
    assert "there is no such value" in found.said
    assert "not taken over: singleuser.memroy" in text(made)
