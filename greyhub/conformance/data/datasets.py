"""Datasets as plain values, for clauses to publish in whatever backend."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

SECRET = "CONFORMANCE_DATA_SECRET"  # noqa: S105
"""The variable of a user's environment that holds the secret of datasets with one."""

Table = dict[str, list[Any]]
"""Columns by name, all of one length."""


@dataclass(frozen=True)
class Parameter:
    """What may be chosen when a dataset is opened."""

    name: str
    kind: Literal["int", "str"] = "int"
    default: Any = None
    """None if a value must be given."""
    allowed: tuple[Any, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True)
class Dataset:
    """One dataset, as a clause wants it published."""

    place: str
    """The file, ``data/rain.csv``; with a parameter, ``data/rain-{year}.csv``; several
    lines of text, ``data/log-*.txt``."""

    files: Mapping[str, bytes]
    """The files by their paths, in the backend or whatever is one there."""

    kind: Literal["table", "lines"] = "table"
    """A table in CSV, or lines of text."""

    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()

    users: frozenset[str] | None = None
    """Who may see it; None for everyone."""

    secret: str = ""
    """``reference``: it is opened with what stands in the variable `SECRET`, as a password.
    ``plain``: the catalogue itself says the password, which is `written`."""

    written: str = ""
    """The password that stands in the catalogue in plain text."""

    def but(self, **changes: Any) -> Dataset:
        """The same with other values."""
        return replace(self, **changes)


def table(name: str, columns: Mapping[str, Sequence[Any]], **how: Any) -> Dataset:
    """A dataset that is one table in one file."""
    path = f"data/{name}.csv"
    return Dataset(path, {path: as_csv(columns)}, **how)


def lines(name: str, *parts: Sequence[str], **how: Any) -> Dataset:
    """A dataset of lines of text, in as many files as there are parts."""
    files = {
        f"data/{name}-{number}.txt": "".join(f"{line}\n" for line in part).encode()
        for number, part in enumerate(parts)
    }
    place = f"data/{name}-*.txt" if len(files) > 1 else next(iter(files))
    return Dataset(place, files, kind="lines", **how)


def as_csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """A table as a file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def plain(value: Any) -> Any:
    """What reading gave, as columns or as lines: of pandas, Dask, or plain values.

    Raises
    ------
    TypeError
        It is nothing that is known to hold a table or lines.
    """
    if hasattr(value, "compute"):
        value = value.compute(scheduler="synchronous")
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return {str(name): value[name].tolist() for name in value.columns}
    if isinstance(value, Mapping):
        return {str(name): list(column) for name, column in value.items()}
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        return value.splitlines()
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return [each.rstrip("\n") for each in value]
    if isinstance(value, list | tuple) and value and all(isinstance(x, Mapping) for x in value):
        return {str(name): [row[name] for row in value] for name in value[0]}
    raise TypeError(f"reading gave a {type(value).__name__}: let the suite's read() make it plain")
