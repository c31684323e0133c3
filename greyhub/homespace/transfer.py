"""Copy within, out of and into a home, by the rules of fsspec's documentation.

Names are literal here. fsspec's own methods expand patterns, in the names of
local files too, so that a file named ``a*`` could not be copied alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from fsspec.callbacks import DEFAULT_CALLBACK

from greyhub.homespace import paths
from greyhub.homespace.listing import Listing

Paths = str | os.PathLike[str] | Sequence[str]
Look = Callable[[str], Iterable[tuple[str, bool]]]
"""All that is at and below a path: names below it, the path itself as ``""``, and
whether each is a directory."""


class Step(NamedTuple):
    """One file or directory on its way."""

    source: str
    target: str
    directory: bool


def plan(
    sources: Paths,
    targets: Paths,
    look: Look,
    is_directory: Callable[[str], bool],
    recursive: bool,
    maxdepth: int | None,
) -> Iterator[Step]:
    """The steps that copy sources to targets.

    Parameters
    ----------
    sources : str or sequence of str
        One path, or several.
    targets : str or sequence of str
        One for each source, or one for all of several: a directory.
    look : callable
        What there is to be copied.
    is_directory : callable
        Whether there is a directory at a target.
    recursive : bool
        Go into directories; otherwise they are left out.
    maxdepth : int, optional
        How deep to go.
    """
    for source, target in _pairs(sources, targets, is_directory):
        for name, directory in look(source):
            depth = name.count("/") + 1 if name else 0
            if directory and not recursive:
                break
            if maxdepth is None or depth < maxdepth or (depth == maxdepth and not directory):
                below = f"/{name}" if name else ""
                yield Step(source + below, target + below, directory)


def listed(value: Paths) -> list[str] | None:
    """Several paths; None if it is one."""
    return None if isinstance(value, str | os.PathLike) else [os.fspath(each) for each in value]


def _pairs(
    sources: Paths, targets: Paths, is_directory: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    several, each_its_own = listed(sources), listed(targets)
    if each_its_own is not None:
        if several is None or len(several) != len(each_its_own):
            raise ValueError("several targets need as many sources")
        yield from zip(several, each_its_own, strict=True)
        return
    target = os.fspath(cast("str", targets))
    into = several is not None or target.endswith("/") or is_directory(target)
    for source in [os.fspath(cast("str", sources))] if several is None else several:
        # A slash at a source's end means what is in the directory, not the directory.
        name = f"/{paths.base(source)}" if into and not source.endswith("/") else ""
        yield source.rstrip("/"), target.rstrip("/") + name


def look_here(path: str) -> Iterator[tuple[str, bool]]:
    """What is at and below a local path; links to directories are not entered."""
    root = Path(path)
    yield "", root.is_dir()
    if root.is_dir():
        for directory, names, files in os.walk(root):
            above = Path(directory).relative_to(root)
            yield from (((above / name).as_posix(), True) for name in names)
            yield from (((above / name).as_posix(), False) for name in files)


class Transfers(Listing):
    """The half of `Home` that copies."""

    def _look(self, path: str) -> Iterator[tuple[str, bool]]:
        entry = self.info(path)
        yield "", entry["type"] == "directory"
        if entry["type"] == "directory":
            start = len(paths.below(path)) + 1 if paths.below(path) else 0
            for each in self._tree(paths.below(path)):
                if each.type in ("file", "directory"):
                    yield each.name[start:], each.type == "directory"
                elif each.type == "link" and self.isfile(each.name):
                    yield each.name[start:], False

    def _carry(self, steps: Iterable[Step], carry: Callable[[Step], None], callback: Any) -> None:
        todo = list(steps)
        callback.set_size(len(todo))
        for each in todo:  # in order, so that each stands before what is in it
            if each.directory:
                carry(each)
                callback.relative_update(1)
        files = [each for each in todo if not each.directory]
        if self.store.width == 1 or len(files) < 2:
            for each in files:
                carry(each)
                callback.relative_update(1)
            return
        with ThreadPoolExecutor(self.store.width) as pool:
            for done in [pool.submit(carry, each) for each in files]:
                done.result()
                callback.relative_update(1)

    def copy(
        self,
        path1: Paths,
        path2: Paths,
        recursive: bool = False,
        maxdepth: int | None = None,
        on_error: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy within the home; names are literal.

        With ``on_error="ignore"``, which is the default if recursive, files that
        are removed meanwhile are left out.
        """
        ignore = on_error == "ignore" or (on_error is None and recursive)

        def carry(step: Step) -> None:
            try:
                self.cp_file(step.source, step.target)
            except FileNotFoundError:
                if not ignore:
                    raise

        steps = plan(path1, path2, self._look, self.isdir, recursive, maxdepth)
        self._carry(steps, carry, DEFAULT_CALLBACK)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy one file; of a directory, make another one."""
        source, target = self._path(path1), self._path(path2)
        if self.info(source)["type"] == "directory":
            self.makedirs(target, exist_ok=True)
        elif source != target:
            self.store.copy(source, target)

    def get(
        self,
        rpath: Paths,
        lpath: Paths,
        recursive: bool = False,
        callback: Any = DEFAULT_CALLBACK,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy to this machine's disk; names are literal."""

        def carry(step: Step) -> None:
            self.get_file(step.source, step.target)

        steps = plan(rpath, lpath, self._look, os.path.isdir, recursive, maxdepth)
        self._carry(steps, carry, callback)

    def get_file(
        self,
        rpath: str,
        lpath: Any,
        callback: Any = DEFAULT_CALLBACK,
        outfile: IO[bytes] | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy one file to this machine's disk, where it appears whole."""
        if outfile is not None or hasattr(lpath, "write"):
            return self._read_into(rpath, outfile or lpath, callback)
        local = Path(lpath)
        if self.isdir(rpath):
            return local.mkdir(parents=True, exist_ok=True)
        local.parent.mkdir(parents=True, exist_ok=True)
        part = local.with_name(f".{local.name[:100]}.{os.urandom(6).hex()}.part")
        try:
            with part.open("xb") as file:
                self._read_into(rpath, file, callback)
            part.replace(local)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()

    def _read_into(self, path: str, file: IO[bytes], callback: Any) -> None:
        with self.open(path, "rb") as source:
            callback.set_size(source.size)
            while chunk := source.read(self.store.block):
                file.write(chunk)
                callback.relative_update(len(chunk))

    def put(
        self,
        lpath: Paths,
        rpath: Paths,
        recursive: bool = False,
        callback: Any = DEFAULT_CALLBACK,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy from this machine's disk; names are literal."""

        def carry(step: Step) -> None:
            self.put_file(step.source, step.target, **kwargs)

        steps = plan(lpath, rpath, look_here, self.isdir, recursive, maxdepth)
        self._carry(steps, carry, callback)

    def put_file(
        self,
        lpath: Any,
        rpath: str,
        callback: Any = DEFAULT_CALLBACK,
        mode: str = "overwrite",
        **kwargs: Any,
    ) -> None:
        """Copy one file from this machine's disk; it appears whole."""
        if Path(lpath).is_dir():
            self.makedirs(rpath, exist_ok=True)
            return
        size = Path(lpath).stat().st_size
        callback.set_size(size)
        with open(lpath, "rb") as body:
            self._put(rpath, body, mode)
        callback.absolute_update(size)
