"""For the tests of a module: dask-gateway's own server; a simulated workspace, and a hub on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.strangers.gateway import Gateway


@pytest.fixture(scope="module")
def server() -> Iterator[Gateway]:
    running = Gateway()
    yield running
    running.close()


@pytest.fixture
def ticket(server: Gateway, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A ticket of the adapter ``gateway``, for ada."""
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    return {
        "address": server.url,
        "proxy_address": server.url.replace("http://", "gateway://"),
        "public_address": "",
        "auth": "basic",
        "broker": False,
        "options": {},
    }


@pytest.fixture(scope="module")
def azure() -> Iterator[Any]:
    """A workspace of Azure ML with an environment for Dask."""
    from greyhub.conformance.testkit.azureml import Simulator

    with Simulator(isolate=False) as started:
        started.add_environment("dask", "1", image="dask:1")
        yield started


@pytest.fixture(scope="module")
def hub(azure: Any) -> Iterator[Any]:
    """A hub whose clusters are jobs of that workspace; other modules have hubs of their own."""
    from tests.conftest import make_directory
    from tests.support.azureml_brokers import AzureHub

    found = AzureHub(azure, make_directory(), "c.AzureMLCluster.end_with_server = False\n")
    try:
        yield found.start()
    finally:
        found.end()
