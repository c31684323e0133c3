"""What ``hub.data`` is: every dataset of the platform, by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import Any

from greyhub.data import installed
from greyhub.data.document import Fault
from greyhub.data.entries import Entry
from greyhub.data.loading import Found, Source, load, read_anywhere
from greyhub.data.policy import Policy
from greyhub.errors import CatalogError

SHOWN = 100
"""How many datasets a table shows."""


class UnknownDataset(CatalogError, KeyError):
    """No catalogue of the platform has a dataset of this name."""

    # KeyError would show the message in quotes.
    __str__ = Exception.__str__


class Catalog(Mapping[str, Any]):
    """A read-only mapping from name to dataset, over one or more Intake catalogues.

    A dataset is Intake's own reader or source: ``catalog["sst"].read()``. Nothing
    of it is read before that. A catalogue can be pickled and sent to a worker, and
    used by several threads.

    Parameters
    ----------
    sources : sequence of (str, str)
        For each catalogue a prefix, or ``""``, and its path or URL.
    policy : Policy
        What the platform gives to catalogues.
    """

    def __init__(self, sources: Sequence[Source], policy: Policy) -> None:
        self._sources, self._policy = tuple(sources), policy
        self._found = self._read()

    def reload(self) -> None:
        """Read the catalogues again. What was opened before stays what it was.

        Raises
        ------
        greyhub.errors.CatalogError
            One of them can no longer be read: all stays as it was.
        """
        self._found = self._read()

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
        return MappingProxyType(self._found.broken)

    def _read(self) -> Found:
        installed.forget()
        found = load(self._sources, self._policy, read_anywhere)
        for name, entry in list(found.entries.items()):
            if fault := entry.missing(self._policy):
                found.broken[name] = fault
                del found.entries[name]
        return found

    def _entry(self, name: str) -> Entry:
        found = self._found
        if isinstance(name, str):
            if name in found.entries:
                return found.entries[name]
            if name in found.broken:
                raise Fault(*found.broken[name].args)
        raise UnknownDataset(_unknown(name, found.entries))

    def __getitem__(self, name: str) -> Any:
        return self.open(name)

    def __contains__(self, name: object) -> bool:
        return name in self._found.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._found.entries)

    def __len__(self) -> int:
        return len(self._found.entries)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def _rows(self) -> list[tuple[str, str, str]]:
        found = list(self._found.entries.items())[:SHOWN]
        return [(name, entry.description, _last(entry.driver)) for name, entry in found]

    def _notes(self) -> list[str]:
        hidden, broken = len(self) - SHOWN, self._found.broken
        notes = [f"and {hidden} more: list(hub.data)"] if hidden > 0 else []
        if broken:
            names = ", ".join(list(broken)[:5]) + (", …" if len(broken) > 5 else "")
            notes.append(f"{len(broken)} cannot be opened here: {names}; see hub.data.broken")
        return notes

    def __repr__(self) -> str:
        rows = self._rows()
        width = max((len(name) for name, _, _ in rows), default=0)
        table = [f"  {name:<{width}}  {_short(text)}" for name, text, _ in rows]
        return "\n".join([f"<catalog of {_count(len(self))}>", *table, *self._notes()])

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        head = "".join(f"<th {left}>{title}</th>" for title in ("name", "description", "driver"))
        rows = "".join(
            "<tr>" + "".join(f"<td {left}>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._rows()
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        return (
            f"<strong>{_count(len(self))}</strong>"
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
    close = difflib.get_close_matches(text, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else f"; there are {_count(len(names))}"
    return f"there is no dataset {text!r}{hint}"


def _count(number: int) -> str:
    return f"{number} dataset{'' if number == 1 else 's'}"


def _short(text: str, longest: int = 100) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _last(driver: str) -> str:
    return driver.replace(":", ".").rpartition(".")[2]
