"""What is said of profiles that a hub can start with."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.adapter import Finding
from greyhub.cli.reading import read
from tests.checks.mistakes.mistake import KUBE, REACHED
from tests.checks.starting import forget, write


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(tmp_path: Path, config: str) -> list[Finding]:
    """What is said of the profiles."""
    found = read(str(write(tmp_path, config))).findings
    forget()
    assert not [each for each in found if each.level == "error"]
    return [each for each in found if each.option.endswith(".profiles")]


def test_a_size_that_nothing_enforces_is_warned_of_once(tmp_path: Path) -> None:
    [found] = said(
        tmp_path,
        'c.SpawnerAdapter.profiles = [{"name": "a", "cores": 1, "memory": "1 GiB"},'
        ' {"name": "b", "cores": 2}]',
    )
    assert found.level == "warning"
    assert "cores and memory of a profile: a process" in found.message
    assert found.place.endswith(":1")


def test_pods_can_be_given_everything(tmp_path: Path) -> None:
    everything = (
        '{"name": "gpu", "title": "GPU", "description": "One", "groups": ["staff"],'
        '"default": True, "cores": 0.5, "memory": "1 GiB", "gpus": 1, "environment": "/opt/gpu",'
        '"image": "gpu:1", "node_selector": {"a": "b"}, "tolerations": [{"key": "gpu"}]}'
    )
    config = KUBE + REACHED + f'c.SpawnerAdapter.profiles = [{{"name": "a"}}, {everything}]'
    assert said(tmp_path, config) == []


def test_a_misspelt_group_is_warned_of(tmp_path: Path) -> None:
    found = said(
        tmp_path,
        'c.JupyterHub.load_groups = {"gpu-users": {"users": ["ada"]}}\n'
        'c.SpawnerAdapter.profiles = [{"name": "a", "groups": ["gpu-user", "made-on-the-page"]}]',
    )
    assert [(each.level, each.fix) for each in found] == [
        ("warning", "write 'gpu-users'"),
        ("note", ""),
    ]
    assert "who is in none of them can start no server" in found[1].message


def test_an_environment_s_command_must_be_there(tmp_path: Path) -> None:
    command = tmp_path / "envs/r/bin/greyhub-singleuser"
    command.parent.mkdir(parents=True)
    command.touch(mode=0o755)
    config = 'c.SpawnerAdapter.profiles = [{"name": "r", "environment": "envs/r"}]'
    assert said(tmp_path, config) == []


def test_an_environment_without_greyhub_is_warned_of_where_homes_are_elsewhere(
    tmp_path: Path,
) -> None:
    command = tmp_path / "envs/r/bin/jupyterhub-singleuser"
    command.parent.mkdir(parents=True)
    command.touch(mode=0o755)
    [found] = said(
        tmp_path,
        'c.GreyHub.spawner = "simple"\nc.GreyHub.homespace = None\n'
        'c.SpawnerAdapter.profiles = [{"name": "r", "environment": "envs/r"}]',
    )
    assert found.level == "warning"
    assert "greyhub is not in" in found.message
