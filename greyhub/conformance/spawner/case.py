"""What a clause of the spawner slot is given: hubs, and servers on them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyterhub.auth import DummyAuthenticator
from jupyterhub.utils import maybe_future

from greyhub.conformance.spawner.backend import BackendCase, Call
from greyhub.conformance.spawner.server import Server
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.recorder import recorded

PROBE = Path(__file__).with_name("probe.py")

RUN = "GREYHUB_CONFORMANCE"
"""The variable that marks the servers of a run: others on the same backend are not its own."""

METHODS = (
    "start",
    "stop",
    "poll",
    "get_url",
    "get_env",
    "get_state",
    "load_state",
    "clear_state",
    "delete_forever",
    "rename",
    "run_options_from_form",
)
"""The methods of a Spawner whose answers are noted."""

LOUD = ("start", "stop", "poll", "delete_forever", "rename", "run_options_from_form")


class SpawnerCase(BackendCase):
    """One clause's hubs and servers."""

    def hub(
        self,
        name: str = "one",
        *,
        spawner: Mapping[str, Any] | None = None,
        start: bool = True,
        **hub: Any,
    ) -> Hub:
        """A hub with the adapter, started.

        Parameters
        ----------
        name : str
            Stands for ``{hub}`` in the suite's config; the directory is named by it.
        spawner : mapping
            Options of the Spawner for this clause: they have the last word.
        **hub
            Options of JupyterHub.
        """
        directory = self.directory / name
        directory.mkdir(exist_ok=True)
        made = Hub(directory, self.config(name, directory, spawner or {}, hub))
        self.finally_(made.__exit__)
        if self.claims("persistent_home"):
            self.finally_(self._discard, made)
        return made.start() if start else made

    def _discard(self, hub: Hub) -> None:
        """Remove the storage of every server of a hub: it was made for the clause alone."""

        async def discard() -> None:
            for user in hub.app.users.values():
                for spawner in list(user.spawners.values()):
                    await maybe_future(spawner.delete_forever())

        if hub.running:
            with suppress(Exception):
                hub.run(discard, timeout=5 * self.patience)

    def config(
        self, name: str, directory: Path, spawner: Mapping[str, Any], hub: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """The options of one hub: the suite's own, the author's, the clause's."""
        patience = self.patience
        config: dict[str, dict[str, Any]] = {
            "JupyterHub": {
                "spawner_class": self.adapter,
                "authenticator_class": DummyAuthenticator,
                # The API answers at once, with 202, and the start goes on.
                "tornado_settings": {"slow_spawn_timeout": 0, "slow_stop_timeout": 0},
            },
            "Spawner": {
                "cmd": [sys.executable, "-I", "-S", str(PROBE)],
                "start_timeout": 8 * patience,
                "http_timeout": 8 * patience,
                "poll_interval": 0,
                "environment": {RUN: self.suite.run_id},
            },
        }
        for section, values in self.suite.proxied(hub=name, directory=str(directory)).items():
            before = config.setdefault(section, {})
            env = {**before.get("environment", {}), **values.get("environment", {})}
            before.update(values, **({"environment": env} if env else {}))
        own = config.setdefault(self.suite.subject().__name__, {})
        # Environments of several sections do not join by themselves: the last would stand alone.
        env = {**config["Spawner"]["environment"], **own.get("environment", {})}
        own.update(spawner, environment={**env, **spawner.get("environment", {})})
        for timeout in ("start_timeout", "http_timeout"):
            if timeout in spawner:
                own[timeout] = spawner[timeout] * patience
        config["JupyterHub"].update(hub)
        return config

    @property
    def adapter(self) -> type:
        """The Spawner class, made to note its answers."""
        subject = self.suite.subject()
        quiet = [name for name in METHODS if name not in LOUD]
        silent = recorded(subject, quiet, self.record, self.answers, quiet=True)
        return recorded(silent, LOUD, self.record, self.answers)

    @property
    def user(self) -> str:
        """A user's name: each clause has its own, since storage outlives clauses."""
        return f"ada{self.clause.id[-3:]}"

    def server(self, hub: Hub, user: str = "", name: str = "") -> Server:
        """A server of a user, not started."""
        user = user or self.user
        hub.add_user(user)
        return Server(self, hub, user, name)

    def started(
        self, hub: Hub, user: str = "", name: str = "", options: Mapping[str, Any] | None = None
    ) -> Server:
        """A server that runs: a start that fails breaks the promise of the clause."""
        server = self.server(hub, user, name)
        server.start(options)
        return server

    def pending(self, hub: Hub, user: str = "") -> tuple[Server, Call]:
        """A server whose start goes on for longer than a clause: it never listens."""
        server = self.server(hub, user)
        server.tell("mute")
        start = server.starting()
        self.until(
            lambda: start.done() or self.alive(), 6, "no server came into being after start()"
        )
        return server, start
