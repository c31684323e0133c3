"""Load catalogue files into named entries; nested catalogues are followed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from greyhub.data import intake1, intake2
from greyhub.data.document import Document, Fault, parse
from greyhub.data.entries import Entry
from greyhub.data.policy import Policy
from greyhub.data.rendering import local
from greyhub.data.templates import shown

DEEPEST = 10
"""How many catalogues deep a catalogue may stand: a server could invent them without end."""

Source = tuple[str, str]
"""A prefix, or none, and the location of a catalogue."""


class Fetch(Protocol):
    """Reads a location; None if it is not to be read here."""

    def __call__(self, location: str) -> bytes | None:
        """The content of a location."""


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


def load(sources: Sequence[Source], policy: Policy, fetch: Fetch) -> Found:
    """Read catalogues and those that they name, each of the latter once.

    Raises
    ------
    Fault
        A catalogue of ``sources`` cannot be read, or two entries have one name.
    """
    found = Found()
    seen = {canonical(location) for _, location in sources}
    queue = deque((prefix, location, 0) for prefix, location in sources)
    origin: dict[str, Entry] = {}
    while queue:
        prefix, location, depth = queue.popleft()
        try:
            document = read(location, fetch)
            entries = list(_entries(document)) if document is not None else []
        except Fault as fault:
            if depth == 0:
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
                nested = _judge(entry, policy, depth)
            except Fault as fault:
                found.broken[name] = fault
                continue
            if nested is None:
                found.entries[name] = entry
                found.files[document.location] += 1
            elif canonical(nested) not in seen:
                seen.add(canonical(nested))
                queue.append((name, nested, depth + 1))
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


def read(location: str, fetch: Fetch) -> Document | None:
    """One catalogue, or None if it is not to be read here."""
    content = fetch(location)
    if content is None:
        return None
    path = local(location)
    plain = shown(location if path is None else path)
    return parse(content, plain, directory(location))


def read_local(location: str) -> bytes | None:
    """The content of a file on this machine; None for any other location."""
    path = local(location)
    if path is None:
        return None
    try:
        with open(os.path.expanduser(path), "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise Fault("there is no such catalogue", path, "fix the path, or write it") from None
    except OSError as error:
        raise Fault(
            f"this catalogue cannot be read: {(error.strerror or str(error)).lower()}",
            path,
            "name a file, and let every user read it and pass the directories above it",
        ) from None


def read_anywhere(location: str) -> bytes | None:
    """The content of a file, or of a URL that fsspec can open with the user's own rights."""
    content = read_local(location)
    if content is not None:
        return content
    import fsspec

    try:
        with fsspec.open(location, "rb") as file:
            remote: bytes = file.read()
            return remote
    except Exception as error:
        said = f"{type(error).__name__}: {error}".replace(location, shown(location))
        raise Fault(f"this catalogue cannot be read: {said}", shown(location)) from None


def directory(location: str) -> str:
    """What ``CATALOG_DIR`` stands for: the directory of a path, or of a URL."""
    path = local(location)
    return os.path.dirname(os.path.abspath(path)) if path else location.rpartition("/")[0]


def canonical(location: str) -> str:
    """One name for each file, however it is written."""
    path = local(location)
    return location if path is None else os.path.realpath(path)
