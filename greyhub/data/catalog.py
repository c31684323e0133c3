"""What ``hub.data`` is: every dataset of the platform, by name."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from threading import Lock
from types import MappingProxyType
from typing import Any

from greyhub.data import installed
from greyhub.data.document import Document, Fault
from greyhub.data.entries import Entry
from greyhub.data.fetching import AGAIN, FIRST, Reader
from greyhub.data.loading import Found, Source, load
from greyhub.data.policy import Policy
from greyhub.errors import CatalogError
from greyhub.wording import did_you_mean, number_of, shortened

SHOWN = 100
"""How many datasets a table shows."""

EVERY = 10.0
"""Seconds between two looks at whether the catalogues have changed, at least."""

AFTER_TROUBLE = 60.0
"""Seconds until the next look after one at which a catalogue could not be read."""

log = logging.getLogger(__name__)


class UnknownDataset(CatalogError, KeyError):
    """No catalogue of the platform has a dataset of this name."""

    # KeyError would show the message in quotes.
    __str__ = Exception.__str__


class Catalog(Mapping[str, Any]):
    """A read-only mapping from name to dataset, over one or more Intake catalogues.

    A dataset is Intake's own reader or source: ``catalog["sst"].read()``. Nothing
    of it is read before that. A catalogue can be pickled and sent to a worker, and
    used by several threads.

    Its files and URLs are looked at again as it is used, every ten seconds at
    most, and read if they have changed. One that cannot be read then stays as it was,
    with a warning in the log. A copy that was sent elsewhere stays as it was sent.

    Parameters
    ----------
    sources : sequence of (str, str)
        For each catalogue a prefix, or ``""``, and its path or URL.
    policy : Policy
        What the platform gives to catalogues.
    """

    def __init__(self, sources: Sequence[Source], policy: Policy) -> None:
        self._sources, self._policy = tuple(sources), policy
        self._read_from: Sequence[Source] = ()
        self._found, self._reader = Found(), Reader()
        self._looking, self._trouble, self._next_look = Lock(), "", math.inf
        self.reload()

    def reload(self) -> None:
        """Read the catalogues again, now. What was opened before stays what it was.

        Raises
        ------
        greyhub.errors.CatalogError
            One of them can no longer be read: all stays as it was.
        """
        with self._looking:
            self._take(self._listed(), Reader(FIRST))
            self._trouble, self._next_look = "", time.monotonic() + EVERY

    def open(self, name: str, /, **parameters: Any) -> Any:
        """A dataset, with values for the parameters that it declares.

        Raises
        ------
        KeyError
            There is no such dataset; the message names the nearest.
        ValueError
            A parameter that it does not declare, or a value that is not allowed.
        greyhub.errors.CatalogError
            It cannot be opened: the message names file, line, and what is missing.
        """
        return self._entry(name).open(self._policy, parameters)

    def describe(self, name: str) -> dict[str, Any]:
        """What is known of a dataset without touching it, as JSON values.

        Its name, description, driver, container (the type that reading gives),
        parameters, metadata, and the catalogue's file and line.
        """
        return {**self._entry(name).describe(self._policy), "name": name}

    @property
    def broken(self) -> Mapping[str, CatalogError]:
        """The entries that cannot be opened here, and why. They are in no list."""
        return MappingProxyType(self._now().broken)

    def _now(self) -> Found:
        """What the catalogues hold, as far as is known."""
        if time.monotonic() >= self._next_look and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._found

    def _look(self) -> None:
        """Read what has changed; what cannot be read stays as it was."""
        reader = Reader(AGAIN, self._reader)
        try:
            sources = self._listed()
            if reader.changed() or sources != self._read_from:
                self._take(sources, reader)
            self._reader = reader
            trouble = "\n".join(map(str, reader.kept.values()))
        except CatalogError as error:
            trouble = str(error)
        if trouble and trouble != self._trouble:
            log.warning("hub.data stays as it was read before: %s", trouble)
        self._trouble = trouble
        self._next_look = time.monotonic() + (AFTER_TROUBLE if trouble else EVERY)

    def _listed(self) -> Sequence[Source]:
        """The catalogues that there are now."""
        return self._sources

    def _take(self, sources: Sequence[Source], reader: Reader) -> None:
        self._found = self._read(sources, reader)
        self._reader, self._read_from = reader, sources

    def _read(self, sources: Sequence[Source], reader: Reader) -> Found:
        installed.forget()
        used = set()

        def read(location: str, parent: Document | None) -> Document:
            used.add(location)
            return reader(location, parent)

        found = load(sources, self._policy, read)
        for name, entry in list(found.entries.items()):
            if fault := entry.missing(self._policy):
                found.broken[name] = fault
                del found.entries[name]
        reader.keep(used)
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_looking": None, "_reader": Reader()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _looking=Lock())

    def _entry(self, name: str) -> Entry:
        found = self._now()
        if isinstance(name, str):
            if name in found.entries:
                return found.entries[name]
            if name in found.broken:
                raise Fault(*found.broken[name].args)
        raise UnknownDataset(_unknown(name, found.entries))

    def __getitem__(self, name: str) -> Any:
        return self.open(name)

    def __contains__(self, name: object) -> bool:
        return name in self._now().entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._now().entries)

    def __len__(self) -> int:
        return len(self._now().entries)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def _rows(self) -> list[tuple[str, str, str]]:
        found = list(self._now().entries.items())[:SHOWN]
        return [(name, entry.description, _last(entry.driver)) for name, entry in found]

    def _notes(self) -> list[str]:
        hidden, broken = len(self) - SHOWN, self._now().broken
        notes = [f"and {hidden} more: list(hub.data)"] if hidden > 0 else []
        if broken:
            names = ", ".join(list(broken)[:5]) + (", …" if len(broken) > 5 else "")
            notes.append(f"{len(broken)} cannot be opened here: {names}; see hub.data.broken")
        return notes

    def __repr__(self) -> str:
        rows = self._rows()
        width = max((len(name) for name, _, _ in rows), default=0)
        table = [f"  {name:<{width}}  {shortened(text)}" for name, text, _ in rows]
        return "\n".join(
            [f"<catalog of {number_of('dataset', len(self))}>", *table, *self._notes()]
        )

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        head = "".join(f"<th {left}>{title}</th>" for title in ("name", "description", "driver"))
        rows = "".join(
            "<tr>" + "".join(f"<td {left}>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._rows()
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        return (
            f"<strong>{number_of('dataset', len(self))}</strong>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notes}"
        )


def open_catalogs(
    sources: Sequence[Source],
    parameters: Mapping[str, str],
    environment: Iterable[str] = (),
    readers: Iterable[str] = (),
) -> Catalog:
    """The catalogues at these locations as one.

    Parameters
    ----------
    sources : sequence of (str, str)
        For each a prefix, or ``""``, and its path or URL.
    parameters : Mapping[str, str]
        Values for ``{NAME}`` in them.
    environment : iterable of str
        The variables that ``env(NAME)`` in them may read.
    readers : iterable of str
        Import strings of readers that they may name beside those known to be safe.

    Raises
    ------
    greyhub.errors.CatalogError
        One of them cannot be read, or two datasets have one name.
    """
    return Catalog(sources, Policy(parameters, tuple(environment), tuple(readers)))


def _unknown(name: object, known: Iterable[str]) -> str:
    names = list(known)
    text = name if isinstance(name, str) else repr(name)
    within = [each for each in names if each.startswith(f"{text}.")]
    if within:
        return f"{text!r} is a catalogue: its datasets are {', '.join(within[:10])}"
    count = f"; there are {number_of('dataset', len(names))}"
    hint = did_you_mean(text, names, cutoff=0.5) or count
    return f"there is no dataset {text!r}{hint}"


def _last(driver: str) -> str:
    return driver.replace(":", ".").rpartition(".")[2]
