"""A copy endpoint for a home in a store: plain objects, and a manifest for the rest."""

from __future__ import annotations

import errno
import hashlib
import json
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

from greyhub.homespace.migrate.endpoint import FILE, FOLDER, Item, Unexpected
from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import Entry as Listed
from greyhub.homespace.stores import open_store as open_plain
from greyhub.homespace.sync.context import Damaged, view
from greyhub.homespace.sync.identity import FORMAT, home_of
from greyhub.homespace.sync.journal import Journal
from greyhub.homespace.sync.keys import IDENTITY, key_of, path_of, plain, reserved, safe
from greyhub.homespace.sync.manifest import Manifest
from greyhub.homespace.sync.records import Entry, Remote
from greyhub.homespace.sync.source import CHUNK, Content, Source
from greyhub.homespace.sync.stores.base import ABSENT, Changed, Store
from greyhub.homespace.sync.stores.home_store import open_home

MEMORY = 8 << 20
"""Bytes of a file on its way that stay in memory."""


class ObjectStoreEndpoint:
    """A home in a store.

    Parameters
    ----------
    url : str
        Where.
    options : Mapping[str, Any]
        Options of its filesystem, with references where secrets are.
    journal : Journal
        Remembers what the manifest says and has yet to be told.
    identity : str
        Of a home that is not marked yet: whose it is.
    check : bool
        Read again what was written.
    """

    names = False

    def __init__(
        self,
        url: str,
        options: Mapping[str, Any],
        journal: Journal,
        identity: str = "",
        *,
        check: bool = True,
    ) -> None:
        self.url, self.options, self.check, self.journal = url, options, check, journal
        self.identity = identity or uuid.uuid4().hex
        self.unreadable: list[str] = []
        self._lock = threading.Lock()
        self._marked = False
        self.renew()
        self.name = self.store.name

    def renew(self) -> None:
        """Open the store, with the credentials as they are now."""
        self.store: Store = open_home(self.url, self.options)
        self.manifest = Manifest(self.store, self.journal)

    def known_as(self) -> str:
        """The mark of the home that is there, or nothing."""
        return home_of(self.store) or ""

    # What is there.

    def items(self) -> Iterator[Item]:
        """All that the manifest says, and what other tools have put there."""
        self.unreadable = []
        self.journal.unread(self.journal.batches(), entries=True)
        self.manifest.refresh()
        listing = {found.key: found for found in self.store.list()}
        found: dict[str, Item] = {}
        odd = {key_of(path): path for path, _ in self.journal.entries() if not plain(path)}
        for path, entry in self.journal.entries():
            remote = view(listing.pop(key_of(path), None), entry)
            if remote is not None and not reserved(path):
                found[path] = _item(path, remote)
        for key, each in listing.items():
            name = odd.get(key) or path_of(key) or ""
            if safe(name):
                found[name] = _item(name, Remote("file", each.size, each.tag, each.mtime))
            elif name:
                self.unreadable.append(name)  # no file can have this name
        for other in self._unlisted():
            if other.name not in found and safe(other.name) and not reserved(other.name):
                found[other.name] = _plain(other)
        yield from (found[path] for path in sorted(found))

    def find(self, path: str) -> Item | None:
        """What is at one path now."""
        remote = view(self.store.find(key_of(path)), self.journal.entry(path))
        return None if remote is None else _item(path, remote)

    def _unlisted(self) -> Iterator[Listed]:
        """Folders and links that the store itself knows: markers, or a server's own."""
        store = open_plain(self.url, Secrets(self.options), 60.0)
        try:
            for each in store.tree(""):
                if each.type in ("directory", "link") or each.destination is not None:
                    yield each
        except FileNotFoundError:
            return  # a server that has no such directory yet

    # Reading.

    @contextmanager
    def open(self, item: Item) -> Iterator[Source]:
        """A file, as it is described, brought here first."""
        with tempfile.SpooledTemporaryFile(MEMORY) as file:
            whole = SpooledFile(cast("IO[bytes]", file))
            self._fetch(item, whole)
            if item.digest and whole.result != item.digest:
                raise Damaged(
                    f"{item.path} in {self.name} is not what was saved there: its digest differs.\n"
                    "  fix: fetch an older version of it from the store"
                )
            yield whole

    def digest(self, item: Item) -> str:
        """The digest of a file, by reading it."""
        whole = SpooledFile(None)
        self._fetch(item, whole)
        return whole.result

    def _fetch(self, item: Item, into: SpooledFile) -> None:
        try:
            self.store.fetch(key_of(item.path), item.mark, cast(BinaryIO, into), item.size)
        except (Changed, FileNotFoundError) as error:
            raise Unexpected(item.path) from error

    # Writing.

    def put(self, item: Item, source: Source, expect: str | None) -> tuple[str, str]:
        """Send a file, and read it again."""
        self._mark_home()
        try:
            tag = self.store.put(key_of(item.path), source, ABSENT if expect is None else expect)
        except Changed as error:
            raise Unexpected(item.path) from error
        digest = source.seal()
        if self.check:
            there = self.digest(Item(item.path, "file", source.size, mark=tag))
            if there != digest:
                self.store.delete(key_of(item.path), tag)
                raise OSError(errno.EIO, "the store gave back other bytes", item.path)
        self.describe(item, tag, digest)
        return tag, digest

    def make(self, item: Item, *, final: bool) -> None:
        """Write a folder or a link into the manifest: a store has no such things."""
        self._mark_home()
        if not final or item.kind == "link":
            if self.store.find(key_of(item.path)) is not None:
                raise Unexpected(item.path)
            self._tell(item, Entry(item.kind, mode=item.mode, target=item.target))

    def describe(self, item: Item, mark: str, digest: str) -> None:
        """Write a file into the manifest."""
        self._tell(
            item,
            Entry(
                "file",
                mode=item.mode,
                mtime=item.mtime,
                size=item.size,
                digest=digest,
                tag=mark,
                same=item.same,
            ),
        )

    def _tell(self, item: Item, entry: Entry) -> None:
        if item.stamp is not None:
            self.journal.carry(item.path, entry, item.stamp)
        else:
            self.journal.announce(item.path, entry)

    def settle(self, *, final: bool) -> None:
        """Finally, write the manifest. Until then, the journal knows what to write."""
        if final:
            self.manifest.publish()
            self.manifest.fold()

    def _mark_home(self) -> None:
        with self._lock:
            if self._marked:
                return
            if not self.known_as():
                mark = json.dumps({"format": FORMAT, "home": self.identity}).encode()
                try:
                    self.store.put(IDENTITY, Content(mark), ABSENT)
                except Changed:  # the answer of an earlier try was lost
                    self.known_as()
            self._marked = True


