"""A workspace of Azure ML that the simulator serves, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from greyhub.azureml.settings import AzureML
from greyhub.azureml.workspace import Workspace
from greyhub.conformance.testkit.azureml import Simulator
from greyhub.conformance.testkit.azureml.state import Times
from greyhub.spawners import azureml_poll
from tests.azureml.agents import Agents
from tests.azureml.hubs import settings_of
from tests.azureml.worlds import World
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


@pytest.fixture
def seen_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed hub has asked for is shown at once here."""
    monkeypatch.setattr(azureml_poll, "SETTLING", 0.3)


@pytest.fixture(scope="module")
def states() -> Iterator[Simulator]:
    """A workspace whose instances have states, and no machines."""
    times = Times(create=0.05, start=0.05, stop=0.05, delete=0.05)
    with Simulator(times=times, machine=None) as made:
        yield made


@pytest.fixture(scope="module")
def agents(states: Simulator) -> Iterator[Agents]:
    """The agents of its instances."""
    with Agents(states) as made:
        yield made


@pytest.fixture
def world(states: Simulator, agents: Agents, tmp_path: Path, seen_soon: None) -> Iterator[World]:
    """A hub and one user of it."""
    made = World(states, agents, tmp_path)
    made.start_hub()
    try:
        yield made
    finally:
        states.heal()
        made.hub.__exit__()
