"""The sync daemon: watches a home while its server runs, and writes back to the store.

A process of its own, so that neither a busy kernel nor a busy server starves it.
All that it knows is in the journal; so when it has rested for a while it begins
anew, as a fresh and small program, and only loads a store's libraries when there
is something to do.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.homespace.sync.identity import recognise
from greyhub.homespace.sync.interruptible import GivenUp
from greyhub.homespace.sync.quota import Quota
from greyhub.homespace.sync.report import Report
from greyhub.homespace.sync.request_server import RequestServer, State
from greyhub.homespace.sync.signals import held
from greyhub.homespace.sync.syscalls import give_way
from greyhub.homespace.sync.watch import BLIND, CALM, Turn, Watch
from greyhub.homespace.sync.working_copy import WorkingCopy

REST: Final = 20.0
"""Seconds without work after which the process begins anew."""

NICE: Final = 10
"""The priority of saving beside the user's own work: each of its threads gets a tenth of a
processor against a process that takes all it can get, so what is saved is still in the
store within seconds."""

POLL: Final = 120.0
"""Seconds between two looks at the store."""


@dataclass(frozen=True)
class Job:
    """Which home to keep, and how."""

    local: Path
    """The working copy."""
    url: str
    """The home on its store."""
    state: Path
    """The directory of what is remembered of both."""
    storage_options: Mapping[str, Any] = field(default_factory=dict)
    quota: Quota = field(default_factory=Quota)
    grace: float = 25.0
    """Seconds in which everything is to be saved when the server stops."""
    poll: float = POLL
    rest: float = REST
    tied: bool = False
    """Whether to end when standard input does."""
    opener: str = ""
    """``module:function`` that makes the store from this job, in place of fsspec's options."""

    @classmethod
    def of(cls, ticket: Mapping[str, Any], *, tied: bool = False) -> Job:
        """The job that a server's homespace ticket describes; HomeError says what is wrong."""
        try:
            known = {each.name for each in fields(cls)} - {"local", "tied"}
            told: dict[str, Any] = {name: ticket[name] for name in ticket if name in known}
            told |= {"local": Path(ticket["path"]), "state": Path(ticket["state"])}
            told["quota"] = Quota(**ticket.get("quota", {}))
            return cls(**told, tied=tied)
        except (ValueError, TypeError, KeyError) as error:
            raise HomeError(f"the ticket describes no home to keep in step: {error!r}") from error


