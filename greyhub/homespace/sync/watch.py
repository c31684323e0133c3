"""Watch the local tree: inotify events, and sweeps for what events miss.

Events are quick and may be lost: when a queue overflows, where the kernel watches no
more folders, for memory-mapped writes. So a sweep goes over everything now and then,
as often as it costs next to nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import termios
import threading
import time
from array import array
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greyhub.homespace.sync.ignore import FILE as IGNORE
from greyhub.homespace.sync.keys import reserved

if TYPE_CHECKING:
    from inotify_simple import INotify

SHARE: Final = 1 / 300
"""The part of a core that sweeps may cost, and looks at the store as much again."""

CALM: Final = 1 / 50
"""The part of a core that the sweeps may cost with which a process begins anew."""

SHORTEST: Final = 20.0
"""Seconds between two sweeps of a home that is quickly swept."""

BLIND: Final = 2.0
"""Seconds between two sweeps while there are no events."""

PAUSE: Final = 0.2
"""Seconds for which events gather. While nobody reads them they cost their makers next to
nothing: git is a tenth slower where they are read beside it, and new folders watched."""

OFTEN: Final = 0.05
"""Seconds after which it is looked how many there are."""

MANY: Final = 256 << 10
"""Bytes of events that do not wait: the kernel keeps 16,384, of 32 bytes at least, and
drops the others."""

GONE: Final = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP)
"""Why a folder is not watched that is none any more, or is closed."""


class Watch:
    """Tells of every path that may have changed below a directory.

    Parameters
    ----------
    home : Path
        The directory.
    changed : Callable[[list[str]], None]
        Called with paths that events named, from a thread of the watch's own.
    skips : Callable[[str], bool]
        Whether nothing that is in a folder is of interest.
    """

    def __init__(
        self,
        home: Path,
        changed: Callable[[list[str]], None],
        skips: Callable[[str], bool] = lambda folder: False,
    ) -> None:
        self.home, self.changed, self.skips = home, changed, skips
        self.trouble = ""
        """Why there are no events, or not of all folders."""
        self._lost = threading.Event()
        """Some events were dropped, or not listened to: everything is to be looked at."""
        self._new: set[str] = set()
        """New folders, in which things may have been before they were watched."""
        self._folders: dict[int, str] = {}
        """What is watched, by the kernel's numbers: "" or "a/b/"."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watch")

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stop.set()

    @property
    def news(self) -> bool:
        """Whether there is something to look through now."""
        return bool(self._new) or self._lost.is_set()

    def grown(self) -> list[str]:
        """The new folders, each of which is to be looked through once."""
        found: list[str] = []
        while self._new:
            found.append(self._new.pop())
        return [path for path in found if not any(path.startswith(f"{top}/") for top in found)]

    def lost(self) -> bool:
        """Whether something was missed since this was asked last: look at everything."""
        lost = self._lost.is_set()
        self._lost.clear()
        return lost

    def _watch(self) -> None:
        from inotify_simple import INotify

        try:
            with INotify() as kernel:
                self._enter(kernel, "")
                while not self._stop.is_set():
                    _gather(kernel.fileno())
                    self._take(kernel, kernel.read(timeout=0))
        except OSError as error:  # too many of these for the kernel's limit
            self.trouble = f"no events, so changes are found by sweeps: {error}"
            self.changed([])

    def _take(self, kernel: INotify, events: Iterable[Any]) -> None:
        from inotify_simple import flags

        came, left = flags.CREATE | flags.MOVED_TO, flags.MOVED_FROM
        paths: dict[str, None] = {}
        for number, mask, _, name in events:
            if mask & flags.Q_OVERFLOW:
                self._lost.set()
            if mask & flags.IGNORED:
                self._folders.pop(number, None)
            folder = self._folders.get(number)
            if folder is None or not name or reserved(path := folder + name):
                continue
            paths[path] = None
            if mask & flags.ISDIR and mask & came:
                self._enter(kernel, path)
                self._new.add(path)
            elif mask & flags.ISDIR and mask & left:
                self._leave(kernel, path)
        if paths or self._lost.is_set():
            self.changed(list(paths))
        if IGNORE in paths:
            self._enter(kernel, "")  # what was ignored may not be any more
            self._lost.set()  # and nothing has told of what is there
            self.changed([IGNORE])

    def _enter(self, kernel: INotify, top: str) -> None:
        """Watch a folder and all that are in it: first each folder, then what it holds."""
        from inotify_simple import flags

        what = flags.CREATE | flags.DELETE | flags.MODIFY | flags.CLOSE_WRITE | flags.ATTRIB
        what |= flags.MOVED_FROM | flags.MOVED_TO
        how = flags.ONLYDIR | flags.DONT_FOLLOW | flags.EXCL_UNLINK
        folders = [top]
        while folders:
            folder = folders.pop()
            if folder and (reserved(folder) or self.skips(folder)):
                continue
            full = os.path.join(self.home, folder)
            try:
                number = kernel.add_watch(full, what | how)
                self._folders[number] = f"{folder}/" if folder else ""
                with os.scandir(full) as entries:
                    inside = [each.name for each in entries if each.is_dir(follow_symlinks=False)]
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    self.trouble = (
                        "the kernel watches no more folders (fs.inotify.max_user_watches)"
                    )
                elif error.errno not in GONE:
                    raise
                continue
            folders += [os.path.join(folder, name) for name in inside]

    def _leave(self, kernel: INotify, top: str) -> None:
        """Watch a folder no more that has another name, or is elsewhere."""
        below = f"{top}/"
        for number, folder in list(self._folders.items()):
            if folder.startswith(below):
                del self._folders[number]
                with suppress(OSError):
                    kernel.rm_watch(number)


def _gather(kernel: int) -> None:
    """Wait for events, and for those that come soon after."""
    ready = select.poll()
    ready.register(kernel, select.POLLIN)
    if not ready.poll(60_000):
        return
    began = time.monotonic()
    while time.monotonic() - began < PAUSE and _waiting(kernel) < MANY:
        time.sleep(OFTEN)


def _waiting(kernel: int) -> int:
    """Bytes of events that were not read."""
    found = array("i", [0])
    fcntl.ioctl(kernel, termios.FIONREAD, found)
    return found[0]


class Turn:
    """When something costly is to be done next, so that it takes a small share of a core.

    Parameters
    ----------
    shortest : float
        Seconds between two turns at least.
    """

    def __init__(self, shortest: float = SHORTEST) -> None:
        self.shortest = shortest
        self.cost = 0.0
        self.next = time.monotonic() + shortest

    @property
    def due(self) -> bool:
        """Whether it is time."""
        return time.monotonic() >= self.next

    def took(self, cost: float) -> None:
        """It was done, and cost so many seconds of a core."""
        self.cost = cost
        self.next = time.monotonic() + max(self.shortest, cost / SHARE)
