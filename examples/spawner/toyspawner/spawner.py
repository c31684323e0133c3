"""The spawner: JupyterHub on one side, the platform's API on the other."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar
from urllib.parse import quote

from jupyterhub.spawner import Spawner, SpawnException
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from traitlets import Float, Integer, Unicode

TRANSIENT = (429, 500, 502, 503, 504, 599)
"""Answers after which the same request may succeed; 599 is no answer at all."""

TRIES = 5


class ToySpawner(Spawner):  # type: ignore[misc]
    """Starts each server as a machine of the toy cloud."""

    url = Unicode(help="Where the cloud's API is.").tag(config=True)

    namespace = Unicode("hub", help="Names this hub among others that use the same cloud.").tag(
        config=True
    )

    prefix = Unicode("jupyter", help="What the machines' names begin with.").tag(config=True)

    grace = Integer(5, help="Seconds that a server may take to end.").tag(config=True)

    retry = Float(0.1, help="Seconds before a request that failed is tried again.").tag(config=True)

    machine = ""
    """The machine's name, once there is or may be one."""

    _starting = False
    _listings: ClassVar[dict[Any, asyncio.Future[Any]]] = {}

    # what the hub calls

    async def start(self) -> str:
        """Make a machine and wait until it has an address."""
        self.check()
        self.machine, self._starting = self.identity(), True
        create = None
        try:
            # One with this name is left from an earlier life: its token is not ours.
            await self.remove(self.machine)
            create = asyncio.ensure_future(self.create())
            # The request goes on if this start is cancelled: only then is it known what exists.
            await asyncio.shield(create)
            return await self.address()
        except BaseException:
            await self.undo(create)
            raise
        finally:
            self._starting = False

    async def poll(self) -> int | None:
        """None while there is anything to stop, and while that is not known."""
        if self._starting:
            return None
        if not self.machine and self.server is None:
            return 0
        try:
            found = (await self.machines()).get(self.name_of_machine)
        except Exception as error:
            self.log.warning("The cloud does not answer: %s", error)
            return None
        return 0 if found is None else found["status"]

    async def stop(self, now: bool = False) -> None:
        """End the machine; raises if it may still be there."""
        await self.remove(self.name_of_machine, 0 if now else self.grace)

    async def get_url(self) -> str:
        """Where the machine answers now."""
        known: str = await super().get_url()
        try:
            found = (await self.machines()).get(self.name_of_machine)
        except Exception as error:
            self.log.warning("The cloud does not answer: %s", error)
            return known
        return self.address_of(found) + self.server.base_url if found and found["port"] else known

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What the start waits for."""
        yield {"progress": 10, "message": "Asking the cloud for a machine"}
        while self._starting and self._spawn_pending:
            await self.pause()
        yield {"progress": 80, "message": "The machine has an address"}

    def load_state(self, state: dict[str, Any]) -> None:
        """Find the machine of the hub's earlier life."""
        super().load_state(state)
        self.machine = state.get("machine", "")

    def get_state(self) -> dict[str, Any]:
        """Keep the machine's name, so that a restarted hub finds it."""
        state: dict[str, Any] = super().get_state()
        return {**state, "machine": self.machine} if self.machine else state

    def clear_state(self) -> None:
        """Forget the machine."""
        super().clear_state()
        self.machine = ""

    # what it asks the cloud

    @property
    def cloud(self) -> Any:
        """Which listings can be shared: those of one cloud, in one loop."""
        return asyncio.get_running_loop(), self.url

    @property
    def name_of_machine(self) -> str:
        """As it was kept; or as it must be, if the hub was ended before it could keep it."""
        return self.machine or self.identity()

    def identity(self, server: str | None = None) -> str:
        """The machine's name: the same each time, and never the same for two servers."""
        parts = [self.namespace, self.user.name, self.name if server is None else server]
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return f"{self.prefix}-{digest[:20]}"

    def check(self) -> None:
        """Refuse what cannot be, and warn of what will not be."""
        if self.internal_ssl:
            raise RuntimeError("c.JupyterHub.internal_ssl is on, which ToySpawner cannot serve")
        for limit in ("mem_limit", "cpu_limit"):
            if getattr(self, limit):
                self.log.warning("c.Spawner.%s is set, but ToySpawner cannot enforce it", limit)

    def wanted(self) -> dict[str, Any]:
        """What the cloud is asked for."""
        run = hashlib.sha256(self.api_token.encode()).hexdigest()[:12]
        return {
            "name": self.machine,
            "env": self.get_env(),
            "cmd": [*self.cmd, *self.get_args()],
            "labels": {
                "hub": self.namespace,
                "user": self.user.name,
                "server": self.name,
                "run": run,
            },
        }

    async def create(self) -> None:
        """Make the machine; what the user has caused is said to be so."""
        try:
            await self.ask("POST", "/servers", self.wanted())
        except HTTPClientError as error:
            if error.code not in (403, 422):
                raise
            told = told_by(error)
            raise SpawnException(told, reason=told, status_code=400) from error

    async def address(self) -> str:
        """Where the machine answers, once it does."""
        while True:
            found = (await self.machines()).get(self.machine)
            if found is None or found["status"] is not None:
                raise RuntimeError(f"the machine {self.machine} ended as it started")
            if found["port"]:
                return self.address_of(found)
            await self.pause()

    def address_of(self, machine: dict[str, Any]) -> str:
        """The URL of a machine, as the cloud describes it."""
        return f"http://{machine['address']}:{machine['port']}"

    async def undo(self, create: asyncio.Future[None] | None) -> None:
        """Leave nothing of a start that has failed, not even what is still on its way."""
        if create is not None:
            await asyncio.wait([create], timeout=4)
        try:
            await self.remove(self.machine)
        except Exception:
            # poll() goes on to say that there is something to stop.
            self.log.exception("The machine %s may be left", self.machine)

    async def remove(self, name: str, grace: float = 0) -> None:
        """End a machine and wait until it is gone; one that is not there is gone."""
        await self.ask_gone(f"/servers/{quote(name)}?grace={grace}", limit=grace + 5)

    async def machines(self) -> dict[str, dict[str, Any]]:
        """All machines by name; those who ask at the same time share one request."""
        listing = self._listings.get(self.cloud)
        if listing is None or listing.done():
            listing = asyncio.ensure_future(self.ask("GET", "/servers"))
            self._listings[self.cloud] = listing
        return {each["name"]: each for each in await asyncio.shield(listing)}

    async def ask_gone(self, path: str, limit: float = 5) -> None:
        """Delete something, and try again where that may help."""
        for attempt in range(TRIES):
            try:
                await self.ask("DELETE", path, limit=limit)
                return
            except (HTTPClientError, OSError) as error:
                code = getattr(error, "code", 599)
                if code == 404:
                    return
                if code not in TRANSIENT or attempt == TRIES - 1:
                    raise
            await asyncio.sleep(self.retry * 2**attempt)

    async def ask(self, method: str, path: str, body: Any = None, limit: float = 5) -> Any:
        """One request to the cloud, and its answer."""
        request = HTTPRequest(
            self.url + path,
            method=method,
            body=None if body is None else json.dumps(body),
            request_timeout=limit,
        )
        try:
            response = await AsyncHTTPClient().fetch(request)
        finally:
            if method != "GET":  # a listing that is on its way may tell of the time before
                self._listings.pop(self.cloud, None)
        return json.loads(response.body) if response.body else None

    async def pause(self) -> None:
        """Wait a little before the cloud is asked again."""
        await asyncio.sleep(0.05)


def told_by(error: HTTPClientError) -> str:
    """What the cloud says of a request that it refused."""
    try:
        return str(json.loads(getattr(error.response, "body", ""))["message"])
    except (ValueError, KeyError):
        return str(error)
