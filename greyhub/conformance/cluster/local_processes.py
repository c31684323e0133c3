"""Hooks for clusters whose parts are processes of this machine, found in /proc."""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import dask
import psutil

from greyhub.conformance.cluster.suite import Part
from greyhub.conformance.testkit.fork import is_fork

_PR_SET_CHILD_SUBREAPER = 36

_CROWDED = """\
import os
me = str(os.getpid())
for place in range({room}):
    path = os.path.join({folder!r}, str(place))
    try:
        with open(path, "x") as taken:
            taken.write(me)
        break
    except FileExistsError:
        if open(path).read() == me:  # Dask may load this twice
            break
else:
    raise RuntimeError("there is no capacity for another worker")
"""

_BROKEN = 'raise RuntimeError("no scheduler comes up today")\n'


class OnThisMachine:
    """A mixin for a suite: ``class TestMine(OnThisMachine, ClusterSuite)``.

    A part is a process that stands below this one, with all that stands below it;
    not those that `prepare` has started, but each child of theirs. What a notebook
    itself listens on is a part, too, which cannot be killed alone.
    """

    _root: int
    _infrastructure: frozenset[int]
    _open: frozenset[int]

    def begin(self) -> None:
        """Make ready, and see what is there already."""
        self._root = os.getpid()
        # What is detached on purpose or orphaned becomes a child of this process.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        super().begin()  # type: ignore[misc]
        below = psutil.Process().children(recursive=True)
        self._infrastructure = frozenset(process.pid for process in below)
        # A notebook begins with what this process listens on.
        self._open = frozenset(_listening(self._root))

    def alive(self) -> list[Part]:
        """Every process below this one, and every port that a notebook listens on."""
        proxy = self._proxy  # type: ignore[attr-defined]
        ours = self._open | {urlsplit(proxy.url).port} if proxy else self._open
        found: list[Part] = []
        _look(self._root, self._infrastructure, ours, found)
        return found

    def kill(self, part: Part) -> None:
        """SIGKILL to its processes; a port goes with its notebook."""
        if part.id.isdigit():
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(int(part.id))
                for each in (process, *process.children(recursive=True)):
                    with suppress(psutil.NoSuchProcess):
                        each.kill()

    @contextmanager
    def fault(self, kind: str, room: int = 0) -> Iterator[Path]:
        """``full`` and ``scheduler``, by what every part of Dask loads as it starts."""
        script, what = {
            "full": (_CROWDED, "worker"),
            "scheduler": (_BROKEN, "scheduler"),
        }[kind]
        with ExitStack() as undo:
            folder = Path(undo.enter_context(tempfile.TemporaryDirectory()))
            path = folder / "preload.py"
            path.write_text(script.format(room=room, folder=str(folder)))
            variable = f"DASK_DISTRIBUTED__{what.upper()}__PRELOAD"
            undo.callback(os.environ.pop, variable, None)
            os.environ[variable] = repr([str(path)])
            undo.enter_context(dask.config.set({f"distributed.{what}.preload": [str(path)]}))
            yield folder


def _look(
    above: int, infrastructure: frozenset[int], ours: frozenset[int], found: list[Part]
) -> None:
    """Find the topmost processes that are neither the suite's own nor the author's."""
    for pid in _children(above):
        name, state = _stat(pid)
        if state in "ZX":
            continue
        if is_fork(pid, name):
            ports = (port for port in _listening(pid) if port not in ours)
            found.extend(Part(f"{pid}:{port}", "port in a notebook") for port in ports)
            _look(pid, infrastructure, ours, found)
        elif pid in infrastructure:
            _look(pid, infrastructure, ours, found)
        else:
            argv = tuple(_words(pid, name))
            kind = "scheduler" if any(map(_names_a_scheduler, argv)) else "worker"
            found.append(Part(str(pid), kind, argv=argv))


def _children(pid: int) -> list[int]:
    """The children of a process, as its kernel lists them."""
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def _stat(pid: int) -> tuple[str, str]:
    """A process's name and state; ``X`` if it is gone."""
    try:
        before, _, after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except OSError:
        return "", "X"
    return before.partition("(")[2], after.split()[0]


def _words(pid: int, name: str) -> Iterator[str]:
    """The name and the command line of a process, and those of all below it."""
    yield name
    with suppress(OSError):
        text = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        yield from text.rstrip("\0").split("\0")
    for child in _children(pid):
        yield from _words(child, _stat(child)[0])


def _names_a_scheduler(word: str) -> bool:
    # Not where it stands in the code of an interpreter's -c.
    return "scheduler" in word.lower() and "import " not in word


def _listening(pid: int) -> Iterator[int]:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        for each in psutil.Process(pid).net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN:
                yield each.laddr.port