class Lazy:
    """A store that is opened when it is first asked for anything."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.name = job.url
        self._store: Any = None
        self._lock = threading.Lock()

    def __getattr__(self, method: str) -> Any:
        with self._lock:
            if self._store is None:
                self._store = self._open()
        return getattr(self._store, method)

    @property
    def loaded(self) -> bool:
        """Whether it was asked for anything."""
        return self._store is not None

    def renew(self) -> None:
        """Open it anew when it is next asked: credentials may have been renewed."""
        with self._lock:
            self._store = None

    def _open(self) -> Any:
        if self.job.opener:
            from importlib import import_module

            module, _, function = self.job.opener.partition(":")
            return getattr(import_module(module), function)(self.job)
        from greyhub.homespace.sync.stores.home_store import open_home

        return open_home(self.job.url, self.job.storage_options)


class SyncDaemon:
    """Keeps one home until it is told to stop.

    Parameters
    ----------
    job : Job
        What to do.
    lock : int
        The open lock of its state directory: see `greyhub.homespace.sync.signals`.
    kept : Mapping[str, Any]
        What an earlier self handed over; empty in a new process.
    """

    def __init__(self, job: Job, lock: int, kept: Mapping[str, Any]) -> None:
        self.job, self.lock = job, lock
        self.store = Lazy(job)
        self.copy = WorkingCopy(job.local, self.store, job.state, quota=job.quota)
        self.report = Report(self.copy)
        self.watch = Watch(
            self.copy.context.tree.home,
            self.copy.note,
            lambda folder: self.copy.rules.skips(folder, folder=True),
        )
        self.sweeps, self.looks = Turn(), Turn(job.poll)
        self.looks.next = kept.get("look", 0.0)
        self.sweeps.next = 0.0
        self.ready = bool(kept.get("ready"))
        """The store was reached, and both sides were brought together once."""
        self.stopping: float | None = None
        self._busy = time.monotonic()
        os.set_inheritable(lock, False)
        self.requests = RequestServer(
            job.state, kept.get("socket"), self.report.state, self.copy.engine.workers.wake
        )

    # The loop.

    def run(self) -> int:
        """Keep the home until told to stop; 0 if all of it is in the store then."""
        self.watch.start()
        while self.stopping is None:
            try:
                self._round()
            except GivenUp:
                continue  # told to stop
            except (OSError, HomeError) as error:
                if isinstance(error, HomeError) and not self.ready:
                    raise  # it is not this home: nothing will make it so
                self.copy.engine.trouble = str(error)
                self.report.write()
                self.requests.answer(lambda state: False)
                if isinstance(error, PermissionError):
                    self.store.renew()
                self._pause(2.0)
        return self._end()

    def _round(self) -> None:
        if not self.ready:
            self.report.phase = "restoring"
            self.copy.restore(until=self._interrupted)
            self.ready = self.copy.engine.idle
            self.looks.took(0.0)
            if not self.ready:
                return
            self.report.complete()
            self._busy = time.monotonic()
        if self.report.phase != "keeping":
            give_way(NICE)
            self.copy.engine.workers.spread(True)
        self.report.phase = "keeping"
        if "denied" in self.copy.engine.trouble.lower() or "expired" in self.copy.engine.trouble:
            self.store.renew()
        self._notice()
        worked = self.copy.pending
        self.copy.settle(until=lambda: self._interrupted() or self._has_news())
        self.requests.answer(self._settled)
        if worked or self.copy.pending:
            self._busy = time.monotonic()
        if self.copy.pending:
            self._pause(min(self.copy.engine.pause(), 1.0))
        else:
            self._rest()

    def _notice(self) -> None:
        """Whatever is due of sweeps and looks."""
        for folder in self.watch.grown():
            self.copy.sweep(folder)
        if asked := self.requests.new.is_set():
            self.requests.new.clear()
        try:
            self._look(asked=asked)
        except BaseException:
            if asked:
                self.requests.new.set()
            raise

    def _look(self, *, asked: bool) -> None:
        """Through both sides: once for each question, for that may take long."""
        blind = self.watch.trouble and time.monotonic() >= self.sweeps.next - 20 + BLIND
        if self.watch.lost() or asked or self.sweeps.due or blind:
            began = time.thread_time()
            self.copy.sweep()
            self.sweeps.took(time.thread_time() - began)
        if asked or self.looks.due:
            began = time.process_time()
            self.looks.next = 0.0  # until it has come to its end, it is due
            if not recognise(self.copy.context, self._interrupted):
                self.copy.sweep()  # what the store has lost is here
            self.copy.look(until=self._interrupted)
            if self.copy.engine.trouble:  # the store answers again
                self.copy.engine.trouble = ""
                self.copy.engine.hurry()
            self.copy.context.manifest.fold(self._interrupted)
            self.looks.took(time.process_time() - began)
        if asked:
            self.copy.engine.hurry()

    def _has_news(self) -> bool:
        return self.requests.late or self.requests.new.is_set() or self.watch.news

    def _interrupted(self) -> bool:
        self.report.write()
        return self.stopping is not None

    def _settled(self, state: State) -> bool:
        """Whether all that was asked for is saved, or waits for something outside."""
        return bool(state["saved"] or self.copy.engine.idle) and not self.requests.new.is_set()

    def _rest(self) -> None:
        """Nothing to do: wait for news, and after a while begin anew, small."""
        self.report.write()
        now, calm = time.monotonic(), max(self.job.rest, self.sweeps.cost / CALM)
        if self.store.loaded and now - self._busy > calm and not self.requests.open:
            with held():
                self._begin_anew()
        nearest = now if self.watch.news else min(self.sweeps.next, self.looks.next)
        if self.store.loaded:
            nearest = min(nearest, self._busy + calm + 0.1)
        self._pause(max(0.05, min(nearest - now, 60.0)))

    def _pause(self, seconds: float) -> None:
        self.copy.engine.step(seconds)

    def _begin_anew(self) -> None:
        self.watch.stop()
        self.copy.close()
        handles = {"socket": self.requests.socket.fileno(), "lock": self.lock}
        for handle in handles.values():
            os.set_inheritable(handle, True)
        hub = sys.modules.get("greyhub.credentials")  # which was asked for some, or is not loaded
        if hub and (tokens := hub.hand_over()) is not None:
            handles["credentials"] = tokens
        kept = handles | {"look": self.looks.next, "ready": True, "end": self.stopping is not None}
        tied = ["--tied"] if self.job.tied else []
        command = [sys.executable, "-m", "greyhub.homespace.sync", *tied, json.dumps(kept)]
        # What changes meanwhile is found by the sweep with which every process begins.
        os.execv(command[0], command)  # noqa: S606

    # The end.

    def stop(self) -> None:
        """Save everything and end."""
        self.stopping = time.monotonic() + self.job.grace
        self.copy.engine.workers.wake()

    def _end(self) -> int:
        assert self.stopping is not None
        self.report.phase = "stopping"
        give_way(0)  # what it gave way to is over
        self.copy.engine.workers.spread(False)
        left: Mapping[str, str] = {}
        try:
            left = self.copy.flush(self.stopping)
        except (OSError, HomeError) as error:
            self.report.say(str(error))
            left = self.copy.unsaved() or {"": str(error)}
        self.report.phase = "stopped"
        self.report.write(force=True)
        self.requests.answer(lambda state: True)
        if left:
            self.report.say(
                f"{len(left):,} paths are still only in {self.job.local}: "
                + ", ".join(sorted(left)[:10])
            )
        else:
            self.report.say(f"all of it is in {self.store.name}")
        return 3 if left else 0
