"""Read what the hub may read of catalogues that others write."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from greyhub.data.document import Document
from greyhub.data.fetching import Reader, Unread
from greyhub.data.loading import directory
from greyhub.data.parsing import parse
from greyhub.data.rendering import local

PATIENCE = 10.0
"""Seconds that one URL may take."""


class HubReader:
    """Reads what the hub may read of catalogues that others write.

    A catalogue of a file may name any other; one of a URL, only what is on the same
    server: what it names besides is read where the users' servers run.

    Parameters
    ----------
    urls : bool
        Whether to ask for URLs.
    held : Mapping[str, tuple]
        Catalogues that are elsewhere and known here: by their path there, what
        people call them, and their content.
    """

    def __init__(self, urls: bool, held: Mapping[str, tuple[str, bytes]]) -> None:
        self._reader, self._urls, self._held = Reader(PATIENCE), urls, held
        self.files: set[str] = set()
        """The files of this machine that were read."""
        self.unread: dict[str, Unread] = {}
        """Why a URL was not read, as far as it was asked for."""

    def __call__(self, location: str, parent: Document | None) -> Document | None:
        """A catalogue; None if it is not to be read here. A `Fault` if it is wrong."""
        if location in self._held:
            name, content = self._held[location]
            return parse(content, name, directory(location))
        if local(location) is not None:
            if parent is not None and parent.location not in self.files:
                return None
            document = self._reader(location)
            self.files.add(document.location)
            return document
        if not self._urls or (parent is not None and _elsewhere(location, parent.directory)):
            return None
        try:
            return self._reader(location)
        except Unread as fault:
            self.unread[fault.where] = fault
            return None


def _elsewhere(location: str, directory: str) -> bool:
    """Whether a URL is on another server than the catalogue that names it, itself of a URL."""
    return "://" in directory and urlsplit(location)[:2] != urlsplit(directory)[:2]
