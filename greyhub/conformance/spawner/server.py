"""One server on one hub, started, polled and stopped as the hub does it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from greyhub.conformance.case import Broken
from greyhub.conformance.record import shorten
from greyhub.conformance.spawner.backend import BackendCase, Call
from greyhub.conformance.spawner.suite import Running
from greyhub.conformance.testkit.hub import Hub


class Server:
    """One user's server on one hub, driven as the hub drives it."""

    def __init__(self, case: BackendCase, hub: Hub, user: str, name: str) -> None:
        self.case, self.hub, self.user, self.name = case, hub, user, name
        self.round = 0

    def __str__(self) -> str:
        return f"{self.user}/{self.name}"

    @property
    def spawner(self) -> Any:
        """The hub's own spawner object; call it in the hub's loop, as `ask` and `do` do."""
        return self.hub.run(self.make)

    def make(self) -> Any:
        """The hub's own spawner object, to be called in the hub's loop."""
        user = self.hub.app.users[self.user]
        make = getattr(user, "get_or_create_spawner", None)
        return make(self.name, "") if make else user.get_spawner(self.name)

    def fresh(self) -> Any:
        """A new spawner object, as a new process makes it; to be called in the hub's loop."""
        self.make()
        return self.hub.app.users[self.user]._new_spawner(self.name)

    def look(self, name: str) -> Any:
        """An attribute of the spawner."""
        return self.hub.run(lambda: getattr(self.make(), name))

    @property
    def ready(self) -> bool:
        """Whether the hub holds it for up."""
        return bool(self.look("ready"))

    @property
    def pending(self) -> bool:
        """Whether the hub waits for its start or its stop."""
        return bool(self.look("pending"))

    @property
    def active(self) -> bool:
        """Whether the hub holds it for up, or is about it."""
        return bool(self.look("active"))

    def set_environment(self, **environment: str) -> None:
        """Give its next start more variables."""

        def add() -> None:
            spawner = self.make()
            spawner.environment = {**spawner.environment, **environment}

        self.hub.run(add)

    def do_before_start(self, hook: Callable[[Any], None]) -> None:
        """Call a function with the spawner before its next start."""
        self.hub.run(lambda: setattr(self.make(), "pre_spawn_hook", hook))

    def hold_start(self) -> None:
        """Let the hub never hear that its next start() has ended."""

        def hold() -> None:
            spawner = self.make()
            start = spawner.start

            async def held() -> None:
                await start()
                await asyncio.Event().wait()

            spawner.start = held

        self.hub.run(hold)

    def tell(self, words: str, **environment: str) -> None:
        """Give the suite's own server its words; see `probe`."""
        self.case.probing()
        self.case.did(f"{self}: its server will be {words}")

        self.set_environment(PROBE=words, **environment)

    def do(self, method: str, *args: Any) -> Any:
        """Call a method that is not asynchronous, in the hub's loop; what it answers."""
        self.case.did(f"{self}: {method}({', '.join(map(shorten, args))})")
        return self.hub.run(lambda: getattr(self.make(), method)(*args))

    def ask(self, method: str, *args: Any, timeout: float = 10.0, **kwargs: Any) -> Any:
        """Call a method of the spawner in the hub's loop; what it answers."""
        call = self.submit(method, *args, **kwargs)
        return self.case.wait_for(call, timeout, f"{method}() did not return").result()

    def submit(self, method: str, *args: Any, **kwargs: Any) -> Call:
        """Call a method of the spawner in the hub's loop, and do not wait."""
        self.case.did(f"{self}: {method}({', '.join([*map(repr, args), *kwargs])})")
        spawner = self.spawner
        return self.hub.submit(lambda: getattr(spawner, method)(*args, **kwargs))

    def poll(self) -> Any:
        """What poll() answers."""
        return self.ask("poll")

    def start(self, options: Mapping[str, Any] | None = None) -> Any:
        """Start it as the hub does, and wait until it answers; a failure breaks the promise."""
        return self.started(self.starting(options))

    def started(self, start: Call, seconds: float = 30) -> Any:
        """Wait for a start that was begun; a failure breaks the promise."""
        self.case.wait_for(start, seconds, f"the start of {self} did not end")
        try:
            return start.result()
        except Exception as error:
            told = getattr(error, "jupyterhub_message", "") or shorten(str(error))
            told += unawaited("start", *(a.value for a in self.case.answers if a.name == "start"))
            raise Broken(f"{self} did not start: {type(error).__name__}: {told}") from error

    def starting(self, options: Mapping[str, Any] | None = None) -> Call:
        """Start it as the hub does, and do not wait; the future ends with the start."""
        self.case.did(f"{self}: the hub starts it" + (f" with {options}" if options else ""))
        user = self.hub.app.users
        return self.hub.submit(lambda: user[self.user].spawn(self.name, options=options))

    def outcome(self, options: Mapping[str, Any] | None = None) -> BaseException | None:
        """Start it, and wait: what the start raised, or None."""
        start = self.case.wait_for(self.starting(options), 20, f"the start of {self} did not end")
        return start.exception()

    def fails_to_start(self, why: str) -> BaseException:
        """Start it, which cannot succeed; the error. The promise is broken if it does."""
        error = self.outcome()
        if error is None:
            raise Broken(f"{self} was started, but {why}{self._unmarked('PROBE')}")
        return error

    def fails(self, method: str, timeout: float = 10.0) -> bool:
        """Whether a method of the spawner raises."""
        call = self.submit(method)
        self.case.wait_for(call, timeout, f"{method}() neither returned nor raised")
        return call.exception() is not None

    def stop(self, tolerant: bool = False) -> None:
        """Stop it as the hub does, and wait; `tolerant` of what it raises."""
        self.case.did(f"{self}: the hub stops it")
        user = self.hub.app.users
        stop = self.hub.submit(lambda: user[self.user].stop(self.name))
        error = self.case.wait_for(stop, 20, f"the stop of {self} did not end").exception()
        if error is not None and not tolerant:
            raise error

    def kill(self) -> None:
        """End it behind the adapter's back, and wait until it is gone."""
        for server in self.case.alive():
            self.case.did(f"{self}: its server is killed")
            self.case.hook("kill", server)
        self.case.until(lambda: not self.case.alive(), 5, "the server survived kill()")

    def delete_forever(self) -> None:
        """Delete it for ever, as the hub does, whether the method is synchronous or not."""
        self.ask("delete_forever")

    def renamed(self, name: str) -> None:
        """Let the hub know it by another name."""

        def rename() -> None:
            user = self.hub.app.users[self.user]
            user.spawners.pop(self.name, None)
            user.orm_user.orm_spawners[self.name].name = name
            self.hub.app.db.commit()

        self.hub.run(rename)
        self.name = name

    @property
    def token(self) -> str:
        """The token that the hub has given it."""
        return str(self.hub.run(lambda: self.make().api_token))

    @property
    def url(self) -> str:
        """Its address, as the hub has it."""
        return str(self.hub.run(lambda: self.make().server.url))

    def running(self) -> list[Running]:
        """What exists in the backend of this user, server and hub."""
        return [each for each in self.case.alive() if self._is_mine(each)]

    def _is_mine(self, server: Running) -> bool:
        env = self.environment(server)
        return (
            env.get("JUPYTERHUB_USER") == self.user
            and env.get("JUPYTERHUB_SERVER_NAME", "") == self.name
            and f":{self.hub.port}/" in env.get("JUPYTERHUB_API_URL", "")
        )

    def _unmarked(self, *names: str) -> str:
        """What the servers in the backend lack of the hub's environment, if they lack some."""
        if not self.case.suite.has("environment"):
            return ""
        wanted = (*names, "JUPYTERHUB_USER", "JUPYTERHUB_API_URL")
        for server in self.case.alive():
            lacks = [name for name in wanted if name not in self.environment(server)]
            if lacks:
                return (
                    f": in the environment of {server.id} there is no {' and no '.join(lacks)}; "
                    "does start() hand on what get_env() gives?"
                )
        return ""

    def environment(self, server: Running | None = None) -> dict[str, str]:
        """The environment of a server in the backend, by default of the only one."""
        if server is None:
            found = self.running()
            why = "" if found else self._unmarked()
            self.case.require(len(found) == 1, f"{self} has {len(found)} servers, not one{why}")
            server = found[0]
        return dict(self.case.hook("environment", server, quietly=True))


def unawaited(name: str, *values: object) -> str:
    """What to say of a method whose last answer is what it should have awaited; or nothing."""
    if values and inspect.isawaitable(values[-1]):
        return f": {name}() returned what it should have awaited, an await is missing in it"
    return ""
