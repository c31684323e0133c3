"""What a clause of the cluster slot is given: notebooks, clusters, and a view of the backend."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from greyhub.conformance.case import Broken, Case
from greyhub.conformance.cluster.suite import ClusterSuite, Part
from greyhub.conformance.testkit.fork import Fork
from greyhub.conformance.testkit.log_capture import LogCapture

Value = TypeVar("Value")

SOON = 6.0
"""Seconds that a backend may take over a worker."""


class ClusterCase(Case):
    """One clause's clusters. The process that it runs in is the notebook."""

    suite: ClusterSuite

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        from greyhub.conformance.cluster import dask_setup

        dask_setup.inherit()
        self.log = self.enter(LogCapture())
        if self.suite.endpoint:
            self.finally_(self.suite.proxy.close)  # made in this clause's own process

    def override(self, options: Mapping[str, Any]) -> None:
        """Make clusters with these options from now on: ``{"MyCluster.idle_timeout": "2 s"}``."""
        self.suite.overrides = {**self.suite.overrides, **options}

    # clusters

    @property
    def unit(self) -> int:
        """How many workers come at one time; clauses count in these."""
        return int(self.claims("groups") or 1)

    def make(self, workers: int = 0, user: str = "ada", **options: Any) -> Any:
        """A new cluster. What its making raises breaks the promise of the clause."""
        said = ", ".join(f"{name}={value!r}" for name, value in options.items())
        self.did(f"{user} makes a cluster of {workers}" + (f" with {said}" if said else ""))
        return self.call("making it", lambda: self.suite.make(user, workers * self.unit, **options))

    def client(self, cluster: Any) -> Any:
        """A client of a cluster."""
        client = self.call("get_client()", cluster.get_client)
        self.finally_(_close, client)
        return client

    def working(self, workers: int) -> tuple[Any, Any]:
        """A new cluster, of which the scheduler has a worker if it is to have some; a client."""
        cluster = self.make(workers)
        client = self.client(cluster)
        if workers:
            self.until(lambda: self.workers(client), SOON, "there was no worker")
        return cluster, client

    def scaled(self, number: int) -> tuple[Any, Any]:
        """A new cluster that was asked for so many workers and has them; a client."""
        cluster, client = self.working(0)
        self.scale(cluster, number)
        self.settled(client, number)
        return cluster, client

    def attempt(
        self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> tuple[Any, Exception | None]:
        """Call what may well be refused: what it returned, or what it raised."""
        try:
            return self.call(name, function, *args, **kwargs), None
        except Exception as error:
            return None, error

    def get(self, cluster: Any, name: str) -> Any:
        """An attribute of a cluster."""
        return self.call(name, getattr, cluster, name)

    def scale(self, cluster: Any, number: int) -> None:
        """Ask for a number of workers."""
        self.did(f"scale({number * self.unit})")
        self.call("scale()", cluster.scale, number * self.unit)

    def shut(self, cluster: Any) -> None:
        """Close a cluster."""
        self.did("close()")
        self.call("close()", cluster.close)

    def workers(self, client: Any) -> set[str]:
        """The addresses of the workers that the scheduler has."""
        return set(self.quietly("nthreads()", client.nthreads))

    def settled(self, client: Any, number: int, seconds: float = SOON) -> None:
        """Wait until backend and scheduler agree that there are so many workers."""
        number *= self.unit
        counts: list[int] = []

        def look() -> bool:
            counts[:] = [len(self.workers(client)), len(self.parts("worker"))]
            return counts == [number, number]

        def agree() -> bool:
            # While a process changes its parent, who lists processes may miss it.
            return look() and look()

        try:
            self.until(agree, seconds, "", every=0.04)
        except Broken:
            self.fail(
                f"asked for {number} workers; after {seconds * self.patience:g} s the scheduler "
                f"has {counts[0]} and the backend {counts[1]}"
            )
        self.saw(f"{number} workers")

    def compute(self, client: Any, function: Callable[..., Any], *args: Any) -> Any:
        """The result of one task."""
        return self.call(
            "a task",
            lambda: client.submit(function, *args, pure=False).result(SOON * self.patience),
        )

    # the backend

    def alive(self) -> Collection[Part]:
        """All parts in the backend."""
        found: Collection[Part] = self.hook("alive")
        return found

    def parts(self, kind: str) -> list[Part]:
        """The parts of one kind."""
        before = len(self.record.saw)
        found = [part for part in self.alive() if part.kind == kind]
        del self.record.saw[before:]  # it is asked again and again
        return found

    def quietly(self, name: str, function: Callable[..., Value], *args: Any) -> Value:
        """Call the adapter again and again, and note what it said only if it raises."""
        before = len(self.record.said)
        value = self.call(name, function, *args)
        del self.record.said[before:]
        return value

    def nothing_left(
        self,
        otherwise: str,
        seconds: float = SOON,
        *,
        stays: float = 0.0,
        spare: Collection[str] = (),
    ) -> None:
        """The promise is broken unless the backend becomes empty, and stays so for a while."""

        def left() -> list[Part]:
            before = len(self.record.saw)
            found = [part for part in self.alive() if part.id not in spare]
            del self.record.saw[before:]
            return found

        deadline = time.monotonic() + seconds * self.patience
        quiet = None
        while True:
            parts, now = left(), time.monotonic()
            if parts and quiet is not None:
                self.fail(f"{otherwise}: nothing was left, and then came a {parts[0].kind}")
            quiet = None if parts else (quiet or now)
            if quiet is not None and now - quiet >= stays:
                self.saw("nothing is left")
                return
            if parts and now > deadline:
                names = ", ".join(f"{part.kind} {part.id}" for part in parts)
                self.fail(f"{otherwise}: left after {seconds * self.patience:g} s: {names}")
            time.sleep(0.05)

    def fault(self, kind: str, room: int = 0) -> AbstractContextManager[Any]:
        """Break the backend while a block lasts; see the suite's `fault`."""
        self.did(f"the backend: {kind}" + (f", room for {room}" if room else ""))
        if kind == "unreachable" and self.suite.endpoint:
            return self.suite.proxy.fault("refused")
        broken: AbstractContextManager[Any] = self.hook("fault", kind, room)
        return broken

    # notebooks and loops

    def at_work(self) -> Fork:
        """Another notebook of the user's, with a cluster that has a worker; see `notebook`."""
        self.did("another notebook makes a cluster of 1")
        return self.notebook(self._work)

    def _work(self) -> None:
        cluster = self.suite.make("ada", self.unit)
        held.append(cluster)
        with cluster.get_client() as client:
            client.wait_for_workers(1, timeout=SOON * self.patience)

    def notebook(self, function: Callable[[], Any], seconds: float = 2 * SOON) -> Fork:
        """Another notebook of the user's, which calls a function and then lives on.

        Only before this one has made a cluster: what has threads must not fork.
        """
        fork = Fork(function)
        self.finally_(fork.close)
        self.call("another notebook", fork.result, seconds * self.patience)
        return fork

    @contextmanager
    def loop(self) -> Iterator[tuple[Callable[..., Any], threading.Thread]]:
        """An event loop in a thread: gives a function that runs a coroutine in it."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="notebook-loop", daemon=True)
        thread.start()

        def run(coroutine: Coroutine[Any, Any, Value], seconds: float = 2 * SOON) -> Value:
            future = asyncio.run_coroutine_threadsafe(coroutine, loop)
            return future.result(seconds * self.patience)

        run.loop = loop  # type: ignore[attr-defined]
        try:
            yield run, thread
        finally:
            loop.call_soon_threadsafe(loop.stop)


held: list[object] = []
"""What a notebook keeps until it ends."""


def _close(client: Any) -> None:
    with contextlib.suppress(Exception):
        client.close(timeout=1)
