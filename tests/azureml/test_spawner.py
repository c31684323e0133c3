"""Servers on compute instances: a real hub, agent and single-user server, a simulated workspace."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from greyhub.conformance.testkit.azureml import Simulator
from greyhub.hub_database import HubDatabase
from greyhub.starts.summary import summary
from tests.azureml.hubs import hub_on
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.waiting import MINUTE, until

pytestmark = pytest.mark.processes


class Platform:
    """A hub, and the instances of its users as they are, whatever the hub says."""

    def __init__(self, azure: Simulator, hub: Hub) -> None:
        self.azure, self.hub = azure, hub

    def instances(self, user: str) -> list[str]:
        tags = self.azure.tags()
        return [name for name, each in tags.items() if each.get("greyhub-user") == user]

    def state(self, user: str) -> str | None:
        names = self.instances(user)
        assert len(names) < 2
        return self.azure.state(names[0]) if names else "gone"

    def pids(self, user: str) -> list[int]:
        alive = self.azure.instances()
        return [pid for name in self.instances(user) for pid in alive[name]]

    def server(self, user: str) -> int:
        """The process of the single-user server."""
        [found] = [
            pid
            for pid in self.pids(user)
            if b"greyhub.singleuser" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        return found

    def variable(self, user: str, name: str) -> str:
        """A variable of the server, as its process has it."""
        environment = Path(f"/proc/{self.server(user)}/environ").read_text().split("\0")
        return dict(each.partition("=")[::2] for each in environment)[name]

    def token(self, user: str) -> str:
        return self.variable(user, "JUPYTERHUB_API_TOKEN")

    def answers(self, user: str) -> bool:
        try:
            return self.hub.answers(user)
        except requests.RequestException:
            return False

    def refusal(self, user: str) -> str:
        """Why a user's server does not start."""
        if user not in [each["name"] for each in self.hub.api("GET", "users")]:
            self.hub.api("POST", f"users/{user}")
        before = len(self.hub.log.read_text())
        answer = requests.post(
            f"{self.hub.url}hub/api/users/{user}/server",
            headers={"Authorization": f"token {self.hub.token}"},
            timeout=2 * MINUTE,
        )
        until(lambda: self.hub.server(user) is None, 60, "the end of the start")
        said = answer.json()["message"] if answer.status_code >= 400 else ""
        return str(said or self.hub.log.read_text()[before:])


@contextmanager
def a_platform(azure: Simulator, directory: Path, config: str = "") -> Iterator[Platform]:
    hub = hub_on(azure, directory, config)
    try:
        yield Platform(azure, hub.start())
    finally:
        hub.end()


@pytest.fixture
def platform(directory: Path) -> Iterator[Platform]:
    with Simulator() as azure, a_platform(azure, directory) as made:
        yield made


@pytest.fixture(scope="module")
def shared(make_directory: Path) -> Iterator[Platform]:
    """One for tests that neither stop the hub nor count requests."""
    with Simulator() as azure, a_platform(azure, make_directory) as made:
        yield made


@pytest.fixture(scope="module")
def make_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("azureml")


def test_server_starts_stops_and_starts_on_the_same_machine(platform: Platform) -> None:
    azure, hub = platform.azure, platform.hub
    hub.spawn("ada")
    assert hub.answers("ada")
    names, token = platform.instances("ada"), platform.token("ada")
    assert platform.variable("ada", "JUPYTERHUB_API_URL") == f"{hub.url}hub/api"
    hub.stop_server("ada")
    assert (platform.state("ada"), platform.pids("ada")) == ("Stopped", [])
    hub.spawn("ada")
    assert hub.answers("ada")
    assert platform.instances("ada") == names
    acts = [each.method + each.path.rpartition(names[0])[2] for each in azure.requests]
    assert (acts.count("PUT"), acts.count("POST/start"), acts.count("POST/stop")) == (1, 1, 1)
    assert not azure.violations
    (cold, warm) = summary(
        HubDatabase(f"sqlite:///{hub.state}/hub/jupyterhub.sqlite").starts()
    ).started
    assert [(each.start, each.count) for each in (cold, warm)] == [("cold", 1), ("warm", 1)]
    assert cold.phases["machine"] > 0 < warm.phases["machine"]
    assert (hub.state / "hub/azureml-id").exists()
    # Nothing secret has gone through Azure.
    said = json.dumps([[each.path, str(each.body), str(each.answer)] for each in azure.requests])
    secrets = [token, platform.token("ada"), (hub.state / "hub/cookie_secret").read_text().strip()]
    assert all(secrets)
    assert not [each for each in secrets if each in said]


