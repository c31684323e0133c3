"""What a broker loads as it starts, under test: it notes each place at which it waits.

A place is a chain of functions with their lines, from a task's first to the one that waits. Where
one is named in the file ``armed``, a process is killed as soon as the broker waits there.
"""

from __future__ import annotations

import asyncio
import collections.abc
import gc
import json
import os
import signal
import sys
import types
from pathlib import Path
from typing import Any

OURS = ("/greyhub/", "/dask_gateway_server/")

START = {"main", "run_main", "setup"}
"""Functions that begin what lasts as long as the broker."""


class Noted(collections.abc.Coroutine[Any, Any, Any]):
    """A coroutine that is looked at each time it waits."""

    def __init__(self, inner: Any, notes: Notes) -> None:
        self.inner, self.notes, self.began = inner, notes, _began()

    def send(self, value: Any) -> Any:
        waits_for = self.inner.send(value)
        self.notes.look(self)
        return waits_for

    def throw(self, *error: Any) -> Any:
        waits_for = self.inner.throw(*error)
        self.notes.look(self)
        return waits_for

    def close(self) -> None:
        self.inner.close()

    def __await__(self) -> Any:
        return self.inner.__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Notes:
    """The places at which this process has waited, in a directory."""

    def __init__(self, directory: Path) -> None:
        self.armed, self.fired = directory / "armed", directory / "fired"
        self.file = (directory / "places").open("a")

    def look(self, task: Noted) -> None:
        """Note where it waits; kill, if that is wanted here."""
        if not (steps := [*task.began, *_steps(task.inner)]):
            return
        place = " > ".join(steps)
        print(place, file=self.file, flush=True)
        if not self.armed.exists():
            return
        wanted = json.loads(self.armed.read_text())
        if place == wanted["place"]:
            self.armed.rename(self.fired)
            for pid in wanted["pids"]:
                os.kill(pid or os.getpid(), signal.SIGKILL)


def _began() -> list[str]:
    """The steps of the task that begins another, until there."""
    frame, steps = sys._getframe(2), list[str]()
    while frame is not None and not isinstance(frame.f_locals.get("self"), Noted):
        if frame.f_code.co_name in START:
            return []
        if any(each in frame.f_code.co_filename for each in OURS):
            steps.insert(0, _step(frame))
        frame = frame.f_back  # type: ignore[assignment]
    return [*frame.f_locals["self"].began, *steps] if frame is not None else steps


def _steps(coroutine: Any) -> list[str]:
    """Ours, and after the last of them one that is not."""
    steps, last = [], ""
    while coroutine is not None:
        frame, inner = _opened(coroutine)
        if frame is not None:
            ours = any(each in frame.f_code.co_filename for each in OURS)
            steps += [_step(frame)] if ours else []
            last = "" if ours else _step(frame).partition(":")[0]
        coroutine = inner
    return [*steps, last] if steps and last else steps


def _step(frame: types.FrameType) -> str:
    code = frame.f_code
    return f"{Path(code.co_filename).stem}.{code.co_name}:{frame.f_lineno}"


def _opened(waiting: Any) -> tuple[types.FrameType | None, Any]:
    """The frame of what waits, and what that waits for."""
    for kind in ("cr", "ag", "gi"):
        if hasattr(waiting, f"{kind}_frame"):
            inner = "gi_yieldfrom" if kind == "gi" else f"{kind}_await"
            return getattr(waiting, f"{kind}_frame"), getattr(waiting, inner)
    for each in gc.get_referents(waiting):  # what asks an asynchronous generator, or a coroutine
        if isinstance(each, types.AsyncGeneratorType | types.CoroutineType):
            return None, each
    return None, None


if __name__ == "sitecustomize" and "greyhub.broker" in sys.orig_argv:
    notes, create = Notes(Path(__file__).parent), asyncio.base_events.BaseEventLoop.create_task

    def create_task(self: Any, coroutine: Any, **options: Any) -> Any:
        return create(self, Noted(coroutine, notes), **options)

    asyncio.base_events.BaseEventLoop.create_task = create_task  # type: ignore[method-assign]
