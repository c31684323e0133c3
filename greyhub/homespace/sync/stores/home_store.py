"""SFTP, WebDAV and other servers, through the stores of `hub.home`.

These look before they write; where the server can tell, a new name has one winner.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from greyhub.homespace import paths
from greyhub.homespace.filesystem import Home
from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import Entry
from greyhub.homespace.sync.keys import IDENTITY, RESERVED
from greyhub.homespace.sync.source import Source
from greyhub.homespace.sync.stores import open_url
from greyhub.homespace.sync.stores.base import ABSENT, Changed, Found, Store
from greyhub.homespace.sync.stores.generic import FsspecStore

OWN: Final = ("s3", "s3a", "abfs", "abfss", "az", "memory", "file", "local")
"""Protocols for which there is a store of its own, or fsspec's is enough."""

CUT: Final = re.compile(r"[?;]")
ENCODED: Final = f"{RESERVED}/encoded/"

PATIENCE: Final = 15.0
"""Seconds to go on asking a server that is busy: then whoever asked tells of it."""


class WholeHome(Home):
    """A home that shows what is greyhub's own, too."""

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return paths.below(f"x/{os.fspath(path)}")[2:]

    def _path(self, path: Any) -> str:
        found = paths.below(f"x/{os.fspath(path)}", self.store.reserved)[2:]
        self.store.check_name(found)
        return found

    def _shown(self, entries: Any) -> Iterator[Entry]:
        yield from entries


class HomeStore(FsspecStore):
    """A home on a server. Names that WebDAV servers cut are encoded, in a folder of greyhub's.

    Parameters
    ----------
    url : str
        The home's URL.
    options : Mapping[str, Any]
        As in a ticket: secrets are references, and read when they are needed.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        home = WholeHome(url, options, PATIENCE)
        super().__init__(home, "")
        self.name, self.whole = url, "atomic" in home.can
        self._creates = "exclusive_create" in home.can
        self._cuts = url.startswith(("webdav:", "dav:"))

    def _full(self, key: str) -> str:
        if self._cuts and CUT.search(key):
            key = ENCODED + re.sub("[%?;]", lambda found: f"%{ord(found[0]):02X}", key)
        return super()._full(key)

    def _key(self, path: str) -> str:
        key = super()._key(path)
        return unquote(key.removeprefix(ENCODED)) if key.startswith(ENCODED) else key

    def list(self, prefix: str = "") -> Iterator[Found]:
        """All files whose key begins so."""
        self._stand()
        yield from super().list(prefix)

    def find(self, key: str) -> Found | None:
        """One file."""
        found = super().find(key)
        if found is None:
            self._stand()
        return found

    def _stand(self) -> None:
        if not self.filesystem.exists(""):  # a disk that is not mounted there, most often
            raise OSError(f"the directory {self.name} is not there")

    def put(self, key: str, source: Source, expect: str | None) -> str:
        """As any other does; a new home has its directory made."""
        if key == IDENTITY:
            self.filesystem.makedirs("", exist_ok=True)
        return super().put(key, source, expect)

    def _pipe(self, key: str, data: bytes, expect: str | None) -> None:
        try:
            mode = "create" if self._creates and expect == ABSENT else "overwrite"
            self.filesystem.pipe_file(self._full(key), data, mode=mode)
        except FileExistsError:
            raise Changed(key) from None


def open_home(url: str, options: Mapping[str, Any]) -> Store:
    """The store of a home; ``options`` are as in a ticket, with references where secrets are.

    Raises
    ------
    greyhub.errors.HomeError
        A secret is not where the options say.
    """
    if url.partition("://")[0].lower() in OWN:
        return open_url(url, Secrets(options).read())
    return HomeStore(url, options)
