"""The manifest: metadata that plain objects of a store cannot hold.

Modes, times, links, empty folders, digests. It is a set of batches in the
reserved folder: each is written once, under a name of its own, and never
changed, so writers cannot harm each other's. All of them together, the latest
entry for each path, are the manifest. Now and then one writer folds them into
one batch and deletes what it folded.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from greyhub.homespace.sync.interruptible import Until, answer
from greyhub.homespace.sync.journal import Journal
from greyhub.homespace.sync.keys import META, safe
from greyhub.homespace.sync.records import Entry
from greyhub.homespace.sync.source import Content
from greyhub.homespace.sync.stores.base import Store, read

MANY: Final = 60
"""Batches after which they are folded into one."""

MEMORY: Final = 7 * 86_400
"""Seconds for which the end of a path is remembered."""


class Manifest:
    """The manifest of one home, as far as a journal has read it.

    Parameters
    ----------
    store : Store
        Where it is.
    journal : Journal
        What was read of it, and what it is to be told.
    """

    def __init__(self, store: Store, journal: Journal) -> None:
        self.store, self.journal = store, journal
        self._lock = threading.Lock()
        self.damaged: list[str] = []
        """Batches in which something could not be read; nothing else of them is lost."""

    def refresh(self, got: Callable[[], None] = lambda: None) -> None:
        """Read the batches that are new.

        Parameters
        ----------
        got : Callable[[], None]
            Called when they have come from the store; it takes longer to read them.
        """
        for _ in range(8):
            known = self.journal.batches()
            there = {found.key for found in self.store.list(META)}
            # What a fold leaves out is over, so begin anew.
            anew = bool(known) and any(map(_is_fold, there - known))
            names = sorted(there if anew else there - known)
            try:
                fresh = [(name, read(self.store, name)) for name in names]
            except FileNotFoundError:
                continue  # it was folded meanwhile: look again
            got()
            if anew and not self._forget(known):
                continue
            for name, data in fresh:
                self._read(name, data)
            self.journal.unread(known - there)
            return
        raise OSError(f"the manifest of {self.store.name} changes faster than it can be read")

    def _forget(self, known: set[str]) -> bool:
        """Begin anew; not if more was published meanwhile, which would be lost."""
        with self.journal.changing():
            if self.journal.batches() - known:
                return False
            self.journal.unread(known, entries=True)
            return True

    def _read(self, name: str, data: bytes) -> None:
        lines = unpack(name, data)
        entries = []
        for line in lines:
            try:
                fields = json.loads(line)
                path = fields["p"]
                if not safe(path):
                    raise ValueError(f"{path!r} leads out of the home")
                entries.append((path, Entry.of(fields)))
            except (ValueError, KeyError, TypeError):
                self.damaged.append(name)
        self.journal.absorb(entries, batch=name)

    def publish(self, path: str = "") -> int:
        """Tell the store what is in the outbox; how many entries that was.

        With a path, only if that is among them. Safe to call from several threads.
        """
        with self._lock:
            entries = self.journal.outbox()
            if not entries or (path and path not in entries):
                return 0
            self._write("", entries.items())
            self.journal.sent(entries)
            return len(entries)

    def fold(self, until: Until | None = None, *, many: int = MANY) -> None:
        """Fold all batches into one, if there are many.

        Raises
        ------
        greyhub.homespace.sync.interruptible.GivenUp
            It was given up; what is folded by then is not lost.
        """
        if len(self.journal.batches()) > many:
            answer(self._fold, until, f"the fold of {self.store.name}")

    def _fold(self) -> None:
        self.refresh()
        names = self.journal.batches()
        oldest = (time.time() - MEMORY) * 1e9
        kept = (
            (path, entry)
            for path, entry in self.journal.entries()
            if entry.kind != "gone" or entry.mtime > oldest
        )
        whole = self._write("all-", kept)
        gone = names - {whole}
        for name in gone:
            self.store.delete(name, None)
        self.journal.unread(gone)

    def _write(self, sort: str, entries: Iterable[tuple[str, Entry]]) -> str:
        data = b"".join(pack(entries))
        digest = hashlib.sha256(data).hexdigest()[:16]
        name = f"{META}{sort}{self.journal.fact('order', 0):012d}-{digest}.jsonl"
        if sort:
            name, data = f"{name}.gz", zlib.compress(data, wbits=31)
        # The name tells the content, so it may be written twice.
        self.store.put(name, Content(data), None)
        self.journal.absorb((), batch=name)
        return name


def pack(entries: Iterable[tuple[str, Entry]]) -> Iterator[bytes]:
    """Entries as lines of JSON."""
    for path, entry in entries:
        yield f'{{"p":{json.dumps(path)},{entry.dumps()[1:]}\n'.encode()


def unpack(name: str, data: bytes) -> list[str]:
    """The lines of a batch."""
    if name.endswith(".gz"):
        try:
            data = zlib.decompress(data, wbits=31)
        except zlib.error:
            return ["damaged"]
    return data.decode(errors="replace").splitlines()


def latest(entries: Iterable[tuple[str, Entry]]) -> Mapping[str, Entry]:
    """Of all entries, the one that stands for each path."""
    found: dict[str, Entry] = {}
    for path, entry in entries:
        if path not in found or entry.precedence > found[path].precedence:
            found[path] = entry
    return found


def _is_fold(name: str) -> bool:
    return name.startswith(f"{META}all-")
