"""Watch or refuse what this process opens, connects to and starts, by Python's audit events.

What a library in C does by itself is not seen.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from greyhub.conformance.record import shorten

OUTSIDE = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.sendto",
        "subprocess.Popen",
        "os.system",
        "os.posix_spawn",
        "os.fork",
        "os.exec",
    }
)
"""Events that lead out of a process."""

Hook = Callable[[str, tuple[Any, ...]], None]

_hooks: list[Hook] = []


@contextmanager
def audited(hook: Hook) -> Iterator[None]:
    """Call a function with each event while a block lasts; what it raises, the code gets."""
    _install()
    _hooks.append(hook)
    try:
        yield
    finally:
        _hooks.remove(hook)


@cache
def _install() -> None:
    # An audit hook stays for ever; this one costs a look-up where nobody watches.
    sys.addaudithook(_hear)


def _hear(event: str, args: tuple[Any, ...]) -> None:
    for hook in tuple(_hooks):
        hook(event, args)


@contextmanager
def outside() -> Iterator[list[str]]:
    """The connections and processes that this thread begins during the block."""
    seen: list[str] = []
    thread = threading.get_ident()

    def hear(event: str, args: tuple[Any, ...]) -> None:
        if event in OUTSIDE and threading.get_ident() == thread:
            seen.append(f"{event} {shorten(args[-1])}")

    with audited(hear):
        yield seen


class FileWatcher:
    """Watches a directory: which of its files are opened, and some that may not be."""

    def __init__(self, root: Path) -> None:
        self.root = f"{root.resolve()}{os.sep}"
        self.opened: set[str] = set()
        """The paths in it that were opened, directories that were listed included."""
        self._forbidden: set[str] = set()

    @contextmanager
    def forbidden(self, path: str) -> Iterator[None]:
        """Let a file be refused to whoever opens it, root included."""
        self._forbidden.add(path)
        try:
            yield
        finally:
            self._forbidden.discard(path)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """The hook for `audited`."""
        if event in ("open", "os.listdir", "os.scandir") and isinstance(args[0], str):
            path = os.path.abspath(args[0])
            if path.startswith(self.root):
                path = path[len(self.root) :]
                self.opened.add(path)
                if path in self._forbidden:
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), args[0])


@contextmanager
def cut_off(*addresses: str) -> Iterator[list[int]]:
    """Cut this process off from these addresses while the block lasts.

    Gives a list with the number of connections that were broken. Those that
    others have made to this process stay.
    """
    ports = {port for port in (urlsplit(address).port for address in addresses) if port}

    def refuse(event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(args[1], tuple) and args[1][1] in ports:
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

    with audited(refuse):
        yield [_break(ports)]


def _break(ports: set[int]) -> int:
    broken = 0
    for each in psutil.Process().net_connections("tcp"):
        if each.raddr and each.raddr.port in ports and each.fd >= 0:
            with suppress(OSError), socket.socket(fileno=os.dup(each.fd)) as connection:
                connection.shutdown(socket.SHUT_RDWR)
                broken += 1
    return broken
