"""The spawner: JupyterHub on one side, the platform's API on the other."""

from __future__ import annotations

import asyncio
import hashlib
import json
from urllib.parse import quote

from jupyterhub.spawner import Spawner, SpawnException
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from traitlets import Float, Integer, Unicode

TRANSIENT = (429, 500, 502, 503, 504, 599)
"""Answers after which the same request may succeed; 599 is no answer at all."""


class ToySpawner(Spawner):
    """Starts each server as a machine of the toy cloud."""

    url = Unicode(help="Where the cloud's API is.").tag(config=True)

    namespace = Unicode("hub", help="Names this hub among others that use the same cloud.").tag(
        config=True
    )

    prefix = Unicode("jupyter", help="What the machines' names begin with.").tag(config=True)

    grace = Integer(5, help="Seconds that a server may take to end.").tag(config=True)

    patience = Float(0.1, help="Seconds before a request that failed is tried again.").tag(
        config=True
    )

    machine = ""
    """The machine's name, once there is or may be one."""

    _starting = None

    # what the hub calls

    async def start(self):
        """Make a machine and wait until it has an address."""
        if self.internal_ssl:
            raise RuntimeError("c.JupyterHub.internal_ssl is on, which ToySpawner cannot serve")
        self._warn_of_limits()
        self.machine, self._starting = self._identity(), True
        create = None
        try:
            # One with this name is left from an earlier life: its token is not ours.
            await self._remove(self.machine)
            create = asyncio.ensure_future(self._create())
            # The request goes on if this start is cancelled: only then is it known what exists.
            await asyncio.shield(create)
            return await self._address()
        except BaseException:
            await self._undo(create)
            raise
        finally:
            self._starting = False

    async def poll(self):
        """None while there is anything to stop, and while that is not known."""
        if self._starting:
            return None
        if not self.machine and self.server is None:
            return 0
        try:
            machines = await self._machines()
        except Exception as error:
            self.log.warning("The cloud does not answer: %s", error)
            return None
        found = machines.get(self._name())
        return 0 if found is None else found["status"]

    async def stop(self, now=False):
        """End the machine; raises if it may still be there."""
        await self._remove(self._name(), 0 if now else self.grace)

    async def get_url(self):
        """Where the machine answers now."""
        try:
            found = (await self._machines()).get(self._name())
        except Exception as error:
            self.log.warning("The cloud does not answer: %s", error)
            found = None
        if found is None or not found["port"]:
            return await super().get_url()
        return f"http://{found['address']}:{found['port']}{self.server.base_url}"

    async def progress(self):
        """What the start waits for."""
        yield {"progress": 10, "message": "Asking the cloud for a machine"}
        while self._starting and self._spawn_pending:
            await asyncio.sleep(0.05)
        yield {"progress": 80, "message": "The machine has an address"}

    def load_state(self, state):
        """The machine of an earlier life of the hub."""
        super().load_state(state)
        self.machine = state.get("machine", "")

    def get_state(self):
        """The machine, so that a restarted hub finds it."""
        state = super().get_state()
        return {**state, "machine": self.machine} if self.machine else state

    def clear_state(self):
        """Forget the machine."""
        super().clear_state()
        self.machine = ""

    # how it is done

    def _name(self):
        """The machine's name: as it was kept, or as it would be, if the hub was ended too early."""
        return self.machine or self._identity()

    def _identity(self):
        """The machine's name: the same each time, and never the same for two servers."""
        parts = "\0".join([self.namespace, self.user.name, self.name]).encode()
        return f"{self.prefix}-{hashlib.sha256(parts).hexdigest()[:20]}"

    def _labels(self):
        """Whose machine it is."""
        run = hashlib.sha256(self.api_token.encode()).hexdigest()[:12]
        return {"hub": self.namespace, "user": self.user.name, "server": self.name, "run": run}

    def _wanted(self):
        """What the cloud is asked for."""
        return {
            "name": self.machine,
            "env": self.get_env(),
            "cmd": [*self.cmd, *self.get_args()],
            "labels": self._labels(),
        }

    async def _create(self):
        try:
            await self._ask("POST", "/servers", self._wanted())
        except HTTPClientError as error:
            if error.code in (403, 422):
                raise SpawnException(_told(error), reason=_told(error), status_code=400) from error
            raise

    async def _address(self):
        while True:
            found = (await self._machines()).get(self.machine)
            if found is None or found["status"] is not None:
                raise RuntimeError(f"the machine {self.machine} ended as it started")
            if found["port"]:
                return f"http://{found['address']}:{found['port']}"
            await asyncio.sleep(0.05)

    async def _undo(self, create):
        """Leave nothing of a start that has failed, not even what is still on its way."""
        if create is not None:
            await asyncio.wait([create], timeout=4)
        try:
            await self._remove(self.machine)
        except Exception:
            # poll() goes on to say that there is something to stop.
            self.log.exception("The machine %s may be left", self.machine)

    async def _remove(self, name, grace=0):
        """End a machine and wait until it is gone."""
        path = f"/servers/{quote(name)}?grace={grace}"
        for attempt in range(5):
            try:
                await self._ask("DELETE", path, timeout=grace + 5)
            except HTTPClientError as error:
                if error.code == 404:
                    return
                if error.code not in TRANSIENT or attempt == 4:
                    raise
                await asyncio.sleep(self.patience * 2**attempt)
            except OSError:
                if attempt == 4:
                    raise
                await asyncio.sleep(self.patience * 2**attempt)
            else:
                return

    _lists = {}

    async def _machines(self):
        """All machines by name; those who ask at the same time share one request."""
        key = (asyncio.get_running_loop(), self.url)
        if key not in self._lists:
            task = self._lists[key] = asyncio.ensure_future(self._ask("GET", "/servers"))
            task.add_done_callback(lambda task: self._lists.pop(key, None))
        listed = await asyncio.shield(self._lists[key])
        return {each["name"]: each for each in listed}

    async def _ask(self, method, path, body=None, timeout=5):
        request = HTTPRequest(
            self.url + path,
            method=method,
            body=None if body is None else json.dumps(body),
            request_timeout=timeout,
        )
        response = await AsyncHTTPClient().fetch(request)
        return json.loads(response.body) if response.body else None

    def _warn_of_limits(self):
        for limit in ("mem_limit", "cpu_limit"):
            if getattr(self, limit):
                self.log.warning("c.Spawner.%s is set, but ToySpawner cannot enforce it", limit)


def _told(error):
    """What the cloud says of a request that it refused."""
    try:
        return json.loads(error.response.body)["message"]
    except (AttributeError, ValueError, KeyError):
        return str(error)
