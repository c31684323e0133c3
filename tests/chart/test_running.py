"""The hub and the proxy as the chart starts them, on this machine: each outlives the other."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from greyhub import proxy
from greyhub.presets import VARIABLE
from tests.chart.rendering import Object, named, rendered
from tests.support.api_server import ApiServer
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.waiting import MINUTE, until

pytestmark = pytest.mark.usefixtures("helm_is_there")

POD_IP = "127.0.0.2"
"""The pod's own address: not the one that a process listens on which says "localhost"."""

HERE = "0.0.0.0"
"""In place of the Service's name: on Linux it leads to this machine, and is no loopback address."""

CONFIG = """
c.GreyHub.flavour = "kubernetes"
c.GreyHub.auth = "null"
c.PodSpawner.namespace = "n"
c.KubernetesCluster.port = {port}
c.KubernetesCluster.api_port = {api}
c.KubernetesCluster.dashboard_port = {dashboards}
"""


def container(name: str) -> Object:
    """The container of a Deployment."""
    deployment = named(rendered("as it comes"), "Deployment", name)
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(found)


@pytest.fixture
def hub(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the variables of its pod; where these say "hub", it is this machine."""
    env = container("hub")["env"]
    (text,) = (each["value"] for each in env if each["name"] == VARIABLE)
    presets = json.loads(text.replace("$(POD_IP)", POD_IP))
    presets["JupyterHub"]["hub_connect_ip"] = HERE
    presets["GreyHub"]["state_dir"] = str(directory / "state")
    monkeypatch.setenv(VARIABLE, json.dumps(presets))
    monkeypatch.setenv("CONFIGPROXY_AUTH_TOKEN", "a-token")
    monkeypatch.setenv("KUBECONFIG", str(directory / "kubeconfig"))
    ports = {name: free_port() for name in ("port", "api", "dashboards")}
    made = Hub(directory, CONFIG.format(**ports))
    yield made
    made.end()


@pytest.fixture
def its_proxy(hub: Hub) -> Iterator[subprocess.Popen[bytes]]:
    """The proxy by its container's command."""
    program, *arguments = container("proxy")["command"]
    assert program == "configurable-http-proxy"
    node = proxy.find_node()
    proxy.install(node)
    here = {
        "--port=8000": f"--port={hub.port}",
        "--api-port=8001": f"--api-port={hub.proxy_port}",
    }
    arguments = [
        here.get(each, each).replace("//hub:8081", f"//127.0.0.1:{hub.hub_port}")
        for each in arguments
    ]
    with (hub.directory / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            [*proxy.command(node), *arguments], env=dict(os.environ), stdout=log, stderr=log
        )
    yield process
    process.kill()
    process.wait()


def status(hub: Hub, path: str) -> int:
    """How the address of browsers answers; 0 if not at all."""
    try:
        return requests.get(hub.url + path, allow_redirects=False, timeout=MINUTE).status_code
    except requests.ConnectionError:
        return 0


def goes_on(hub: Hub, its_proxy: subprocess.Popen[bytes]) -> None:
    """The hub comes, goes and comes again, behind one proxy."""
    health = container("proxy")["livenessProbe"]["httpGet"]["path"].lstrip("/")
    page = "services/clusters/clusters/none/status"
    until(lambda: status(hub, health) == 200, 60, "the proxy")

    hub.start()
    assert status(hub, "hub/health") == 200
    assert status(hub, page) == 302  # to the login: it came to the broker, which asks who is there
    headers = {"Authorization": "token a-token"}
    routes = requests.get(
        f"http://127.0.0.1:{hub.proxy_port}/api/routes", headers=headers, timeout=MINUTE
    ).json()
    assert routes["/services/clusters"]["target"].startswith(f"http://{POD_IP}:")

    hub.stop()
    assert its_proxy.poll() is None
    assert status(hub, health) == 200
    assert status(hub, "hub/health") == 503

    hub.start()
    assert status(hub, "hub/health") == 200
    assert status(hub, page) == 302


@pytest.mark.slow
async def test_the_proxy_goes_on_while_the_hub_is_made_anew(
    hub: Hub, its_proxy: subprocess.Popen[bytes]
) -> None:
    async with ApiServer().running() as api:
        user = {"name": "it", "user": {}}
        cluster = {"name": "it", "cluster": {"server": api.url}}
        context = {"name": "it", "context": {"cluster": "it", "user": "it"}}
        config = {"clusters": [cluster], "contexts": [context], "users": [user]}
        text = yaml.safe_dump({**config, "current-context": "it", "kind": "Config"})
        (hub.directory / "kubeconfig").write_text(text)
        await asyncio.to_thread(goes_on, hub, its_proxy)
