"""A broker that is killed at each step of a cluster's life: the next one loses and leaves nothing.

The backend here is a set of parts; database, reconciler and API of the broker are the real ones. A
step is a write to the database, or the moment before or after the backend does something.
"""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dask_gateway_server")

from aiohttp import web
from dask_gateway_server.backends.db_base import JobStatus
from dask_gateway_server.models import User
from traitlets.config import Config

from greyhub.broker.backend import BrokerBackend

KEY = base64.b64encode(bytes(range(32))).decode()


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


class World:
    """The parts that there are, and how many steps a broker has left to live."""

    def __init__(self) -> None:
        self.parts: set[tuple[str, ...]] = set()
        self.steps, self.left = 0, 10**9
        self.refusals = 0
        self.asked: Counter[Any] = Counter()

    def step(self) -> None:
        self.steps += 1
        self.left -= 1
        if self.left < 0:
            raise Killed


class Backend(BrokerBackend):
    """Parts in a set."""

    world: World

    def _write(self, name: str) -> None:
        write = getattr(self.db, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.world.step()
            done = write(*args, **kwargs)
            self.world.step()
            return done

        setattr(self.db, name, counted)

    async def do_setup(self) -> None:
        for name in ("create_cluster", "create_worker", "update_cluster", "update_worker"):
            self._write(name)

    async def _change(self, *part: str, there: bool) -> None:
        self.world.step()
        await asyncio.sleep(0)
        asked = self.world.asked[part, there] = self.world.asked[part, there] + 1
        if asked <= self.world.refusals:
            raise OSError("the backend does not answer")
        (self.world.parts.add if there else self.world.parts.discard)(part)
        self.world.step()
        await asyncio.sleep(0)

    async def do_start_cluster(self, cluster: Any) -> AsyncIterator[dict[str, Any]]:
        await self._change("secret", cluster.name, there=True)
        yield {"secret": True}
        await self._change("scheduler", cluster.name, there=True)
        yield {"secret": True, "scheduler": True}

    async def do_stop_cluster(self, cluster: Any) -> None:
        await self._change("scheduler", cluster.name, there=False)
        await self._change("secret", cluster.name, there=False)

    async def do_start_worker(self, worker: Any) -> AsyncIterator[dict[str, Any]]:
        await self._change("worker", worker.cluster.name, worker.name, there=True)
        yield {}

    async def do_stop_worker(self, worker: Any) -> None:
        await self._change("worker", worker.cluster.name, worker.name, there=False)

    async def do_check_clusters(self, clusters: Sequence[Any]) -> list[bool]:
        return [True for _ in clusters]

    async def do_check_workers(self, workers: Sequence[Any]) -> list[bool]:
        return [True for _ in workers]

    async def do_end_unknown(self, known: Collection[str]) -> Sequence[str]:
        lost = {each for each in self.world.parts if each[1] not in known}
        self.world.parts -= lost
        return ["-".join(each) for each in lost]


class Life:
    """What a notebook and a scheduler want of a broker, whichever of them lives."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world, self.url = world, f"sqlite:///{directory / 'clusters.sqlite'}"
        self.stage = 0
        self.name = ""
        self.brokers: list[Backend] = []

    async def broker(self) -> Backend:
        config = Config()
        config.BrokerBackend.db_url = self.url
        config.BrokerBackend.db_encrypt_keys = [KEY]
        config.BrokerBackend.stop_clusters_on_shutdown = False
        config.BrokerBackend.backoff_base_delay = 0.001
        config.BrokerBackend.backoff_max_delay = 0.005
        config.BrokerBackend.api_url = "http://127.0.0.1:9/api"
        config.Proxy.externally_managed = True
        backend = Backend(config=config, gateway_address="127.0.0.1:9")
        backend.world = self.world
        self.brokers.append(backend)
        await backend.setup(web.Application())
        return backend

    async def go_on(self) -> None:
        """Go through the stages that are left, until nothing is left to do."""
        backend = await self.broker()
        while self.stage < 5:
            await self._do(backend)
            await asyncio.sleep(0.001)
            self._raise_if_killed(backend)

    def _raise_if_killed(self, backend: Backend) -> None:
        for task in (*backend.reconcilers, *backend.task_pool.tasks):
            if task.done() and isinstance(task.exception(), Killed):
                raise Killed

    async def _do(self, backend: Backend) -> None:
        if self.stage == 0:  # the reply may be lost: it asks again with the same key
            self.name = await backend.start_cluster(User("ada"), {"key": "k1"})
            self.stage = 1
        cluster = backend.db.get_cluster(self.name)
        workers = {each[2] for each in self.world.parts if each[0] == "worker"}
        if self.stage == 1 and ("scheduler", self.name) in self.world.parts:
            await self._beat(backend, 0, workers)
            self.stage += cluster.status == JobStatus.RUNNING
        elif self.stage == 2:
            await self._beat(backend, 2, workers)
            running = [each.status == JobStatus.RUNNING for each in cluster.active_workers()]
            self.stage += len(workers) == 2 and running == [True, True]
        elif self.stage == 3:
            kept = sorted(workers)[:1]
            await self._beat(backend, 1, set(kept), sorted(workers)[1:])
            self.stage += len(workers) == 1 and len(cluster.active_workers()) == 1
        elif self.stage == 4:
            await backend.stop_cluster(self.name)
            self.stage += cluster.status == JobStatus.STOPPED

    async def _beat(
        self, backend: Backend, count: int, active: set[str], closed: Collection[str] = ()
    ) -> None:
        """A heartbeat of the scheduler."""
        told = {
            "scheduler_address": "tls://127.0.0.1:1",
            "dashboard_address": "",
            "api_address": "http://127.0.0.1:9",
            "count": count,
            "active_workers": sorted(active),
            "closing_workers": [],
            "closed_workers": sorted(closed),
        }
        if closed:
            going = {**told, "closing_workers": sorted(closed), "closed_workers": []}
            await backend.on_cluster_heartbeat(self.name, going)
        await backend.on_cluster_heartbeat(self.name, told)


def live(life: Life) -> None:
    """One broker, until all is done or it is killed; nothing of it is cleaned up."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    try:
        loop.run_until_complete(asyncio.wait_for(life.go_on(), 30))
    finally:
        life.world.left = 10**9 if life.stage == 5 else -1
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        life.world.left = 10**9
        for broker in life.brokers:  # its sockets go with its process
            if hasattr(broker, "session"):
                loop.run_until_complete(broker.session.close())
        life.brokers.clear()
        loop.close()


def steps_of_a_life(directory: Path) -> int:
    world = World()
    life = Life(world, directory)
    live(life)
    assert not world.parts
    return world.steps


@pytest.mark.parametrize("then", ["goes on", "ends it"])
def test_a_broker_that_is_killed_at_any_step_loses_and_leaves_nothing(
    directory: Path, then: str
) -> None:
    (directory / "whole").mkdir()
    steps = steps_of_a_life(directory / "whole")
    assert steps > 40
    for number in range(steps):
        place = directory / str(number)
        place.mkdir()
        world = World()
        life = Life(world, place)
        world.left = number
        try:
            live(life)
        except Killed:
            if then == "ends it" and life.name:
                life.stage = 4
            live(life)
        assert not world.parts, f"killed at step {number}, {sorted(world.parts)} are left"
        assert life.stage == 5


@pytest.mark.parametrize("failures", [1, 5])
def test_a_backend_that_does_not_answer_is_asked_again(directory: Path, failures: int) -> None:
    """Also where a part is to end: what is not confirmed is asked for again."""
    world = World()
    world.refusals = failures
    live(Life(world, directory))
    assert not world.parts
    assert min(world.asked.values()) == failures + 1
