"""The hub's half of ``cluster = "gateway"``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from greyhub.clusters.gateway import GatewayAdapter
from tests.checks.starting import forget, refusal, start, write
from tests.support.adapters import FakeHub, ticket
from tests.support.hubs import running
from tests.support.waiting import MINUTE

GATEWAY = 'c.GreyHub.cluster = "gateway"\n'
ADDRESS = GATEWAY + 'c.GatewayAdapter.address = "http://127.0.0.1:8001/services/dask-gateway"\n'
SCOPE = "access:services!service=dask-gateway"


@pytest.mark.parametrize(
    ("config", "option", "said"),
    [
        (GATEWAY, "address", "the dask-gateway's address is missing"),
        (GATEWAY + 'c.GatewayAdapter.address = "gateway:8001"', "address", "is no URL"),
        (GATEWAY + 'c.GatewayAdapter.address = "http://h:port"', "address", "'port' for a port"),
        (ADDRESS + 'c.GatewayAdapter.proxy_address = "h:8786"', "proxy_address", "is no URL"),
        (ADDRESS + 'c.GatewayAdapter.public_address = "dask"', "public_address", "is no URL"),
        (
            ADDRESS + 'c.GreyHub.spawner = "kubernetes"\nc.GreyHub.homespace = None\n'
            'c.GreyHub.data = None\nc.GreyHub.auth = "dummy"',
            "address",
            "is loopback, and servers run elsewhere",
        ),
    ],
)
def test_what_is_no_address_is_refused(config: str, option: str, said: str, tmp_path: Path) -> None:
    told = refusal(write(tmp_path, config))
    assert f"c.GatewayAdapter.{option}: " in told
    assert said in told
    assert "fix: " in told


@pytest.mark.parametrize("role", ["user", "server"])
def test_a_role_of_the_administrators_without_the_access_is_refused(
    role: str, tmp_path: Path
) -> None:
    config = ADDRESS + 'c.GatewayAdapter.service = "dask-gateway"\n'
    config += f'c.JupyterHub.load_roles = [{{"name": "{role}", "scopes": [%s]}}]'
    said = refusal(write(tmp_path, config % '"self"'))
    assert f"c.JupyterHub.load_roles: the role {role!r} does not let" in said
    assert f"add '{SCOPE}' to the role's scopes" in said
    start(write(tmp_path, config % f'"self", "{SCOPE}"'))
    forget()


def test_a_ticket_has_the_addresses_and_the_options(tmp_path: Path) -> None:
    adapter = GatewayAdapter(parent=FakeHub.at(tmp_path))
    adapter.address, adapter.options = "http://gateway.dask", {"worker_cores": 2}
    assert ticket(adapter) == {
        "address": "http://gateway.dask",
        "proxy_address": "",
        "public_address": "",
        "auth": "jupyterhub",
        "broker": False,
        "options": {"worker_cores": 2},
    }


def test_variables_of_daskgateways_own_client(tmp_path: Path) -> None:
    adapter = GatewayAdapter(parent=FakeHub.at(tmp_path), address="http://gateway.dask")
    adapter.public_address, adapter.auth = "/services/dask-gateway", "basic"
    found = adapter.contribute()
    told = {name: value for name, value in found.environment.items() if "GATEWAY" in name}
    assert told == {
        "DASK_GATEWAY__ADDRESS": "http://gateway.dask",
        "DASK_GATEWAY__PUBLIC_ADDRESS": "{JUPYTERHUB_BASE_URL}services/dask-gateway",
        "DASK_GATEWAY__AUTH__TYPE": "basic",
        "DASK_GATEWAY__AUTH__KWARGS__USERNAME": "{JUPYTERHUB_USER}",
    }
    assert found.environment["DASK_LABEXTENSION__FACTORY__MODULE"] == "greyhub.clusters.lab"
    assert not found.roles


@pytest.fixture
def service() -> Iterator[str]:
    """The address of a service that answers, for which the hub waits as it starts."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.processes
def test_a_servers_token_may_use_the_service(directory: Path, service: str) -> None:
    config = ADDRESS + (
        'c.GatewayAdapter.service = "dask-gateway"\n'
        f'c.JupyterHub.services += [{{"name": "dask-gateway", "url": "{service}", '
        '"api_token": "a" * 32}]\n'
    )
    with running(directory, config) as hub:
        hub.spawn("ada")
        environment: dict[str, Any] = hub.environment("ada")
        reply = requests.get(
            f"{environment['JUPYTERHUB_API_URL']}/user",
            headers={"Authorization": f"token {environment['JUPYTERHUB_API_TOKEN']}"},
            timeout=MINUTE,
        )
    assert reply.json()["name"] == "ada"
    assert SCOPE in reply.json()["scopes"]
    assert environment["DASK_GATEWAY__ADDRESS"].endswith("/services/dask-gateway")
