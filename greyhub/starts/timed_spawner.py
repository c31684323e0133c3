"""Measures each start of a server, from its preparation until the proxy knows it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, ClassVar

from greyhub.awaitables import awaited
from greyhub.starts import table
from greyhub.starts.failure_reason import failure_reason
from greyhub.starts.metrics import observe
from greyhub.starts.report import PHASES, StartReport


class Timing:
    """One start that goes on."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.started: float | None = None
        """When the Spawner itself was asked to start."""
        self.returned: float | None = None
        """When it said where the server is."""
        self.report = StartReport()

    def phases(self, ended: float) -> dict[str, float]:
        """Seconds by phase, in the order of `PHASES`, of a start that went well."""
        if self.started is None or self.returned is None:
            return {}
        told = {name: self.report.phases[name] for name in PHASES if name in self.report.phases}
        rest = max(self.returned - self.started - sum(told.values()), 0.0)
        return {
            "prepare": self.started - self.began,
            **told,
            "start": rest,
            "answer": ended - self.returned,
        }


class TimedSpawner:
    """What every Spawner class gains; it stands first among the bases."""

    ask_report: ClassVar[Callable[[Any], StartReport]]
    """From a Spawner to what its adapter tells of a start."""

    profile_name = ""
    """The profile of this start, if there are any."""
    _timing: Timing | None = None

    async def run_pre_spawn_hook(self) -> None:
        """A start begins. It ends with the hub's own future, which says how."""
        timing, self.profile_name = Timing(), ""
        self._timing = timing
        future = getattr(self, "_spawn_future", None)
        if future is not None:
            future.add_done_callback(lambda done: self._start_ended(timing, done))
        await awaited(super().run_pre_spawn_hook())  # type: ignore[misc]

    async def start(self) -> Any:
        """Start; what is known of it is asked for before a failure is cleaned up."""
        timing = self._timing or Timing()
        timing.started = time.monotonic()
        try:
            where = await awaited(super().start())  # type: ignore[misc]
            timing.returned = time.monotonic()
            return where
        finally:
            timing.report = self._report()

    def _report(self) -> StartReport:
        try:
            return type(self).ask_report(self)
        except Exception:
            self.log.exception("greyhub: the spawner does not tell of a start")  # type: ignore[attr-defined]
            return StartReport()

    def _start_ended(self, timing: Timing, future: asyncio.Future[Any]) -> None:
        """Keep and count a start that has ended. It disturbs nothing if that fails."""
        ended = time.monotonic()
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        failure = failure_reason(error) if error else ""
        if not error and not self.server:  # type: ignore[attr-defined]
            failure = "proxy"  # JupyterHub stops a server that the proxy does not take, and logs it
        if not failure:
            timing.report = self._report()  # of events, some come late
        report = timing.report
        start = table.Start(
            profile=self.profile_name,
            seconds=ended - timing.began,
            phases={} if failure else timing.phases(ended),
            cold=report.cold,
            image=report.image,
            image_bytes=report.image_bytes,
            failure=failure,
        )
        observe(start)
        session = self.user.db  # type: ignore[attr-defined]
        try:
            table.add(session, start)
        except Exception:
            session.rollback()
            self.log.exception("greyhub: a start is not kept")  # type: ignore[attr-defined]
