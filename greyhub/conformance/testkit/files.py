"""Watch which files of a directory this process opens, and forbid some of them."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_watching: list[FileWatcher] = []
_hooked = False


class FileWatcher:
    """Watches a directory while a block lasts, by Python's own audit events.

    What a library in C opens by itself is not seen.
    """

    def __init__(self, root: Path) -> None:
        self.root = f"{root.resolve()}{os.sep}"
        self.opened: set[str] = set()
        """The paths in it that were opened, directories that were listed included."""
        self._forbidden: set[str] = set()

    def __enter__(self) -> FileWatcher:
        global _hooked
        if not _hooked:
            # An audit hook stays for ever; this one costs a look-up where nobody watches.
            sys.addaudithook(_hear)
            _hooked = True
        _watching.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _watching.remove(self)

    @contextmanager
    def forbidden(self, path: str) -> Iterator[None]:
        """Let a file be refused to whoever opens it, root included."""
        self._forbidden.add(path)
        try:
            yield
        finally:
            self._forbidden.discard(path)

    def hear(self, name: str) -> None:
        """A file is opened."""
        path = os.path.abspath(name)
        if path.startswith(self.root):
            path = path[len(self.root) :]
            self.opened.add(path)
            if path in self._forbidden:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)


def _hear(event: str, args: tuple[object, ...]) -> None:
    if _watching and event in ("open", "os.listdir", "os.scandir") and isinstance(args[0], str):
        for each in tuple(_watching):
            each.hear(args[0])
