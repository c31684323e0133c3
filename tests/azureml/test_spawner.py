"""Servers on compute instances: a real hub, agent and single-user server, a simulated workspace."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from greyhub.conformance.testkit.azureml import Simulator
from tests.azureml.hubs import hub_on
from tests.support.hubs import Hub
from tests.support.waiting import MINUTE, until

pytestmark = pytest.mark.processes


@pytest.fixture
def azure() -> Iterator[Simulator]:
    with Simulator() as started:
        yield started


@pytest.fixture
def hub(azure: Simulator, directory: Path) -> Iterator[Hub]:
    made = hub_on(azure, directory)
    try:
        yield made.start()
    finally:
        made.end()


def asked(azure: Simulator, method: str, ending: str = "") -> int:
    return sum(
        each.method == method and "/computes/" in each.path and each.path.endswith(ending)
        for each in azure.requests
    )


def states(azure: Simulator) -> list[str | None]:
    return [azure.state(name) for name in azure.instances()]


def lives(azure: Simulator) -> int:
    return sum(map(len, azure.instances().values()))


def test_server_starts_stops_and_starts_on_the_same_machine(azure: Simulator, hub: Hub) -> None:
    hub.spawn("ada")
    assert hub.answers("ada")
    [name] = azure.instances()
    hub.stop_server("ada")
    assert states(azure) == ["Stopped"]
    assert lives(azure) == 0
    hub.spawn("ada")
    assert hub.answers("ada")
    assert list(azure.instances()) == [name]
    assert (asked(azure, "PUT"), asked(azure, "POST", "/start")) == (1, 1)
    assert not azure.violations


def test_nothing_secret_goes_through_azure(azure: Simulator, hub: Hub) -> None:
    hub.spawn("ada")
    token = tokens_of(hub, azure)
    said = json.dumps([[each.path, str(each.body), str(each.answer)] for each in azure.requests])
    assert token
    assert token not in said
    for file in ("cookie_secret",):
        assert (hub.state / "hub" / file).read_text().strip() not in said


def tokens_of(hub: Hub, azure: Simulator) -> str:
    """The token that ada's server has, as its process has it."""
    for pids in azure.instances().values():
        for pid in pids:
            for each in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                if each.startswith(b"JUPYTERHUB_API_TOKEN="):
                    return each.partition(b"=")[2].decode()
    return ""


def test_server_goes_on_while_the_hub_is_killed_and_started(azure: Simulator, hub: Hub) -> None:
    hub.spawn("ada")
    token = tokens_of(hub, azure)
    hub.stop(signal.SIGKILL)
    hub.start()
    until(lambda: answers(hub), what="the server's answer")
    assert tokens_of(hub, azure) == token
    hub.stop_server("ada")
    assert states(azure) == ["Stopped"]


def answers(hub: Hub) -> bool:
    try:
        return hub.answers("ada")
    except requests.RequestException:
        return False


@pytest.mark.parametrize("moment", ["PUT", "setup"])
def test_a_hub_killed_while_it_starts_a_server_leaves_nothing(
    azure: Simulator, hub: Hub, moment: str
) -> None:
    azure.cloud.times.create = 1.0
    hub.api("POST", "users/ada")
    hub.api("POST", "users/ada/server")
    until(lambda: azure.instances(), what="the instance")
    if moment == "setup":
        until(lambda: lives(azure), what="the machine")
    hub.stop(signal.SIGKILL)
    hub.start()
    hub.spawn("ada")
    assert hub.answers("ada")
    assert len(azure.instances()) == 1
    hub.stop_server("ada")
    assert (states(azure), lives(azure)) == (["Stopped"], 0)


def test_an_outage_costs_no_server(azure: Simulator, hub: Hub) -> None:
    hub.spawn("ada")
    fault = azure.fault("unavailable", times=100)
    until(lambda: fault.hits > 5, 120, "questions that are not answered")
    assert hub.server("ada")
    azure.heal()
    assert hub.answers("ada")


