"""An open file on an SFTP server."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from greyhub.homespace.stores import Entry
from greyhub.homespace.stores.errors import FileChanged, refusal
from greyhub.homespace.stores.sftp_paths import SFTPPaths, entry_of

REQUEST = 2**15
"""Bytes that every server sends in one answer."""

GROUP = 2**23


class SFTPClient(Protocol):
    """What an open file needs of its store."""

    root: str

    @property
    def client(self) -> Any:
        """The connection, made again where it was lost."""

    def ask(self, path: str, work: Callable[[], Any], /) -> Any:
        """Do something on the server, again while it is busy."""


class SFTPSource:
    """An open file on the server, opened again after a lost connection if it is the same."""

    def __init__(self, store: SFTPClient, path: str) -> None:
        self.store, self.path = store, path
        self.entry = Entry(path, "file")
        self._file: Any = None
        self._connection: Any = None
        self._channel: Any = None

    def open(self) -> None:
        """Open the file on some channel."""
        connection = self.store.client
        with connection.channel() as channel:
            place = SFTPPaths(channel.sftp, self.store.root).real(self.path)
            mode = channel.sftp.stat(place).st_mode
            if not stat.S_ISREG(mode):
                raise refusal(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, self.path)
            file = channel.sftp.open(place, "rb")
            entry = entry_of(self.path, file.stat())
        if self.entry.version and entry.version != self.entry.version:
            raise FileChanged(path=self.path)
        self.entry, self._file = entry, file
        self._connection, self._channel = connection, channel

    def fetch(self, start: int, end: int) -> bytes:
        """Bytes of the file that was opened."""
        end = min(end, self.entry.size)
        groups = [(at, min(at + GROUP, end)) for at in range(start, end, GROUP)]
        return b"".join(self.store.ask(self.path, partial(self._read, *each)) for each in groups)

    def _read(self, start: int, end: int) -> bytes:
        if self.store.client is not self._connection:
            self.open()
        # Many small requests that are sent before the first answer is awaited.
        parts = [(at, min(REQUEST, end - at)) for at in range(start, end, REQUEST)]
        with self._channel.lock:
            return b"".join(self._file.readv(parts))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with self._channel.lock, suppress(Exception):
                self._file.close()
