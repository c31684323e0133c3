"""Noticing changes of the local tree: the kernel's events, and a sweep that misses nothing.

Events are quick and may be lost: when a queue overflows, while a new folder is
not yet watched, for memory-mapped writes. So a sweep goes over everything now
and then, as often as it costs next to nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from greyhub.homespace.sync.keys import reserved

SHARE: Final = 1 / 200
"""The part of a core that sweeps, and looks at the store, may cost."""

SHORTEST: Final = 20.0
"""Seconds between two sweeps of a home that is quickly swept."""

BLIND: Final = 2.0
"""Seconds between two sweeps while there are no events."""

GROW_UP: Final = 1.0
"""Seconds after which a new folder is looked through again: by then it is watched."""


class Watch:
    """Tells of every path that may have changed below a directory.

    Parameters
    ----------
    home : Path
        The directory.
    changed : Callable[[list[str]], None]
        Called with paths that an event named, from a thread of the watch's own.
    """

    def __init__(self, home: Path, changed: Callable[[list[str]], None]) -> None:
        self.home, self.changed = home, changed
        self.trouble = ""
        """Why there are no events, if there are none."""
        self.young: dict[str, float] = {}
        """New folders, and when to look through them."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watch")

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stop.set()

    def grown(self) -> list[str]:
        """The new folders that are to be looked through now."""
        now = time.monotonic()
        ready = [path for path, at in self.young.copy().items() if at <= now]
        for path in ready:
            self.young.pop(path, None)
        return ready

    @property
    def nearest(self) -> float:
        """When a new folder is to be looked through next."""
        return min(self.young.copy().values(), default=float("inf"))

    def _watch(self) -> None:
        from watchfiles import Change, watch

        top = f"{self.home}/"
        try:
            for changes in watch(
                self.home,
                watch_filter=None,
                debounce=100,
                step=20,
                rust_timeout=60_000,
                stop_event=self._stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                paths = []
                for change, full in changes:
                    path = full.removeprefix(top)
                    if path == full or reserved(path):
                        continue
                    paths.append(path)
                    if change is Change.added and os.path.isdir(full):
                        self.young[path] = time.monotonic()
                        self.young.setdefault(f"{path}/", time.monotonic() + GROW_UP)
                if paths:
                    self.changed(paths)
        except Exception as error:  # too many folders for the kernel's limit, most often
            self.trouble = f"no events, so changes are found by sweeps: {error}"


class Turn:
    """When something costly is to be done next, so that it takes a small share of a core.

    Parameters
    ----------
    shortest : float
        Seconds between two turns at least.
    """

    def __init__(self, shortest: float = SHORTEST) -> None:
        self.shortest = shortest
        self.next = time.monotonic() + shortest

    @property
    def due(self) -> bool:
        """Whether it is time."""
        return time.monotonic() >= self.next

    def took(self, cost: float) -> None:
        """It was done, and cost so many seconds of a core."""
        self.next = time.monotonic() + max(self.shortest, cost / SHARE)
