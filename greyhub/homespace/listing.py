"""List what is in a home."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from fsspec import AbstractFileSystem

from greyhub.homespace import paths
from greyhub.homespace.stores import Entry, Store

_GONE = (FileNotFoundError, NotADirectoryError)


class Listing(AbstractFileSystem):  # type: ignore[misc]
    """The part of `Home` that looks. Nothing is remembered from one look to the next."""

    @property
    def store(self) -> Store:
        """Where the files are."""
        raise NotImplementedError

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [paths.below(each) for each in path]
        return paths.below(path)

    def _path(self, path: Any) -> str:
        found = paths.below(path, self.store.reserved)
        self.store.check_name(found)
        return found

    def unstrip_protocol(self, name: str) -> str:
        """The URL by which other tools find a file."""
        return self.store.url_of(paths.below(name))

    def expand_path(self, path: Any, *args: Any, **kwargs: Any) -> list[str]:
        """A name is a name: only `glob` reads patterns."""
        kwargs["assume_literal"] = True
        found = super().expand_path([path] if isinstance(path, str) else path, *args, **kwargs)
        return list(found)

    def _shown(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            # An object store may hold keys that are no paths.
            with suppress(OSError, ValueError):
                if paths.below(entry.name, self.store.reserved) == entry.name:
                    yield entry

    def _tree(self, path: str) -> Iterator[Entry]:
        return self._shown(self.store.tree(path))

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """What is at a path: name, size, type, mtime in seconds, version."""
        return self.store.info(self._path(path)).asdict()

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """What a directory holds, as it is now; of a file, itself."""
        path = self._path(path)
        try:
            entries = list(self._shown(self.store.entries(path)))
        except NotADirectoryError:
            entries = [self.store.info(path)]
        entries.sort(key=lambda each: each.name)
        return [each.asdict() if detail else each.name for each in entries]

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether there is anything; an error if the store does not tell."""
        try:
            self.info(path)
        except _GONE:
            return False
        return True

    def isdir(self, path: str) -> bool:
        """Whether it is a directory; an error if the store does not tell."""
        return self._type(path) == "directory"

    def isfile(self, path: str) -> bool:
        """Whether it is a file; an error if the store does not tell."""
        return self._type(path) == "file"

    def _type(self, path: str) -> str:
        try:
            return str(self.info(path)["type"])
        except _GONE:
            return ""

    def walk(self, path: str, *args: Any, **kwargs: Any) -> Any:
        """Like `os.walk`; an error if the store does not tell."""
        kwargs.setdefault("on_error", _unless_gone)
        return super().walk(path, *args, **kwargs)

    def find(
        self,
        path: str,
        maxdepth: int | None = None,
        withdirs: bool = False,
        detail: bool = False,
        **kwargs: Any,
    ) -> Any:
        """All files below a path, in as few questions as the store allows."""
        if maxdepth is not None:
            return super().find(path, maxdepth, withdirs, detail, **kwargs)
        path = self._path(path)
        try:
            entries = list(self._tree(path))
            if withdirs and path:
                entries.append(self.store.info(path))
        except NotADirectoryError:
            entries = [self.store.info(path)]
        except FileNotFoundError:
            entries = []
        found = {e.name: e.asdict() for e in entries if withdirs or e.type != "directory"}
        return {name: found[name] for name in sorted(found)} if detail else sorted(found)

    def du(self, path: str, total: bool = True, **kwargs: Any) -> Any:
        """Bytes below a path, in as few questions as the store allows."""
        sizes = {
            name: each["size"] for name, each in self.find(path, detail=True, **kwargs).items()
        }
        return sum(sizes.values()) if total else sizes

    def modified(self, path: str) -> datetime:
        """When a file was changed."""
        return datetime.fromtimestamp(self.info(path)["mtime"], UTC)

    def ukey(self, path: str) -> str:
        """Different for every version of a file."""
        return sha256(repr(sorted(self.info(path).items())).encode()).hexdigest()

    def checksum(self, path: str) -> int:
        """Different for every version of a file."""
        return int(self.ukey(path), 16)


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, _GONE):
        raise error
