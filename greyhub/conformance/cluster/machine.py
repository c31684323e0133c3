"""Hooks for clusters whose parts are processes of this machine, seen by the kernel's eyes."""

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
from greyhub.conformance.means.fork import is_fork

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

    def begin(self) -> None:
        """Make ready, and see what is there already."""
        self._root = os.getpid()
        # What is detached on purpose or orphaned becomes a child of this process.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        super().begin()  # type: ignore[misc]
        below = psutil.Process().children(recursive=True)
        self._infrastructure = frozenset(process.pid for process in below)

    def alive(self) -> list[Part]:
        """Every process below this one, and every port that a notebook listens on."""
        port = urlsplit(self.overrides.get(self.endpoint, "")).port  # type: ignore[attr-defined]
        below = psutil.Process(self._root).children(recursive=True)
        return list(_parts(below, self._root, self._infrastructure, port))

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


def _parts(
    below: list[psutil.Process], root: int, infrastructure: frozenset[int], port: int | None
) -> Iterator[Part]:
    """The topmost processes that are neither the suite's own nor the author's."""
    known = {root, *infrastructure}
    trees: dict[int, list[psutil.Process]] = {}
    for process in _downwards(below):
        with suppress(psutil.NoSuchProcess):
            above = process.ppid()
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if is_fork(process.pid, process.name()):
                known.add(process.pid)
                yield from _ports(process, port)
            elif process.pid in infrastructure:
                continue
            elif above in known:
                trees[process.pid] = [process]
            else:
                tree = next((tree for tree in trees.values() if above in _pids(tree)), None)
                if tree is not None:
                    tree.append(process)
    for pid, tree in trees.items():
        argv = tuple(word for process in tree for word in _command(process))
        kind = "scheduler" if any(map(_names_a_scheduler, argv)) else "worker"
        yield Part(str(pid), kind, argv=argv)


def _downwards(below: list[psutil.Process]) -> list[psutil.Process]:
    """Parents before their children; pids are given anew one day, so that they do not tell."""
    pids = {process.pid for process in below}
    above = {}
    for process in below:
        with suppress(psutil.NoSuchProcess):
            above[process.pid] = process.ppid()

    def depth(pid: int) -> int:
        return 1 + depth(above[pid]) if above.get(pid) in pids else 0

    return sorted(below, key=lambda process: depth(process.pid))


def _pids(tree: list[psutil.Process]) -> list[int]:
    return [process.pid for process in tree]


def _command(process: psutil.Process) -> list[str]:
    try:
        return [process.name(), *process.cmdline()]
    except psutil.NoSuchProcess:
        return []


def _names_a_scheduler(word: str) -> bool:
    # Not where it stands in the code of an interpreter's -c.
    return "scheduler" in word.lower() and "import " not in word


def _ports(process: psutil.Process, ours: int | None) -> Iterator[Part]:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        for each in process.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr.port != ours:
                yield Part(f"{process.pid}:{each.laddr.port}", "port in a notebook")
