"""Load catalogues into named entries; nested catalogues are followed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from greyhub.data import intake1, intake2
from greyhub.data.document import Document, Fault
from greyhub.data.entries import Entry
from greyhub.data.policy import Policy
from greyhub.data.rendering import local
from greyhub.data.templates import shown

DEEPEST = 10
"""How many catalogues deep a catalogue may stand: a server could invent them without end."""

Source = tuple[str, str]
"""A prefix, or none, and the location of a catalogue."""


class Read(Protocol):
    """Reads a catalogue; None if it is not to be read here."""

    def __call__(self, location: str, parent: Document | None) -> Document | None:
        """The catalogue at a location, which another one names, or the platform itself."""


@dataclass
class Found:
    """What some catalogues hold.

    Parameters
    ----------
    entries : dict
        The entry of each dataset, by its whole name.
    broken : dict
        Why an entry cannot be opened, by its whole name.
    files : dict
        The number of entries in each file that was read.
    elsewhere : list
        The locations that were not to be read here.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    broken: dict[str, Fault] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)


def load(sources: Sequence[Source], policy: Policy, read: Read) -> Found:
    """Read catalogues and those that they name, each of the latter once.

    Raises
    ------
    Fault
        A catalogue of ``sources`` cannot be read, or two entries have one name.
    """
    found = Found()
    seen = {canonical(location) for _, location in sources}
    queue: deque[tuple[str, str, list[Document]]] = deque((*source, []) for source in sources)
    origin: dict[str, Entry] = {}
    while queue:
        prefix, location, above = queue.popleft()
        try:
            document = read(location, above[-1] if above else None)
            entries = list(_entries(document)) if document is not None else []
        except Fault as fault:
            if not above:
                raise
            found.broken[prefix] = fault
            continue
        if document is None:
            found.elsewhere.append(shown(location))
            continue
        found.files.setdefault(document.location, 0)
        for entry in entries:
            name = f"{prefix}.{entry.name}" if prefix else str(entry.name)
            if name in origin:
                raise _clash(name, origin[name], entry)
            origin[name] = entry
            try:
                nested = _judge(entry, policy, len(above))
            except Fault as fault:
                found.broken[name] = fault
                continue
            if nested is None:
                found.entries[name] = entry
                found.files[document.location] += 1
            elif canonical(nested) not in seen:
                seen.add(canonical(nested))
                queue.append((name, nested, [*above, document]))
    return found


def _entries(document: Document) -> Iterator[Entry]:
    return intake1.entries(document) if document.version == 1 else intake2.entries(document)


def _judge(entry: Entry, policy: Policy, depth: int) -> str | None:
    """The catalogue that an entry stands for; None if it is a dataset; a `Fault` if neither."""
    if fault := entry.refusal(policy):
        raise fault
    nested = entry.nested(policy)
    if nested is not None and depth == DEEPEST:
        raise entry.fault(f"is a catalogue more than {DEEPEST} catalogues deep")
    return nested


def _clash(name: str, one: Entry, other: Entry) -> Fault:
    return Fault(
        f"there are two datasets {name!r}: the other is in {one.where}",
        other.where,
        "rename one of them, or tell the catalogues apart by a name each: "
        "c.LocalData.catalogs = {'ocean': 'ocean.yaml', 'land': 'land.yaml'}",
    )


def directory(location: str) -> str:
    """What ``CATALOG_DIR`` stands for: the directory of a path, or of a URL."""
    path = local(location)
    return os.path.dirname(os.path.abspath(path)) if path else location.rpartition("/")[0]


def canonical(location: str) -> str:
    """One name for each file, however it is written."""
    path = local(location)
    return location if path is None else os.path.realpath(path)