def test_server_goes_on_while_the_hub_is_killed_and_started(platform: Platform) -> None:
    hub = platform.hub
    hub.spawn("ada")
    token = platform.token("ada")
    hub.stop(signal.SIGKILL)
    hub.start()
    until(lambda: platform.answers("ada"), what="the server's answer")
    assert platform.token("ada") == token
    hub.stop_server("ada")
    assert (platform.state("ada"), platform.pids("ada")) == ("Stopped", [])


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["made", "set up"])
def test_a_hub_killed_while_it_starts_a_server_leaves_nothing(
    platform: Platform, moment: str
) -> None:
    azure, hub = platform.azure, platform.hub
    azure.cloud.times.create = 1.0
    hub.api("POST", "users/ada")
    hub.api("POST", "users/ada/server")
    until(lambda: platform.instances("ada"), what="the instance")
    if moment == "set up":
        until(lambda: platform.pids("ada"), what="the machine")
    hub.stop(signal.SIGKILL)
    hub.start()
    hub.spawn("ada")
    assert hub.answers("ada")
    assert len(platform.instances("ada")) == 1
    hub.stop_server("ada")
    assert (platform.state("ada"), platform.pids("ada")) == ("Stopped", [])


def test_an_outage_costs_no_server(shared: Platform) -> None:
    shared.hub.spawn("bob")
    fault = shared.azure.fault("unavailable", times=100)
    until(lambda: fault.hits > 3, 120, "questions that are not answered")
    assert shared.hub.server("bob")
    shared.azure.heal()
    assert shared.hub.answers("bob")


REFUSALS = [
    ("quota", "quota"),
    ("policy", "policy"),
    ("forbidden", "right"),
    ("size", "size"),
]


@pytest.mark.parametrize(("fault", "said"), REFUSALS)
def test_what_azure_refuses_is_said_in_words(shared: Platform, fault: str, said: str) -> None:
    shared.azure.fault(fault, method="PUT")
    why = shared.refusal(fault)
    assert said in why
    assert "fix:" in why
    assert not shared.instances(fault)


@pytest.mark.parametrize("state", ["CreateFailed", "SetupFailed", "UserSetupFailed", "Unusable"])
def test_a_machine_that_fails_is_told_of_and_not_left(shared: Platform, state: str) -> None:
    user = state.lower()
    shared.azure.fail_next("create", state)
    assert "fix:" in shared.refusal(user)
    until(lambda: not shared.instances(user), what="the end of the machine")


def test_a_machine_that_dies_is_seen_and_replaced_if_that_is_said(
    directory: Path,
) -> None:
    replace = "c.AzureMLSpawner.replace_failed = True"
    with Simulator() as azure, a_platform(azure, directory, replace) as platform:
        hub = platform.hub
        hub.spawn("ada")
        [name] = platform.instances("ada")
        azure.kill(name)
        until(lambda: hub.server("ada") is None, 60, "the hub's notice")
        hub.spawn("ada")
        assert hub.answers("ada")
        assert len(platform.instances("ada")) == 1


