"""A dask-gateway's own server for the tests of a module."""

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
