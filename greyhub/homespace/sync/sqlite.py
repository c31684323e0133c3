"""SQLite helpers: transactions, and statements over many rows.

Each statement lets go of the interpreter, and may have to wait for it: of many
threads, that costs more than the statement.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

AT_ONCE: Final = 100
"""Rows of one statement."""


def open_file(path: Path) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    return db


class Transaction:
    """A transaction; within another it is a part of that."""

    def __init__(self, db: sqlite3.Connection, lock: threading.RLock) -> None:
        self.db, self.lock, self.outer = db, lock, False

    def __enter__(self) -> sqlite3.Connection:
        self.lock.acquire()
        try:
            self.outer = not self.db.in_transaction
            if self.outer:
                self.db.execute("begin immediate")
        except BaseException:
            self.lock.release()
            raise
        return self.db

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        try:
            if self.outer and kind is None:
                self.db.commit()
        finally:
            if self.outer and self.db.in_transaction:
                self.db.rollback()
            self.lock.release()


def insert(
    db: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]], clause: str = ""
) -> None:
    """Insert rows: ``into`` is a statement's beginning, ``clause`` what stands after its values."""
    for some in parts(rows):
        values = ",".join(map(_marks, some))
        db.execute(f"{into} values {values} {clause}", [value for row in some for value in row])


def among(statement: str, keys: Sequence[object]) -> str:
    """A statement about the rows in which a column is one of these."""
    return f"{statement} in {_marks(keys)}"


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as one statement has."""
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]


def _marks(values: Sequence[object]) -> str:
    return f"({','.join('?' * len(values))})"
