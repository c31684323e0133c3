"""Fixtures for a backend of pods: `server`, an API server, and `broker`, which makes backends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from dask_gateway_server.backends.db_base import DataManager

from greyhub.broker import pods
from greyhub.broker.pods import PodBackend
from greyhub.kubernetes import objects
from tests.support.api_server import ApiServer


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer().running() as made:
        yield made


@pytest.fixture
async def broker(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Awaitable[PodBackend]]]:
    """Makes a broker's backend; each is one life of it, with the same database."""
    monkeypatch.setattr(pods, "connected", server.connected)
    for module in (pods, objects):
        monkeypatch.setattr(module, "SHORT", 0.1)
    data = DataManager()
    async with AsyncExitStack() as stack:

        async def make(**options: Any) -> PodBackend:
            options = {"hub_id": "one", "namespace": "n", "patience": 0.1} | options
            made = PodBackend(api_url="http://broker/api", **options)
            made.db = data
            await made.do_setup()
            stack.push_async_callback(made.do_cleanup)
            return made

        yield make
