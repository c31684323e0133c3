"""A JupyterHub in this process that can be restarted and can crash, on one database file.

Each hub has an event loop of its own in a thread of its own, as a hub process
has: an adapter that blocks it stops that hub alone, and a crash is a loop that
never runs again, in which no ``finally`` has its turn.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import logging
import secrets
import shutil
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import requests
from jupyterhub import orm, roles
from jupyterhub.crypto import CryptKeeper
from jupyterhub.utils import maybe_future
from traitlets.config import Config

from greyhub import ports
from greyhub.conformance.limits import PATIENCE
from greyhub.conformance.testkit.hub_app import App, RouteTable, empty_database
from greyhub.conformance.testkit.loop_lag import LoopMonitor
from greyhub.conformance.testkit.reaper import adopt_children

_numbers = itertools.count(1)
_abandoned: list[object] = []
"""Crashed hubs: kept, so that no coroutine of theirs is ever closed."""


class HubFailed(Exception):
    """The hub itself could not be started."""


class Hub:
    """One hub on one database file.

    Parameters
    ----------
    directory : Path
        Holds the database; the hub's own.
    config : mapping
        Options by section, as in ``c.JupyterHub.option``. Nobody may log in
        unless they say so, as in any hub.
    """

    def __init__(self, directory: Path, config: dict[str, dict[str, Any]]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.config = directory, config
        self._held = ports.reserve()  # also while it is down: its servers know it by its port
        self.port: int = self._held.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = secrets.token_hex(16)
        self.cookie_secret = secrets.token_bytes(32)
        self.name = f"conformance-hub-{next(_numbers)}"
        self.log = logging.getLogger(self.name)
        self.log.setLevel(logging.DEBUG)
        self.log.addHandler(logging.NullHandler())
        self.app: Any = None
        self.lag: LoopMonitor
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        path = directory / "jupyterhub.sqlite"
        if not path.exists():
            shutil.copy(empty_database(), path)

    # its life

    @property
    def running(self) -> bool:
        """Whether it was started, and neither stopped nor crashed."""
        return self._loop is not None

    def start(self, timeout: float = 30 * PATIENCE) -> Hub:
        """Start it and wait until it serves. Servers of an earlier life are found again."""
        # A new process has read no keys yet.
        CryptKeeper.clear_instance()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name=self.name, daemon=True)
        self._thread.start()
        self.lag = LoopMonitor(self._loop, self._thread)
        try:
            self._await(self._begin(), timeout)
        except BaseException:
            self._end()
            raise
        return self

    def stop(self, timeout: float = 15 * PATIENCE) -> None:
        """End it as SIGTERM does; the servers stay."""
        if self.running:
            try:
                self._await(self._finish(), timeout)
            finally:
                self._end()

    def crash(self) -> None:
        """End it as SIGKILL does, now: nothing that it was doing goes on or is cleaned up."""
        if not self.running:
            return
        gone = threading.Event()

        def vanish() -> None:
            # As the kernel would: locks and sockets go, no handler of the hub's runs.
            self.app.db.rollback()
            self.app.db.close()
            self.app.db.get_bind().dispose()
            self.app.http_server.stop()
            asyncio.get_running_loop().stop()
            gone.set()

        assert self._loop is not None
        self._loop.call_soon_threadsafe(vanish)
        if not gone.wait(5 * PATIENCE):
            self.log.warning("the event loop is blocked: it is left behind as it is")
        _abandoned.append((self._loop, self.app, asyncio.all_tasks(self._loop)))
        self._loop = None
        adopt_children()

    def forget(self) -> None:
        """Lose the database, as a disk does; only while it does not run."""
        shutil.copy(empty_database(), self.directory / "jupyterhub.sqlite")

    def restart(self) -> Hub:
        """Stop it and start it again."""
        self.stop()
        adopt_children()
        return self.start()

    def __repr__(self) -> str:
        return f"<hub {self.url}>"

    def __enter__(self) -> Hub:
        return self if self.running else self.start()

    def __exit__(self, *exception: object) -> None:
        try:
            self.stop()
        except Exception:
            self.log.exception("the hub did not stop in order")
        self._held.close()

    # what happens inside it

    def submit(
        self, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> concurrent.futures.Future[Any]:
        """Call a function in the hub's loop, await what it returns; a future of the result."""

        async def call() -> Any:
            return await maybe_future(function(*args, **kwargs))

        assert self._loop is not None, "the hub is not running"
        return asyncio.run_coroutine_threadsafe(call(), self._loop)

    def run(self, function: Callable[..., Any], *args: Any, timeout: float = 30 * PATIENCE) -> Any:
        """Call a function in the hub's loop, await what it returns, and return the result."""
        return self.submit(function, *args).result(timeout)

    def add_user(self, name: str) -> Any:
        """A user of the hub, added if there is none of that name."""
        return self.run(self._user, name)

    def spawner(self, user: str, server: str = "") -> Any:
        """The hub's own spawner object for a server; use it in the hub's loop only."""
        return self.run(lambda: self._user(user).get_spawner(server))

    def orm_spawner(self, user: str, server: str = "") -> Any:
        """What the database holds of a server: its state and its address, as plain values."""

        def read() -> dict[str, Any]:
            found = self._user(user).orm_user.orm_spawners.get(server)
            at = found.server if found is not None else None
            address = f"{at.proto}://{at.ip}:{at.port}{at.base_url}" if at else None
            return {"state": dict(found.state or {}) if found else {}, "url": address}

        return self.run(read)

    def token_is_valid(self, token: str) -> bool:
        """Whether the hub accepts a token, asked over HTTP as its owner would."""
        return self.api("GET", "/user", token=token).status_code != 403

    def api(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str = "",
        timeout: float = 30 * PATIENCE,
    ) -> requests.Response:
        """A request to the hub's API, by default with all rights."""
        return requests.request(
            method,
            f"{self.url}/hub/api{path}",
            json=body,
            headers={"Authorization": f"token {token or self.token}"},
            timeout=timeout,
        )

    # how it is made

    def _live(self) -> None:
        assert self._loop is not None
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _await(self, coroutine: Coroutine[Any, Any, Any], timeout: float) -> Any:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)

    async def _begin(self) -> None:
        self.app = App(config=self._full_config(), log=self.log)
        try:
            await self.app.initialize([])
            await self.app.start()
        except SystemExit as error:
            raise HubFailed(f"the hub ended itself while it started: {error}") from error

    async def _finish(self) -> None:
        self.app.http_server.stop()
        for callback in self.app._periodic_callbacks.values():
            callback.stop()
        for user in self.app.users.values():
            for spawner in user.spawners.values():
                spawner.stop_polling()
        await self.app.cleanup()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 5 * PATIENCE)

    def _end(self) -> None:
        loop, thread = self._loop, self._thread
        self._loop = None
        if loop is None or thread is None:
            return
        if self.app is not None and getattr(self.app, "db", None) is not None:
            loop.call_soon_threadsafe(self.app.db.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(2 * PATIENCE)
        if thread.is_alive():
            _abandoned.append((loop, self.app))
        else:
            loop.close()

    def _user(self, name: str) -> Any:
        found = orm.User.find(self.app.db, name)
        if found is None:
            found = orm.User(name=name)
            self.app.db.add(found)
            self.app.db.commit()
            roles.assign_default_roles(self.app.db, entity=found)
        return self.app.users[found]

    def _full_config(self) -> Config:
        own = {
            "db_url": f"sqlite:///{self.directory / 'jupyterhub.sqlite'}",
            "hub_bind_url": self.url,
            "bind_url": self.url,
            "proxy_class": RouteTable,
            "cookie_secret": self.cookie_secret,
            "cleanup_servers": False,
            "allow_named_servers": True,
            "last_activity_interval": 0,
            "service_check_interval": 0,
            "init_spawners_timeout": -1,
            "concurrent_spawn_limit": 0,
            "services": [{"name": "conformance", "api_token": self.token}],
            "load_roles": [
                {
                    "name": "conformance",
                    "scopes": ["admin:users", "admin:servers", "admin:groups", "tokens"],
                    "services": ["conformance"],
                }
            ],
        }
        config = Config({"JupyterHub": own})
        config.merge(Config({section: dict(values) for section, values in self.config.items()}))
        return config
