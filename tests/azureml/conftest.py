"""A workspace of Azure ML that the simulator serves, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from greyhub.azureml.settings import AzureML
from greyhub.azureml.workspace import Workspace
from greyhub.conformance.testkit.azureml import Simulator
from tests.azureml.hubs import settings_of
from tests.support.waiting import MINUTE


def settings_for(azure: Simulator, **options: Any) -> AzureML:
    """How a hub is told of the simulated workspace; its application has a secret."""
    quick = {"poll_interval": 0.05, "patience": MINUTE}
    return AzureML(**(settings_of(azure) | quick | options))


def instance(**more: Any) -> dict[str, Any]:
    """What is sent to make a compute instance; ``tags`` and ``vmSize`` may be given."""
    tags = more.pop("tags", {"greyhub-hub": "h", "greyhub-user": "ada", "greyhub-server": ""})
    return {
        "location": "westeurope",
        "tags": tags,
        "properties": {
            "computeType": "ComputeInstance",
            "properties": {"vmSize": "Standard_DS1_v2"} | more,
        },
    }


def asked(azure: Simulator, method: str, what: str = "") -> int:
    """How many requests of a method there were for paths that end so."""
    return sum(
        each.method == method and each.path.lower().endswith(what.lower())
        for each in azure.requests
    )


@pytest.fixture
def azure() -> Iterator[Simulator]:
    """The simulator."""
    with Simulator(isolate=False) as started:
        yield started


@pytest.fixture
async def workspace(azure: Simulator) -> AsyncIterator[Workspace]:
    """A client of its workspace."""
    made = Workspace(settings_for(azure))
    yield made
    await made.close()
