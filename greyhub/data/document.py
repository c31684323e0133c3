"""A catalogue's document, with the line of each entry, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from greyhub.errors import CatalogError


class Fault(CatalogError):
    """What is wrong with a catalogue or one of its entries, where, and the fix.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence.
    where : str
        The file and line.
    fix : str
        What to do about it.
    """

    def __init__(self, what: str, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(what, where, fix)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  fix: {self.fix}" if self.fix else text


@dataclass(frozen=True)
class Document:
    """A catalogue file, read.

    Parameters
    ----------
    location : str
        Its path or URL, for people: it holds no password.
    directory : str
        What ``CATALOG_DIR`` stands for in it.
    version : int
        Intake's format, 1 or 2.
    body : Mapping
        What it says.
    lines : Mapping
        The line of each name in each of its sections.
    """

    location: str
    directory: str
    version: int
    body: Mapping[str, Any]
    lines: Mapping[tuple[str, Hashable], int]

    def where(self, section: str, name: Hashable) -> str:
        """The file and line of an entry."""
        return f"{self.location}:{self.lines.get((section, name), 1)}"

    def section(self, name: str) -> Mapping[Any, Any]:
        """One of its mappings; an absent one is empty."""
        found = self.body.get(name)
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            raise Fault(
                f"{name!r} is {kind_in_words(found)}, and must be a mapping from name to entry",
                self.where("", name),
            )
        return found


def kind_in_words(value: object) -> str:
    """What a value is that should have been a mapping."""
    names = {list: "a list", str: "one line of text", type(None): "empty"}
    return names.get(type(value), f"a {type(value).__name__}")
