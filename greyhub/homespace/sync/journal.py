"""The journal: what a working copy remembers, in one SQLite file.

It is the only memory of the process that keeps the home, which may end at any
moment. A row of ``base`` is written after both sides have it; an intent before
anything is sent, so that a lost reply is recognised; the outbox holds what the
manifest in the store has yet to be told. Losing all of it costs time, not data.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from greyhub.homespace.sync.records import COMPACT, Base, Entry, Seen, Stamp
from greyhub.homespace.sync.scan import order
from greyhub.homespace.sync.sqlite import Transaction, among, insert, open_file, parts

SCHEMA: Final = """
create table if not exists base (path blob primary key, seen text, tag text, digest text,
    stamp integer, writer text, size integer, inode integer) without rowid;
create index if not exists base_inode on base (inode);
create table if not exists entries (path blob primary key, version integer, ended integer,
    stamp integer, writer text, entry text) without rowid;
create table if not exists batches (name text primary key) without rowid;
create table if not exists intents (path blob, digest text, primary key (path, digest));
create table if not exists outbox (path blob primary key, entry text);
create table if not exists facts (name text primary key, value text);
"""


HIGHEST: Final = b"\xff" * 4096
"""After every path: none is longer."""

FINDER: Final = "~"
"""The writer of what was only found: after every other of the same order."""

NEWER: Final = """on conflict (path) do update set version=excluded.version,
    ended=excluded.ended, stamp=excluded.stamp, writer=excluded.writer, entry=excluded.entry
    where (excluded.version, excluded.ended, excluded.stamp, excluded.writer)
    > (version, ended, stamp, writer)"""
"""Of two entries for one path, the one that precedes."""

SEEN: Final = ("kind", "mode", "size", "mtime", "ctime", "inode", "names", "target", "beside")


class Journal:
    """The memory of one working copy.

    Parameters
    ----------
    path : Path
        The sqlite file; made if it is not there. Safe to use from several threads.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._path, self.folder = path, path.parent
        self._db = open_file(path)
        with self.changing() as db:
            for statement in SCHEMA.split(";"):
                db.execute(statement)
        self.writer = secrets.token_hex(4)  # of this run: a copied state is another writer
        self._order = int(self.fact("order", 0))
        self._total: tuple[int, int] | None = None

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._db.close()

    def changing(self) -> AbstractContextManager[sqlite3.Connection]:
        """One change: whole or not at all."""
        return Transaction(self._db, self._lock)

    # The state on which both sides last agreed.

    def base(self, path: str) -> Base | None:
        """The base of a path."""
        row = self._one("select * from base where path = ?", order(path))
        return _base(row) if row else None

    def bases_of(self, paths: Sequence[str]) -> dict[str, Base]:
        """The bases of these paths, of those that have one."""
        found: dict[str, Base] = {}
        for keys in parts([order(path) for path in paths]):
            rows = self._all(among("select * from base where path", keys), *keys)
            found |= {_path(row[0]): _base(row) for row in rows}
        return found

    def bases(self, top: str = "") -> Iterator[tuple[str, Base]]:
        """All bases below a folder, or all, in the order of `scan.walk`."""
        below = (order(top) + b"\0", order(top) + b"\1") if top else (b"", HIGHEST)
        db = open_file(self._path)  # its own, so that it reads one state while others write
        try:
            for row in db.execute(
                "select * from base where path > ? and path < ? order by path", below
            ):
                yield _path(row[0]), _base(row)
        finally:
            db.close()

    def rebase(self, path: str, base: Base | None) -> None:
        """Both sides agree on a path: on this, or that it is gone."""
        if base is not None:
            self.agree([(path, base)])
            return
        with self.changing() as db:
            self._total = None
            db.execute("delete from intents where path = ?", (order(path),))
            db.execute("delete from base where path = ?", (order(path),))

    def agree(self, landed: Sequence[tuple[str, Base]]) -> None:
        """Both sides agree on many paths."""
        with self.changing() as db:
            self._total = None
            for keys in parts([order(path) for path, _ in landed]):
                db.execute(among("delete from intents where path", keys), keys)
            insert(db, "insert or replace into base", [_row(*each) for each in landed])

    def doubt(self, path: str, base: Base) -> None:
        """Have a file looked at again, as if something had happened to it."""
        seen = json.dumps(_seen(replace(base.seen, ctime=-1)))
        with self.changing() as db:
            db.execute("update base set seen = ? where path = ?", (seen, order(path)))

    def restamp(self, path: str, stamp: Stamp) -> None:
        """The version that both sides have is known under a later stamp."""
        with self.changing() as db:
            db.execute(
                "update base set stamp = ?, writer = ? where path = ?", (*stamp, order(path))
            )

    def of_inode(self, inode: int) -> list[tuple[str, Base]]:
        """The paths whose base is this file: a file that was renamed, or hard links."""
        rows = self._all("select * from base where inode = ? order by path", inode)
        return [(_path(row[0]), _base(row)) for row in rows]

    def holds(self, top: str) -> bool:
        """Whether anything is known below a folder."""
        below = order(top) + b"\0", order(top) + b"\1"
        return bool(self._one("select 1 from base where path > ? and path < ? limit 1", *below))

    def total(self) -> tuple[int, int]:
        """Files and bytes that are in the store."""
        with self._lock:
            if self._total is None:
                self._total = self._one(
                    "select count(*), coalesce(sum(size), 0) from base where inode is not null"
                )
            return self._total[0], self._total[1]

    def forget(self) -> None:
        """Forget what both sides agreed on: all is compared anew, and nothing is deleted."""
        with self.changing() as db:
            self._total = None
            db.execute("delete from base")
            db.execute("delete from entries")
            db.execute("delete from batches")
            db.execute("delete from intents")
            db.execute("delete from outbox")
            db.execute("delete from facts where name != 'order'")

    # What is under way.

    def intend(self, contents: Sequence[tuple[str, str]]) -> None:
        """Contents, by path and digest, are about to be sent: if one turns up there, it is ours."""
        if contents:
            rows = [(order(path), digest) for path, digest in contents]
            with self.changing() as db:
                insert(db, "insert or ignore into intents", rows)

    def intended(self, path: str) -> set[str]:
        """The digests that may have reached the store without our knowing."""
        return {row[0] for row in self._all("select digest from intents where path=?", order(path))}

    # The manifest, as far as it was read, and what it has yet to be told.

    def entry(self, path: str) -> Entry | None:
        """What the manifest says of a path."""
        row = self._one("select entry from entries where path = ?", order(path))
        return Entry.loads(row[0]) if row else None

    def entries_of(self, paths: Sequence[str]) -> dict[str, Entry]:
        """What the manifest says of these paths, of those that it names."""
        found: dict[str, Entry] = {}
        for keys in parts([order(path) for path in paths]):
            rows = self._all(among("select path, entry from entries where path", keys), *keys)
            found |= {_path(path): Entry.loads(text) for path, text in rows}
        return found

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """All that the manifest says."""
        db = open_file(self._path)
        try:
            for path, text in db.execute("select path, entry from entries order by path"):
                yield _path(path), Entry.loads(text)
        finally:
            db.close()

    def absorb(self, entries: Iterable[tuple[str, Entry]], *, batch: str = "") -> None:
        """Take in a batch of the manifest; of two entries for a path, the preceding one stands."""
        with self.changing() as db:
            self._absorb(list(entries))
            self.set("order", self._order)
            if batch:
                db.execute("insert or ignore into batches values (?)", (batch,))

    def _absorb(self, entries: Sequence[tuple[str, Entry]]) -> None:
        self._order = max(self._order, *(entry.stamp.order for _, entry in entries), 0)
        rows = [(order(path), *entry.precedence, entry.dumps()) for path, entry in entries]
        insert(self._db, "insert into entries", rows, NEWER)

    def batches(self) -> set[str]:
        """The batches of the manifest that were read."""
        return {row[0] for row in self._all("select name from batches")}

    def unread(self, batches: Iterable[str], *, entries: bool = False) -> None:
        """Forget that batches were read; and all entries, which are then read anew."""
        with self.changing() as db:
            db.executemany("delete from batches where name = ?", [(each,) for each in batches])
            if entries:
                db.execute("delete from entries")
                self.absorb(self.outbox().items())

    def announce(self, path: str, entry: Entry, *, late: bool = False) -> Entry:
        """An entry of our own: the next batch tells the store. Returns it with its stamp.

        It is stamped as the latest of all; but if it only describes what another
        tool wrote (``late``), so that whoever did write it has the last word.
        """
        with self.changing() as db:
            stamp = Stamp(self._order + 1, self.writer)
            if late:
                before = self.entry(path)
                stamp = Stamp(before.stamp.order if before else 0, FINDER)
            entry = replace(entry, stamp=stamp)
            self._absorb([(path, entry)])
            self.set("order", self._order)
            db.execute("insert or replace into outbox values (?,?)", (order(path), entry.dumps()))
        return entry

    def carry(self, path: str, entry: Entry, stamp: Stamp) -> Entry:
        """An entry of a version that was brought from another store.

        It comes after that version, and whoever had that one is not at odds with this one.
        """
        with self.changing():
            self._order = max(self._order, stamp.order)
            return self.announce(path, replace(entry, over=stamp.order))

    def outbox(self) -> dict[str, Entry]:
        """What the store has yet to be told."""
        return {_path(p): Entry.loads(e) for p, e in self._all("select path, entry from outbox")}

    def waiting(self) -> bool:
        """Whether there is anything that the store has yet to be told."""
        return self._one("select 1 from outbox limit 1") is not None

    def sent(self, entries: Mapping[str, Entry]) -> None:
        """The store has been told."""
        with self.changing() as db:
            for path, entry in entries.items():
                db.execute(
                    "delete from outbox where path = ? and entry = ?", (order(path), entry.dumps())
                )

    # Single facts.

    def fact(self, name: str, default: Any = None) -> Any:
        """A fact by its name."""
        row = self._one("select value from facts where name = ?", name)
        return json.loads(row[0]) if row else default

    def set(self, name: str, value: Any) -> None:
        """Remember a fact."""
        with self.changing() as db:
            db.execute("insert or replace into facts values (?,?)", (name, json.dumps(value)))

    def _one(self, query: str, *values: Any) -> Any:
        with self._lock:
            return self._db.execute(query, values).fetchone()

    def _all(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()


_seen: Final = attrgetter(*SEEN)


def _base(row: Any) -> Base:
    _, seen, tag, digest, stamp, writer, size, _ = row
    return Base(Seen(*json.loads(seen)), tag, digest, Stamp(stamp, writer), size)


def _row(path: str, base: Base) -> tuple[Any, ...]:
    inode = base.seen.inode if base.seen.kind == "file" else None
    seen = COMPACT(_seen(base.seen))
    return order(path), seen, base.tag, base.digest, *base.stamp, base.size, inode


def _path(key: bytes) -> str:
    return os.fsdecode(key.replace(b"\0", b"/"))