@pytest.mark.parametrize(
    ("fault", "said"),
    [("quota", "quota"), ("policy", "policy"), ("forbidden", "right"), ("size", "size")],
)
def test_what_azure_refuses_is_said_in_words(
    azure: Simulator, hub: Hub, fault: str, said: str
) -> None:
    azure.fault(fault, method="PUT")
    hub.api("POST", "users/ada")
    why = refusal(hub)
    assert said in why
    assert "fix:" in why
    assert not azure.instances()


def refusal(hub: Hub) -> str:
    """Why ada's server does not start, as its page says."""
    answer = requests.post(
        f"{hub.url}hub/api/users/ada/server",
        headers={"Authorization": f"token {hub.token}"},
        timeout=2 * MINUTE,
    )
    if answer.status_code >= 400:
        return str(answer.json()["message"])

    def ended() -> str:
        return "".join(
            line
            for line in hub.log.read_text().splitlines(keepends=True)
            if "cannot be started" in line or "fix:" in line
        )

    until(lambda: hub.server("ada") is None, 60, "the end of the start")
    return ended()


@pytest.mark.parametrize("state", ["CreateFailed", "SetupFailed", "UserSetupFailed", "Unusable"])
def test_a_machine_that_fails_is_told_of_and_not_left(
    azure: Simulator, hub: Hub, state: str
) -> None:
    azure.fail_next("create", state)
    hub.api("POST", "users/ada")
    why = refusal(hub)
    assert "fix:" in why
    until(lambda: not azure.instances(), what="the end of the machine")
    hub.spawn("ada")
    assert hub.answers("ada")


def test_a_machine_that_dies_is_seen(azure: Simulator, hub: Hub) -> None:
    hub.spawn("ada")
    [name] = azure.instances()
    azure.kill(name)
    until(lambda: hub.server("ada") is None, 60, "the hub's notice")


def test_a_server_that_ends_takes_its_machine_along(azure: Simulator, hub: Hub) -> None:
    hub.spawn("ada")
    import os

    [pid] = [
        each
        for pids in azure.instances().values()
        for each in pids
        if b"greyhub.singleuser" in Path(f"/proc/{each}/cmdline").read_bytes()
    ]
    os.kill(pid, signal.SIGKILL)
    until(lambda: hub.server("ada") is None, 60, "the hub's notice")
    until(lambda: states(azure) == ["Stopped"], 60, "the machine's end")


def test_an_instance_of_others_is_left_alone(azure: Simulator, directory: Path) -> None:
    first = hub_on(azure, directory / "one").start()
    try:
        first.spawn("ada")
        [name] = azure.instances()
        second = hub_on(azure, directory / "two").start()
        try:
            second.spawn("ada")
            assert len(azure.instances()) == 2
            second.stop_server("ada")
            assert azure.state(name) == "Running"
            assert first.answers("ada")
        finally:
            second.end()
    finally:
        first.end()


def test_a_lost_database_leaves_no_machine_running(azure: Simulator, hub: Hub) -> None:
    hub.spawn("ada")
    hub.stop(signal.SIGKILL)
    (hub.state / "hub/jupyterhub.sqlite").unlink()
    hub.start()
    hub.api("POST", "users/bob")
    until(lambda: states(azure) == ["Stopped"], 60, "the end of the forgotten machine")
    hub.spawn("ada")  # its keys are lost with the database
    assert hub.answers("ada")
    assert len(azure.instances()) == 1


def test_another_size_is_another_machine(azure: Simulator, directory: Path) -> None:
    profiles = (
        'c.SpawnerAdapter.profiles = [{"name": "small", "machine": "Standard_DS1_v2", '
        '"default": True}, {"name": "large", "machine": "Standard_DS3_v2"}]\n'
    )
    hub = hub_on(azure, directory, profiles).start()

    def size() -> Any:
        [only] = azure._computes.all.values()
        return only.properties["vmSize"]

    try:
        hub.spawn("ada")
        assert size() == "Standard_DS1_v2"
        hub.stop_server("ada")
        hub.api("POST", "users/ada/server", json={"profile": "large"})
        hub.spawn("ada")
        assert size() == "Standard_DS3_v2"
        assert hub.answers("ada")
    finally:
        hub.end()
