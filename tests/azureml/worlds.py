"""A hub in this process, and instances with states and agents: no machine runs behind them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import requests
from jupyterhub.auth import DummyAuthenticator

from greyhub.conformance.testkit.azureml import Simulator
from greyhub.conformance.testkit.hub import Hub
from greyhub.rendezvous.handlers import ROUTE, RendezvousHandler
from greyhub.rendezvous.limits import Limit
from greyhub.rendezvous.service import this_hub
from greyhub.spawner_class import spawner_class
from greyhub.spawners.azureml_spawner import AzureMLSpawner
from greyhub.spawners.orphans import KnownServers
from tests.azureml.agents import Agents
from tests.azureml.hubs import settings_of
from tests.support.waiting import PATIENCE, until

EVER = 10_000.0
"""Seconds after which a late answer comes to nobody."""

Step = tuple[str, str]
"""A request: its method, and how its path ends."""


def ending(path: str) -> str:
    """The end of a path that matters, with any name for NAME."""
    return path.replace("NAME", "[^/]+") + "$"


class World:
    """A hub, its instances, and one user."""

    numbers = count()

    def __init__(self, azure: Simulator, agents: Agents, directory: Path) -> None:
        self.azure, self.agents, self.user = azure, agents, f"ada{next(self.numbers)}"
        self.hub = Hub(directory, config(azure, directory))

    def start_hub(self) -> None:
        self.hub.start()
        self.hub.run(quick)
        self.agents.new_hub()
        self.hub.add_user(self.user)

    def kill_hub(self) -> None:
        self.hub.crash()
        self.azure.heal()

    def api(self, method: str, path: str = "/server") -> None:
        """Ask the hub; it may be killed meanwhile."""

        def ask() -> None:
            with suppress(requests.RequestException):
                self.hub.api(method, f"/users/{self.user}{path}")

        threading.Thread(target=ask, daemon=True).start()

    def spawner(self) -> Any:
        return self.hub.app.users[self.user].spawner if self.user in self.hub.app.users else None

    def model(self) -> dict[str, Any] | None:
        """The hub's server, if it has one."""
        found = self.hub.api("GET", f"/users/{self.user}")
        return found.json()["servers"].get("") if found.ok else None

    def instances(self) -> list[str]:
        """The names of the user's instances."""
        tags = self.azure.tags()
        return [name for name, each in tags.items() if each["greyhub-user"] == self.user]

    def states(self) -> list[str | None]:
        return [self.azure.state(name) for name in self.instances()]

    def answers(self) -> bool:
        url = self.hub.orm_spawner(self.user)["url"]
        with suppress(requests.RequestException):
            return bool(url) and requests.get(f"{url}api", timeout=60).ok
        return False

    def agrees(self) -> bool:
        """Whether hub and Azure say the same: one that answers, or none that runs."""
        model, states = self.model(), self.states()
        assert len(states) < 2
        if model is None:
            return states in ([], ["Stopped"])
        return bool(model["ready"]) and states == ["Running"] and self.answers()

    def settle(self) -> None:
        """As a hub that has started does: find what it does not know, and agree."""
        until(lambda: (self.model() or {"ready": True})["ready"], what="the hub to know")
        self.hub.run(lambda: self.spawner().reap(KnownServers(self.hub.app)))
        until(self.agrees, what="hub and Azure to agree")

    def start(self) -> None:
        if self.model() is None:
            self.api("POST")
        until(lambda: (self.model() or {}).get("ready"), what="the server")
        assert self.answers()
        assert self.states() == ["Running"]

    def stop(self) -> None:
        self.api("DELETE")
        until(lambda: self.model() is None, what="the server's end")
        assert self.states() == ["Stopped"]

    def is_whole(self) -> None:
        """It starts, stops and is deleted as if nothing had happened."""
        self.settle()
        self.start()
        self.stop()
        self.api("DELETE", "")
        until(lambda: not self.instances(), what="the instance's end")
        assert not self.azure.overwritten
        assert not self.azure.violations

    def killed_at(self, step: Step, done: bool, act: Callable[[], None]) -> None:
        """Kill the hub at a request of something, and start it again."""
        method, path = step
        kind = "late" if done else "hang"
        fault = self.azure.fault(kind, method=method, path=ending(path), seconds=EVER)
        act()
        assert fault.hit.wait(20 * PATIENCE), step
        self.kill_hub()
        self.start_hub()


def config(azure: Simulator, directory: Path) -> dict[str, dict[str, Any]]:
    return {
        "JupyterHub": {
            "spawner_class": spawner_class(AzureMLSpawner),
            "authenticator_class": DummyAuthenticator,
            "tornado_settings": {"slow_spawn_timeout": 0, "slow_stop_timeout": 0},
            "init_spawners_timeout": 0,
            "extra_handlers": [(ROUTE, RendezvousHandler)],
        },
        "Spawner": {"poll_interval": 1, "start_timeout": int(30 * PATIENCE), "http_timeout": 5},
        "AzureML": {**settings_of(azure), "poll_interval": 0.05, "patience": 30 * PATIENCE},
        "AzureMLSpawner": {
            "state_dir": str(directory),
            "agent_account": "",
            "server_networks": ["127.0.0.0/8"],
            "machine_size": "Standard_DS1_v2",
        },
    }


def quick() -> None:
    """Answer agents at once, however often they ask."""
    this_hub().hold, this_hub().agents = 0.05, Limit(100_000, 60)