class SpooledFile:
    """A file's content, written once and read as often as it is asked for.

    Parameters
    ----------
    file : file, optional
        Where it is kept; without one, only its digest is.
    """

    def __init__(self, file: IO[bytes] | None) -> None:
        self.file, self.size, self._digest = file, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Add to it."""
        self._digest.update(data)
        self.size += len(data)
        return self.file.write(data) if self.file else len(data)

    @property
    def result(self) -> str:
        """The digest of all that was written."""
        return self._digest.hexdigest()

    def chunks(self, length: int = CHUNK) -> Iterator[bytes]:
        """The content in pieces."""
        assert self.file is not None
        self.file.seek(0)
        while piece := self.file.read(length):
            yield piece

    def seal(self) -> str:
        """The digest."""
        return self.result


def _item(path: str, remote: Remote) -> Item:
    entry, known = remote.described, remote.entry
    mode = FOLDER if remote.kind == "folder" else FILE
    if entry is None:
        before = known.mode if known and known.kind == "file" else mode
        return Item(path, remote.kind, remote.size, before, remote.mtime, mark=remote.tag)
    return Item(
        path,
        remote.kind,
        remote.size,
        entry.mode,
        entry.mtime,
        entry.target,
        entry.same,
        entry.digest,
        remote.tag,
        entry.stamp,
    )


def _plain(entry: Listed) -> Item:
    if entry.destination is not None:
        return Item(entry.name, "link", target=entry.destination)
    return Item(entry.name, "folder", mode=FOLDER)
