"""What a clause of the spawner slot is given: hubs, servers, and eyes on the backend."""

from __future__ import annotations

import concurrent.futures
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greyhub.conformance.case import Case, Unproven
from greyhub.conformance.means.hub import Hub
from greyhub.conformance.means.logs import Listener
from greyhub.conformance.means.recorder import Answer, recorded

if TYPE_CHECKING:
    from greyhub.conformance.spawner.suite import Running

PROBE = Path(__file__).with_name("probe.py")

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


class SpawnerCase(Case):
    """One clause's hubs and servers."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.answers: list[Answer] = []
        self.log = self.enter(Listener())

    # hubs and servers

    def hub(self, name: str = "one", **options: Mapping[str, Any]) -> Hub:
        """A hub with the adapter, started; `options` by section come before the author's."""
        config: dict[str, dict[str, Any]] = {
            "JupyterHub": {
                "spawner_class": self.adapter,
                "authenticator_class": "dummy",
                "tornado_settings": {"slow_spawn_timeout": 0, "slow_stop_timeout": 0},
            },
            "Spawner": {
                "cmd": [sys.executable, "-I", "-S", str(PROBE)],
                "start_timeout": 8 * self.patience,
                "http_timeout": 8 * self.patience,
                "poll_interval": 0,
            },
        }
        directory = self.directory / name
        for more in (options, self.suite.hub_options(name, str(directory))):  # type: ignore[attr-defined]
            for section, values in more.items():
                config.setdefault(section, {}).update(values)
        directory.mkdir(exist_ok=True)
        hub = Hub(directory, config)
        self.finally_(hub.__exit__)
        return hub.start()

    @property
    def adapter(self) -> type:
        """The Spawner class, made to note its answers."""
        subject = self.suite.subject()
        quiet = [name for name in METHODS if name not in LOUD]
        silent = recorded(subject, quiet, self.story, self.answers, quiet=True)
        return recorded(silent, LOUD, self.story, self.answers)

    def server(self, hub: Hub, user: str = "ada", name: str = "") -> Server:
        """A server of a user, not started."""
        hub.add_user(user)
        return Server(self, hub, user, name)

    def started(
        self, hub: Hub, user: str = "ada", name: str = "", options: Mapping[str, Any] | None = None
    ) -> Server:
        """A server that runs: a start that fails breaks the promise of the clause."""
        server = self.server(hub, user, name)
        server.start(options)
        return server

    def probing(self) -> None:
        """The clause needs a server that misbehaves when told: one of the suite's own."""
        if not self.suite.probe:  # type: ignore[attr-defined]
            raise Unproven("the servers do not run the suite's own command (probe = False)")

    # the backend

    def alive(self) -> list[Running]:
        """All servers in the backend."""
        return list(self.hook("alive"))

    def fault(self, kind: str, moment: str = "any", **how: Any) -> AbstractContextManager[Any]:
        """Break the backend while a block lasts; see the suite's `fault`."""
        self.did(f"the backend: {kind} ({moment})")
        broken: AbstractContextManager[Any] = self.hook("fault", kind, moment, **how)
        return broken

    def nothing_left(self, otherwise: str, seconds: float = 5.0) -> None:
        """The promise is broken unless the backend is, or becomes, empty."""
        self.until(lambda: not self.alive(), seconds, f"{otherwise}: it was not gone")


class Server:
    """One user's server on one hub, driven as the hub drives it."""

    def __init__(self, case: SpawnerCase, hub: Hub, user: str, name: str) -> None:
        self.case, self.hub, self.user, self.name = case, hub, user, name

    def __str__(self) -> str:
        return f"{self.user}/{self.name}"

    @property
    def spawner(self) -> Any:
        """The hub's own spawner object; call it through `ask`."""
        return self.hub.run(self._spawner)

    def _spawner(self) -> Any:
        user = self.hub.app.users[self.user]
        make = getattr(user, "get_or_create_spawner", None)
        return make(self.name, self.name) if make else user.get_spawner(self.name)

    def ask(self, method: str, *args: Any, timeout: float = 10.0, **kwargs: Any) -> Any:
        """Call a method of the spawner in the hub's loop; what it answers."""
        return self.submit(method, *args, **kwargs).result(timeout * self.case.patience)

    def submit(self, method: str, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        """Call a method of the spawner in the hub's loop, and do not wait."""
        self.case.did(f"{self}: {method}({', '.join([*map(repr, args), *kwargs])})")
        spawner = self.spawner
        return self.hub.submit(lambda: getattr(spawner, method)(*args, **kwargs))

    def poll(self) -> Any:
        """What poll() answers."""
        return self.ask("poll")

    def start(self, options: Mapping[str, Any] | None = None) -> Any:
        """Start it as the hub does, and wait until it answers."""
        return self.starting(options).result(30 * self.case.patience)

    def starting(self, options: Mapping[str, Any] | None = None) -> concurrent.futures.Future[Any]:
        """Start it as the hub does, and do not wait; the future ends with the start."""
        self.case.did(f"{self}: the hub starts it" + (f" with {options}" if options else ""))
        user = self.hub.app.users
        return self.hub.submit(lambda: user[self.user].spawn(self.name, options=options))

    def stop(self) -> None:
        """Stop it as the hub does, and wait."""
        self.case.did(f"{self}: the hub stops it")
        self.hub.run(lambda: self.hub.app.users[self.user].stop(self.name))

    @property
    def token(self) -> str:
        """The token that the hub has given it."""
        return str(self.hub.run(lambda: self._spawner().api_token))

    @property
    def url(self) -> str:
        """Its address, as the hub has it."""
        return str(self.hub.run(lambda: self._spawner().server.url))

    def running(self) -> list[Running]:
        """What exists in the backend of this user, server and hub."""
        return [each for each in self.case.alive() if self._is_mine(each)]

    def _is_mine(self, server: Running) -> bool:
        env = self.environment(server)
        return (
            env.get("JUPYTERHUB_USER") == self.user
            and env.get("JUPYTERHUB_SERVER_NAME", "") == self.name
            and env.get("JUPYTERHUB_API_URL", "").startswith(self.hub.url)
        )

    def environment(self, server: Running | None = None) -> dict[str, str]:
        """The environment of a server in the backend, by default of the only one."""
        if server is None:
            found = self.running()
            self.case.require(len(found) == 1, f"{self} has {len(found)} servers, not one")
            server = found[0]
        return dict(self.case.hook("environment", server))
