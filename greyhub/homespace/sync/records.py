"""Records of one path: local, in the store, and as they last agreed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple

Kind = Literal["file", "folder", "link"]


class Stamp(NamedTuple):
    """A place in the order of all changes of one home, without any clock.

    Every writer counts on from the highest number that it has seen, so a
    version that was made from another always comes after it.
    """

    order: int = 0
    writer: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A path of the local tree, as ``lstat`` showed it."""

    kind: Kind
    mode: int = 0
    size: int = 0
    mtime: int = 0
    """Nanoseconds since the epoch, as all times here."""
    ctime: int = 0
    inode: int = 0
    names: int = 1
    """How many names the file has: more than one means hard links."""
    target: str = ""
    """Where a link points to, as it is written."""
    beside: str = ""
    """The state of a database's write-ahead log, which is part of its content."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What differs whenever the path may have changed."""
        if self.kind == "file":
            return ("file", self.size, self.mtime, self.ctime, self.inode, self.beside)
        return (self.kind, self.target if self.kind == "link" else self.mode)


NEVER: Final = Stamp()

SHORT: Final = {
    "kind": "k",
    "over": "o",
    "mode": "m",
    "mtime": "t",
    "size": "s",
    "digest": "d",
    "tag": "g",
    "target": "to",
    "same": "as",
}
"""The fields of an entry as they are written, in their order: a large home has very many."""

FIELDS: Final = attrgetter(*SHORT)

COMPACT: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Entry:
    """What the manifest in the store says of a path: all that plain objects cannot."""

    kind: Literal["file", "folder", "link", "gone"]
    stamp: Stamp = NEVER
    over: int = 0
    """The order of the version that this one replaced: who wrote it has seen that one."""
    mode: int = 0
    mtime: int = 0
    size: int = 0
    digest: str = ""
    """SHA-256 of the content."""
    tag: str = ""
    """The store's tag of the object that is described; another tag makes this stale."""
    target: str = ""
    same: str = ""
    """Another path that is a hard link to the same file."""

    @property
    def precedence(self) -> tuple[int, int, int, str]:
        """Of all entries for one path, the one for which this is highest stands.

        The later version; but an end only ends the versions that its writer had seen.
        """
        if self.kind == "gone":
            return (self.over, 1, *self.stamp)
        return (self.stamp.order, 0, *self.stamp)

    def dumps(self) -> str:
        """This entry as one line of JSON; what is empty is left out."""
        values = zip(SHORT.values(), FIELDS(self), strict=True)
        fields = {short: value for short, value in values if value}
        return COMPACT({"n": self.stamp, **fields})

    @classmethod
    def loads(cls, text: str) -> Entry:
        """Read an entry; ValueError if it is not one."""
        return cls.of(json.loads(text))

    @classmethod
    def of(cls, fields: Any) -> Entry:
        """An entry from what JSON made of one; ValueError if it is not one."""
        try:
            number, writer = fields["n"]
            stamp = Stamp(int(number), str(writer))
            values = tuple([fields.get(short, empty) for short, empty in EMPTY])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an entry of a manifest: {fields!r:.80}") from error
        if tuple(map(type, values)) != TYPES:
            raise ValueError(f"not what an entry of a manifest has: {fields!r:.80}")
        kind, *rest = values
        if kind not in ("file", "folder", "link", "gone"):
            raise ValueError(f"not a kind of path: {kind!r}")
        return cls(kind, stamp, *rest)


EMPTY: Final = tuple((short, getattr(Entry(""), name)) for name, short in SHORT.items())  # type: ignore[arg-type]
"""What an entry has of a field that is not written."""

TYPES: Final = tuple(type(empty) for _, empty in EMPTY)


@dataclass(frozen=True, slots=True)
class Remote:
    """A path in the store."""

    kind: Kind
    size: int = 0
    tag: str = ""
    mtime: int = 0
    entry: Entry | None = None

    @property
    def described(self) -> Entry | None:
        """The manifest's entry, if it is about this very object."""
        entry = self.entry
        if entry is None or entry.kind != self.kind:
            return None
        return entry if self.kind != "file" or entry.tag == self.tag else None


@dataclass(frozen=True, slots=True)
class Base:
    """A path when the local tree and the store last agreed on it."""

    seen: Seen
    tag: str = ""
    digest: str = ""
    stamp: Stamp = NEVER
    size: int = 0
    """Bytes in the store; a database's snapshot may differ from the local file."""


def describe(base: Base, same: str = "", over: int | None = None) -> Entry:
    """What the manifest is to say of a file on which both sides agree."""
    return Entry(
        "file",
        over=base.stamp.order if over is None else over,
        mode=base.seen.mode,
        mtime=base.seen.mtime,
        size=base.size,
        digest=base.digest,
        tag=base.tag,
        same=same,
    )
