"""Homes on an SFTP server, through paramiko."""

from __future__ import annotations

import errno
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from time import time
from typing import IO, Any, TypeVar

import paramiko
from fsspec.utils import infer_storage_options

from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import PART, Entry, Source, Store
from greyhub.homespace.stores.errors import Unavailable, refusal
from greyhub.homespace.stores.sftp_paths import SFTPPaths, entry_of
from greyhub.homespace.stores.sftp_source import SFTPSource
from greyhub.homespace.stores.ssh import Connection

T = TypeVar("T")

LEFT_OVER = 24 * 3600.0
"""Seconds after which a file that was not published has no writer any more."""


class SFTPStore(Store):
    """A directory on a server. A file goes up under a hidden name and is then renamed.

    Where a path leads is asked of the server before each operation. The server,
    and not this check, keeps users apart who could change it in between.
    """

    can = frozenset(
        {"append", "atomic", "directories", "exclusive_create", "processes",
         "symlinks", "touch"}
    )  # fmt: skip

    def __init__(self, url: str, secrets: Secrets, patience: float) -> None:
        super().__init__(url, secrets, patience)
        found = infer_storage_options(url)
        self.root = found["path"].rstrip("/") or "/"
        self._of_url = {k: found[k] for k in ("host", "port", "username") if found.get(k)}

    def connect(self) -> Any:
        """A connection with the credentials as they are now."""
        return Connection({**self._of_url, **self.secrets.read()})

    def disconnect(self, client: Any) -> None:
        """End a connection."""
        with suppress(Exception):
            client.close()

    def broken(self, client: Any) -> None:
        """After a lost answer the next one might belong to another question."""
        self.renew(client)

    def understand(self, error: Exception) -> OSError | None:
        """An OSError by what paramiko raises."""
        if isinstance(error, paramiko.BadHostKeyException):
            return PermissionError(errno.EACCES, "the server's key is not the one that is known")
        if isinstance(error, paramiko.AuthenticationException):
            return PermissionError(errno.EACCES, "the server refuses the credentials")
        if isinstance(error, paramiko.SSHException) and "known_hosts" in str(error):
            return PermissionError(errno.EACCES, f"{error}: set host_key in storage_options")
        if isinstance(error, UnicodeError):
            return OSError(errno.EILSEQ, "a name on the server is not UTF-8")
        if isinstance(error, paramiko.SSHException | EOFError | ConnectionError | TimeoutError):
            return Unavailable(f"no answer: {type(error).__name__}")
        if isinstance(error, OSError) and str(error) == "Socket is closed":
            return Unavailable("the connection was lost")
        return error if isinstance(error, OSError) else None

    def on(self, path: str, call: Callable[[SFTPPaths], T], **how: Any) -> T:
        """Ask on some channel."""

        def ask() -> T:
            with self.client.channel() as channel:
                return call(SFTPPaths(channel.sftp, self.root))

        return self.ask(path, ask, **how)

    def make_root(self) -> None:
        """Make the directory, for nobody else to read."""

        def make(at: SFTPPaths) -> None:
            parts = self.root.strip("/").split("/")
            for depth in range(1, len(parts) + 1):
                each = "/" + "/".join(parts[:depth])
                if not at.exists(each):
                    at.sftp.mkdir(each, 0o700 if depth == len(parts) else 0o755)

        self.on("", make)

    def info(self, path: str) -> Entry:
        """What is at a path. A link that leads nowhere, or out, is described itself."""

        def look(at: SFTPPaths) -> Entry:
            if not path:
                return entry_of("", at.sftp.stat(self.root))
            place = at.place(path)
            own = entry_of(path, at.sftp.lstat(place))
            if own.type != "link":
                return own
            own = replace(own, destination=at.sftp.readlink(place))
            try:
                found = entry_of(path, at.sftp.stat(at.real(path)))
            except (FileNotFoundError, PermissionError):
                return own
            return replace(found, destination=own.destination)

        return self.on(path, look)

    def entries(self, path: str) -> Iterator[Entry]:
        """What a directory holds, links unfollowed."""

        def read(at: SFTPPaths) -> list[Entry]:
            place, entries = at.directory(path), []
            for found in at.sftp.listdir_attr(place):
                name = found.filename
                if name.startswith(PART):
                    if time() - (found.st_mtime or 0) > LEFT_OVER:
                        at.forget(f"{place}/{name}")
                    continue
                entry = entry_of(f"{path}/{name}" if path else name, found)
                if entry.type == "link":
                    entry = replace(entry, destination=at.sftp.readlink(f"{place}/{name}"))
                entries.append(entry)
            return entries

        return iter(self.on(path, read))

    def source(self, path: str) -> Source:
        """Open a file; it stays the same however it is replaced."""
        source = SFTPSource(self, path)
        self.ask(path, source.open)
        return source

    def put(
        self, path: str, body: IO[bytes], *, exclusive: bool = False, match: str | None = None
    ) -> None:
        """Upload under a hidden name, then rename."""
        if match is not None:
            raise self.lacks("conditional_write")
        start = body.tell()

        def upload(at: SFTPPaths) -> tuple[str, str]:
            body.seek(start)
            place = at.place(path, make=True, follow=not exclusive)
            hidden = f"{place.rpartition('/')[0]}/{PART}{uuid.uuid4().hex}"
            try:
                new = at.sftp.putfo(body, hidden)
                if not exclusive:
                    self._succeed(at, path, place, hidden, new)
            except BaseException:
                at.forget(hidden)
                raise
            return hidden, place

        def rename(at: SFTPPaths) -> None:
            try:
                # SFTP's own rename refuses a name that is taken.
                (at.sftp.rename if exclusive else at.sftp.posix_rename)(hidden, place)
            except (FileNotFoundError, EOFError):
                raise
            except OSError as error:
                taken = exclusive and at.exists(place)
                at.forget(hidden)
                if taken:
                    raise refusal(errno.EEXIST, path) from None
                if "unsupported" in str(error).lower():
                    raise self.lacks("atomic") from None
                raise

        hidden, place = self.on(path, upload)
        # The hidden name is nobody else's: if it is gone, the first try had worked.
        self.on(path, rename, settled=FileNotFoundError)

    def _succeed(self, at: SFTPPaths, path: str, place: str, hidden: str, new: Any) -> None:
        try:
            old = at.sftp.lstat(place)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(old.st_mode):
            raise refusal(errno.EISDIR, path)
        # The mode stays. SFTP tells whole seconds: a file of the same size that was
        # changed twice within one is told apart by a time that is one second later.
        at.sftp.chmod(hidden, stat.S_IMODE(old.st_mode))
        if new.st_mtime <= old.st_mtime:
            at.sftp.utime(hidden, (new.st_atime, old.st_mtime + 1))

    def append(self, path: str, body: IO[bytes]) -> None:
        """Add to the end of a file in place; what could not be added whole is taken back."""

        def find(at: SFTPPaths) -> str:
            place = at.place(path, make=True, follow=True)
            if at.exists(place) and at.is_directory(place):
                raise refusal(errno.EISDIR, path)
            return place

        def add(at: SFTPPaths) -> None:
            with at.sftp.open(place, "ab") as file:
                size = file.stat().st_size
                try:
                    while chunk := body.read(self.block):
                        file.write(chunk)
                except OSError:
                    file.truncate(size)
                    raise

        place = self.on(path, find)
        self.on(path, add, once=True)  # it may have been added when the answer is lost

    def copy(self, source: str, target: str) -> None:
        """Bring a file here and send it there: SFTP copies nothing itself."""
        opened = self.source(source)
        try:
            with self.stage(target) as body:
                for start in range(0, opened.entry.size, self.block):
                    body.write(opened.fetch(start, start + self.block))
                body.seek(0)
                self.put(target, body)
            mode = self.on(source, lambda at: at.sftp.stat(at.real(source)).st_mode)
            self.on(target, lambda at: at.sftp.chmod(at.real(target), stat.S_IMODE(mode)))
        finally:
            opened.close()

    def move(self, source: str, target: str) -> None:
        """Rename."""

        def rename(at: SFTPPaths) -> None:
            place = at.place(source)
            at.sftp.lstat(place)
            at.sftp.posix_rename(place, at.place(target, make=True))

        self.on(source, rename, settled=FileNotFoundError)

    def remove(self, path: str) -> None:
        """Remove a file or a link."""

        def remove(at: SFTPPaths) -> None:
            place = at.place(path)
            if at.is_directory(place):
                raise refusal(errno.EISDIR, path)
            at.sftp.remove(place)

        self.on(path, remove, settled=FileNotFoundError)

    def make_directory(self, path: str) -> None:
        """Make a directory and those above it."""

        def make(at: SFTPPaths) -> None:
            place = at.place(path, make=True)
            if at.exists(place):
                raise refusal(errno.EEXIST, path)
            at.sftp.mkdir(place)

        self.on(path, make, settled=FileExistsError)

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""

        def remove(at: SFTPPaths) -> None:
            place = at.place(path)
            if not at.is_directory(place):
                raise refusal(errno.ENOTDIR, path)
            if at.sftp.listdir(place):
                raise refusal(errno.ENOTEMPTY, path)
            at.sftp.rmdir(place)

        list(self.entries(path))  # takes leftovers away
        self.on(path, remove, settled=FileNotFoundError)

    def remove_tree(self, path: str) -> None:
        """Remove a directory and all that it holds; no link is followed."""

        def remove(at: SFTPPaths, place: str) -> None:
            for found in at.sftp.listdir_attr(place):
                each = f"{place}/{found.filename}"
                with suppress(FileNotFoundError):  # removed meanwhile
                    remove(at, each) if stat.S_ISDIR(found.st_mode) else at.sftp.remove(each)
            at.sftp.rmdir(place)

        def start(at: SFTPPaths) -> None:
            place = at.place(path)
            if not at.is_directory(place):
                raise refusal(errno.ENOTDIR, path)
            remove(at, place)

        self.on(path, start, settled=FileNotFoundError)

    def touch(self, path: str) -> None:
        """Set the time of the last change to now."""
        self.on(path, lambda at: at.sftp.utime(at.real(path), None))
