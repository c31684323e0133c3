"""Homes on a WebDAV server, through webdav4's HTTP client.

WebDAV replaces a file by removing it first, so a reader may find nothing in
between. What is about to take a name stands beside it under a hidden one that
tells so: a home that misses the file waits for it, and finishes what a writer
that died in between had begun.
"""

from __future__ import annotations

import errno
import hashlib
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import PART, SWAP, Entry, Source, Store, webdav_answers
from greyhub.homespace.stores.errors import FileChanged, Unavailable, refusal

LEFT_OVER = 24 * 3600.0
TIMEOUT = 30.0
STUCK = 5.0
"""Seconds that a file waits for its name before a reader takes it there."""
MISSES = 2
"""So often in a row a file is missed before it is gone."""

_CUT = re.compile(r"[?;]")
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


class WebDAVStore(Store):
    """A collection on a server."""

    can = frozenset({"atomic", "directories", "processes"})

    def __init__(self, url: str, secrets: Secrets, patience: float) -> None:
        super().__init__(url, secrets, patience)
        self.root = url.partition("://")[2].strip("/")
        self._keeps_all: bool | None = None

    def connect(self) -> Any:
        """An HTTP client that leaves repeating to us."""
        from webdav4.fsspec import WebdavFileSystem

        options = {"timeout": TIMEOUT, **self.secrets.read()}
        if isinstance(options.get("auth"), list):
            options["auth"] = tuple(options["auth"])
        return WebdavFileSystem(**options, retry=False, skip_instance_cache=True).client

    def disconnect(self, client: Any) -> None:
        """Close the connections."""
        with suppress(Exception):
            client.http.close()

    def understand(self, error: Exception) -> OSError | None:
        """An OSError for what went wrong on the way."""
        import httpx

        if isinstance(error, httpx.TransportError):
            return Unavailable(f"no answer: {type(error).__name__}")
        return error if isinstance(error, OSError) else None

    def check_name(self, path: str) -> None:
        """XML has no control characters, so no server could list them."""
        if _UNWRITABLE.search(path):
            raise refusal(errno.EINVAL, path, "WebDAV has no names with control characters")

    def request(
        self, path: str, method: str, headers: Mapping[str, str] | None = None, **how: Any
    ) -> Any:
        """One request about a path; ``to`` is the path that it is moved or copied to."""
        content, settled = how.pop("content", None), how.pop("settled", ())
        root, to = how.pop("root", self.root), how.pop("to", None)

        def send() -> Any:
            client = self.client
            base, given = str(client.base_url), dict(headers or {})
            if to is not None:
                given["Destination"] = webdav_answers.place(base, root, to)
            body = content() if callable(content) else content
            answer = client.http.request(
                method, webdav_answers.place(base, root, path), headers=given, content=body
            )
            if answer.status_code >= 400:
                raise webdav_answers.of_status(answer.status_code)
            if answer.status_code == 207 and method != "PROPFIND":
                raise OSError(errno.EIO, "the server did only a part of it")
            return answer

        return self.ask(path, send, settled=settled)

    def make_root(self) -> None:
        """Make the collection."""
        parts = self.root.split("/")
        for depth in range(1, len(parts) + 1):
            with suppress(FileExistsError):
                self.request("/".join(parts[:depth]), "MKCOL", root="")

    def find(self, path: str, depth: int) -> list[Entry]:
        """What is at a path and, with a depth of 1, in it: hidden names too."""
        headers = {"Depth": str(depth), "Content-Type": "application/xml"}
        answer = self.request(path, "PROPFIND", headers, content=webdav_answers.PROPERTIES)
        root = webdav_answers.place(str(self.client.base_url), self.root)
        return list(webdav_answers.entries(answer.content, root))

    def info(self, path: str) -> Entry:
        """What is at a path.

        A server's listing is not of one moment: it can miss a file under both
        its names while it goes from one to the other. So nothing is gone that
        was missed only once.
        """
        start, missed = time.monotonic(), 0
        while True:
            try:
                return self.find(path, 0)[0]
            except FileNotFoundError:
                coming = self._coming(path)
                missed = 0 if coming else missed + 1
                waited = time.monotonic() - start
                if missed == MISSES or waited > self.patience:
                    raise
                if coming and waited > STUCK and coming != path:
                    with suppress(OSError):
                        self.request(coming, "MOVE", {"Overwrite": "F"}, to=path)
            if coming:
                time.sleep(0.02)

    def _coming(self, path: str) -> str | None:
        """The hidden name of what is about to be at a path, or the path if it is there now."""
        try:
            names = [each.name for each in self.find(path.rpartition("/")[0], 1)] if path else []
        except (FileNotFoundError, NotADirectoryError):
            return None
        if path in names:
            return path
        hidden = _beside(path, _swap(path))
        return next((name for name in names if name.startswith(hidden)), None)

    def entries(self, path: str) -> Iterator[Entry]:
        """What a collection holds, when nothing in it is being replaced."""
        end = time.monotonic() + STUCK
        while _incomplete(found := self.find(path, 1)) and time.monotonic() < end:
            time.sleep(0.02)
        entries, complete = [], not _incomplete(found)
        for each in found:
            name = each.name.rpartition("/")[2]
            if each.name == path:
                if each.type == "file":
                    raise refusal(errno.ENOTDIR, path)
            elif not name.startswith((PART, SWAP)):
                entries.append(each)
            elif time.time() - (each.mtime or 0) > LEFT_OVER and complete:
                with suppress(OSError):
                    self.request(each.name, "DELETE")
        return iter(entries)

    def source(self, path: str) -> Source:
        """Open a file; it is read in the version that it has now."""
        entry = self.info(path)
        if entry.type == "directory":
            raise refusal(errno.EISDIR, path)
        return webdav_answers.WebDAVSource(self, entry)

    def put(
        self, path: str, body: IO[bytes], *, exclusive: bool = False, match: str | None = None
    ) -> None:
        """Upload under a hidden name, then move."""
        if exclusive or match is not None:
            raise self.lacks("exclusive_create" if exclusive else "conditional_write")
        self._check_moves(path)
        start = body.tell()
        headers = {"Content-Length": str(body.seek(0, 2) - start)}

        def content() -> Iterator[bytes]:
            body.seek(start)
            while chunk := body.read(2**20):
                yield chunk

        with self._part(path) as hidden:
            try:
                self.request(hidden, "PUT", headers, content=content)
            except (FileNotFoundError, NotADirectoryError):
                self._make_above(path)
                self.request(hidden, "PUT", headers, content=content)
            self._take_name(hidden, path)

    @contextmanager
    def _part(self, path: str) -> Iterator[str]:
        """A hidden name beside a path; if the block fails, nothing stays under it."""
        hidden = _beside(path, PART + uuid.uuid4().hex)
        try:
            yield hidden
        except BaseException:
            with suppress(OSError):
                self.request(hidden, "DELETE")
            raise

    def _take_name(self, source: str, path: str) -> None:
        """Let a file take a name, which may be another one's."""
        try:
            if self.find(path, 0)[0].type == "directory":
                raise refusal(errno.EISDIR, path)
        except FileNotFoundError:
            with suppress(FileChanged):  # there is one now
                self.request(source, "MOVE", {"Overwrite": "F"}, to=path, settled=FileNotFoundError)
                return
        waiting = _beside(path, f"{_swap(path)}-{uuid.uuid4().hex}")
        self.request(source, "MOVE", {"Overwrite": "F"}, to=waiting, settled=FileNotFoundError)
        with suppress(FileNotFoundError):  # a reader was faster
            self.request(waiting, "MOVE", {"Overwrite": "T"}, to=path)

    def _check_moves(self, path: str) -> None:
        """Some servers cut the name that a file is moved to at ``?`` or ``;``: never use those."""
        if not _CUT.search(path):
            return
        if self._keeps_all is None:
            trial = PART + uuid.uuid4().hex
            self.request(trial, "MKCOL")
            try:
                self.request(f"{trial}/a", "PUT", content=b"")
                with suppress(OSError):
                    self.request(f"{trial}/a", "MOVE", {"Overwrite": "F"}, to=f"{trial}/b?c;d")
                names = {each.name for each in self.find(trial, 1)}
                self._keeps_all = f"{trial}/b?c;d" in names
            finally:
                self.request(trial, "DELETE")
        if not self._keeps_all:
            raise refusal(errno.EINVAL, path, "this server cuts names at '?' and ';'")

    def _make_above(self, path: str) -> None:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            try:
                self.request(above, "MKCOL")
            except FileExistsError:
                if self.find(above, 0)[0].type != "directory":
                    raise refusal(errno.ENOTDIR, above) from None

    def copy(self, source: str, target: str) -> None:
        """Copy on the server, under a hidden name first."""
        if self.info(source).type == "directory":
            raise refusal(errno.EISDIR, source)
        self._check_moves(target)
        self._make_above(target)
        with self._part(target) as hidden:
            self.request(source, "COPY", {"Overwrite": "T"}, to=hidden)
            self._take_name(hidden, target)

    def move(self, source: str, target: str) -> None:
        """Move on the server."""
        self._check_moves(target)
        directory = self.info(source).type == "directory"
        self._make_above(target)
        if directory:
            self.request(source, "MOVE", {"Overwrite": "F"}, to=target, settled=FileNotFoundError)
        else:
            self._take_name(source, target)

    def remove(self, path: str) -> None:
        """Delete a file."""
        if self.info(path).type == "directory":
            raise refusal(errno.EISDIR, path)
        self.request(path, "DELETE", settled=FileNotFoundError)

    def make_directory(self, path: str) -> None:
        """Make a collection and those above it."""
        self._make_above(path)
        self.request(path, "MKCOL", settled=FileExistsError)

    def remove_directory(self, path: str) -> None:
        """Delete an empty collection."""
        if self.info(path).type != "directory":
            raise refusal(errno.ENOTDIR, path)
        if next(self.entries(path), None) is not None:
            raise refusal(errno.ENOTEMPTY, path)
        self.request(path, "DELETE", settled=FileNotFoundError)

    def remove_tree(self, path: str) -> None:
        """Delete a collection."""
        if self.info(path).type != "directory":
            raise refusal(errno.ENOTDIR, path)
        self.request(path, "DELETE", settled=FileNotFoundError)


def _beside(path: str, name: str) -> str:
    above, slash, _ = path.rpartition("/")
    return f"{above}{slash}{name}"


def _swap(path: str) -> str:
    return f"{SWAP}{hashlib.sha256(path.encode()).hexdigest()[:16]}"


def _incomplete(found: list[Entry]) -> bool:
    """Whether a file is about to take a name that is not there now."""
    waiting = {
        name[: len(_swap(""))]
        for each in found
        if (name := each.name.rpartition("/")[2]).startswith(SWAP)
    }
    return bool(waiting) and not waiting <= {_swap(each.name) for each in found}