def test_a_server_that_ends_takes_its_machine_along(shared: Platform) -> None:
    shared.hub.spawn("carol")
    os.kill(shared.server("carol"), signal.SIGKILL)
    until(lambda: shared.hub.server("carol") is None, 60, "the hub's notice")
    until(lambda: shared.state("carol") == "Stopped", 60, "the machine's end")


def test_an_agent_from_elsewhere_is_not_believed(directory: Path) -> None:
    elsewhere = 'c.AzureMLSpawner.server_networks = ["10.1.0.0/16"]\n'
    with Simulator() as azure, a_platform(azure, directory, elsewhere) as platform:
        why = platform.refusal("ada")
        assert "the agent asked from 127.0.0.1" in why
        assert "fix:" in why
        until(lambda: platform.state("ada") == "gone", what="the machine's end")


@pytest.mark.slow
def test_an_instance_of_others_is_left_alone(directory: Path) -> None:
    with Simulator() as azure, a_platform(azure, directory / "one") as first:
        first.hub.spawn("ada")
        [name] = azure.instances()
        with a_platform(azure, directory / "two") as second:
            second.hub.spawn("ada")
            assert len(azure.instances()) == 2
            second.hub.stop_server("ada")
            assert azure.state(name) == "Running"
            assert first.hub.answers("ada")


@pytest.mark.slow
def test_a_lost_database_leaves_no_machine_running(platform: Platform) -> None:
    hub = platform.hub
    hub.spawn("ada")
    hub.stop(signal.SIGKILL)
    (hub.state / "hub/jupyterhub.sqlite").unlink()
    hub.start()
    hub.api("POST", "users/bob")
    until(lambda: platform.state("ada") == "Stopped", 60, "the end of the forgotten machine")
    hub.spawn("ada")  # the machine's keys are lost with the database
    assert hub.answers("ada")
    assert len(platform.instances("ada")) == 1


PROFILES = """
c.SpawnerAdapter.profiles = [
    {"name": "small", "machine": "Standard_DS1_v2", "default": True},
    {"name": "large", "machine": "Standard_DS3_v2"},
]
"""


@pytest.mark.slow
def test_another_size_is_another_machine_if_nothing_is_lost(directory: Path) -> None:
    with Simulator() as azure, a_platform(azure, directory, PROFILES) as platform:
        hub = platform.hub
        hub.spawn("ada")
        assert azure.sizes() == ["Standard_DS1_v2"]
        hub.stop_server("ada")
        hub.api("POST", "users/ada/server", json={"profile": "large"})
        hub.spawn("ada")
        assert hub.answers("ada")
        assert azure.sizes() == ["Standard_DS3_v2"]
        azure.set_state(*platform.instances("ada"), "Stopped")  # nobody knows what it had saved
        until(lambda: hub.server("ada") is None, 60, "the hub's notice")
        answer = requests.post(
            f"{hub.url}hub/api/users/ada/server",
            headers={"Authorization": f"token {hub.token}"},
            json={"profile": "small"},
            timeout=2 * MINUTE,
        )
        assert "had not ended in order" in answer.text
        assert azure.sizes() == ["Standard_DS3_v2"]


@pytest.mark.slow
def test_a_server_that_the_proxy_cannot_reach_dials_out(directory: Path) -> None:
    tunnel = f"""
c.AzureMLSpawner.access = "tunnel"
c.AzureMLSpawner.server_networks = []
c.AzureMLSpawnerAdapter.tunnel_port = {free_port()}
"""
    with Simulator() as azure, a_platform(azure, directory, tunnel) as platform:
        hub = platform.hub
        hub.spawn("ada")
        assert hub.answers("ada")
        hub.stop(signal.SIGKILL)
        assert platform.answers("ada")  # by the proxy and the tunnel, which go on
        hub.start()
        until(lambda: platform.answers("ada"), what="the server's answer")
        hub.stop_server("ada")
        assert (platform.state("ada"), platform.pids("ada")) == ("Stopped", [])
