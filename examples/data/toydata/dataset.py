"""One dataset: a table, or lines of text."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .client import Client


@dataclass(frozen=True)
class ToyDataset:
    """One version of a dataset, which is read when it is asked for."""

    client: Client
    name: str
    id: str
    container: str
    place: str

    def read(self) -> dict[str, list[Any]] | list[str]:
        """All of it: columns by name, or lines."""
        text = self.client.get(f"data/{self.id}/{quote(self.place)}").decode()
        return columns(text) if self.container == "table" else text.splitlines()


def columns(text: str) -> dict[str, list[Any]]:
    """A table in CSV, by its columns; numbers are numbers."""
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    return {name: numbers([row[at] for row in rows]) for at, name in enumerate(head)}


def numbers(column: list[str]) -> list[Any]:
    """Numbers, if all of them are."""
    for kind in (int, float):
        try:
            return [kind(each) for each in column]
        except ValueError:
            continue
    return list(column)
