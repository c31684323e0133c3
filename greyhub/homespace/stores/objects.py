"""What object stores have in common: directories that exist only in names.

An object store maps keys to whole objects. An upload appears when it is
complete, so nothing is ever published in parts. A directory is there as long as
a key begins with its name, or because a marker was put there by `make_directory`.
"""

from __future__ import annotations

import errno
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import IO, Any

from greyhub.homespace.stores import Entry, Source, Store
from greyhub.homespace.stores.errors import FileChanged, refusal


class ObjectStore(Store):
    """A store of keys and objects. A subclass says how one object is handled."""

    can = frozenset(
        {"append", "atomic", "conditional_write", "exclusive_create", "processes", "touch"}
    )

    width = 8
    """How many objects are handled at once."""

    root = ""
    """The key of the home, with no slash at its end."""

    @abstractmethod
    def head(self, path: str) -> Entry | None:
        """The object of exactly this path, or None. A marker's type is a directory."""

    @abstractmethod
    def below(self, path: str, *, deep: bool) -> Iterator[Entry]:
        """Objects and markers below a path; if not deep, names up to the next slash."""

    @abstractmethod
    def get(self, path: str, start: int, end: int | None, version: str = "") -> bytes:
        """Bytes of an object, all of one version; `FileChanged` if it is not the one given."""

    @abstractmethod
    def upload(self, path: str, body: IO[bytes], exclusive: bool, match: str | None) -> None:
        """Put a whole object, under a condition; `FileExistsError` or `FileChanged`."""

    @abstractmethod
    def copy_object(self, source: Entry, target: str) -> None:
        """Copy this version of an object."""

    @abstractmethod
    def delete(self, entries: Iterable[Entry]) -> None:
        """Delete objects and markers; one with a version only in this version."""

    @abstractmethod
    def mark(self, path: str) -> None:
        """Put a directory's marker."""

    def marker(self, path: str) -> list[Callable[[], Entry | None]]:
        """What to ask to find a directory's marker, if that is not below its path."""
        return []

    def key(self, path: str) -> str:
        """The key of a path."""
        return f"{self.root}/{path}" if self.root and path else self.root or path

    def path(self, key: str) -> str:
        """The path of a key; a marker's slash does not belong to it."""
        return key[len(self.root) + 1 if self.root else 0 :].rstrip("/")

    def together(self, calls: Iterable[Callable[[], Any]]) -> list[Any]:
        """The results of calls that are made at the same time."""
        with ThreadPoolExecutor(self.width) as pool:
            return [each.result() for each in [pool.submit(call) for call in calls]]

    def look(self, path: str) -> tuple[Entry | None, bool]:
        """The object of a path, and whether there is anything below it."""
        found = self.together([partial(self.head, path), partial(self.first, path)])
        return found[0], found[1] is not None

    def first(self, path: str) -> Entry | None:
        """Anything below a path."""
        return next(self.below(path, deep=True), None)

    def info(self, path: str) -> Entry:
        """What is at a path. If others have put an object there and some below, it is a file."""
        if not path:
            return Entry("", "directory")
        entry = self.head(path)
        if entry is None and self.first(path) is None:
            raise refusal(errno.ENOENT, path)
        return entry or Entry(path, "directory")

    def entries(self, path: str) -> Iterator[Entry]:
        """What a directory holds."""
        found: dict[str, Entry] = {}
        empty = True
        for entry in self.below(path, deep=False):
            empty = False
            if entry.name != path and (entry.type != "directory" or entry.name not in found):
                found[entry.name] = entry
        if empty and path:
            entry = self.info(path)
            if entry.type != "directory":
                raise refusal(errno.ENOTDIR, path)
        return iter(found.values())

    def tree(self, path: str) -> Iterator[Entry]:
        """All that is below a directory, in one listing."""
        seen, empty = {path}, True
        for entry in self.below(path, deep=True):
            empty = False
            parts = entry.name[len(path) + 1 if path else 0 :].split("/")
            for depth in range(1, len(parts)):
                above = "/".join([*([path] if path else []), *parts[:depth]])
                if above not in seen:
                    seen.add(above)
                    yield Entry(above, "directory")
            if entry.type != "directory" or entry.name not in seen:
                seen.add(entry.name)
                yield entry
        if empty and path and self.info(path).type != "directory":
            raise refusal(errno.ENOTDIR, path)

    def source(self, path: str) -> Source:
        """Open an object; it is read in the version that it has now."""
        entry = self.head(path)
        if entry is None or entry.type == "directory":
            kind = self.info(path).type
            raise refusal(errno.EISDIR if kind == "directory" else errno.ENOENT, path)
        return ObjectSource(self, entry)

    def read(self, path: str, start: int | None, end: int | None) -> bytes:
        """Bytes of an object by one question, where they are not counted from its end."""
        if (start or 0) < 0 or (end or 0) < 0:
            return super().read(path, start, end)
        if end is not None and end <= (start or 0):
            return b""
        missing, content = None, b""
        try:
            content = self.get(path, start or 0, end)
        except FileNotFoundError as error:
            missing = error
        except OSError as error:
            if error.errno != errno.ERANGE:  # there is nothing so far behind
                raise
        # A directory has no object, or an empty one.
        if not content and self.info(path).type == "directory":
            raise refusal(errno.EISDIR, path)
        if missing is not None:
            raise missing
        return content

    def make_way(self, path: str, *others: Callable[[], Any]) -> list[Any]:
        """`NotADirectoryError` if there is a file above a path; the results of ``others``."""
        parts = path.split("/")
        above = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
        found = self.together([*(partial(self.head, each) for each in above), *others])
        for each in found[: len(above)]:
            if each is not None and each.type != "directory":
                raise refusal(errno.ENOTDIR, each.name)
        return found[len(above) :]

    def put(
        self, path: str, body: IO[bytes], *, exclusive: bool = False, match: str | None = None
    ) -> None:
        """Put a whole object where it makes nothing both a file and a directory."""
        self.make_place(path, errno.EEXIST if exclusive else errno.EISDIR)
        self.upload(path, body, exclusive, match)

    def make_place(self, path: str, number: int, *others: Callable[[], Any]) -> list[Any]:
        """As `make_way`, and an error of this number if the path is a directory's."""
        questions: list[Callable[[], Any]] = [partial(self.first, path), *self.marker(path)]
        found = self.make_way(path, *others, *questions)
        for each in found[len(others) :]:
            if each is not None and (each.type == "directory" or each.name != path):
                raise refusal(number, path)
        return found[: len(others)]

    def append(self, path: str, body: IO[bytes]) -> None:
        """Put the old content and the new, as long as the old is what was read."""
        start = body.tell()
        for _ in range(100):
            body.seek(start)
            try:
                source = self.source(path)
            except FileNotFoundError:
                try:
                    return self.put(path, body, exclusive=True)
                except FileExistsError:
                    continue  # another one was first
            try:
                with self.stage(path) as whole:
                    for at in range(0, source.entry.size, self.block):
                        whole.write(source.fetch(at, at + self.block))
                    while chunk := body.read(self.block):
                        whole.write(chunk)
                    whole.seek(0)
                    return self.upload(path, whole, False, source.entry.version)
            except FileChanged:
                continue
        raise refusal(errno.EBUSY, path, "others kept changing the file")

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the store."""
        [entry] = self.make_place(target, errno.EISDIR, lambda: self.source(source).entry)
        self.copy_object(entry, target)

    def move(self, source: str, target: str) -> None:
        """Copy, then delete. A source that cannot be copied stays as it is."""
        [(entry, more)] = self.make_way(target, lambda: self.look(source))
        if entry is None and not more:
            raise refusal(errno.ENOENT, source)
        if not more and entry is not None and entry.type != "directory":
            self.copy_object(entry, target)
            return self.delete([entry])
        everything = [*([entry] if entry else []), *self.below(source, deep=True)]
        self._copy_all(everything, source, target)
        self.delete(everything)

    def _copy_all(self, entries: list[Entry], source: str, target: str) -> None:
        made: list[Entry] = []

        def copy(entry: Entry) -> None:
            name = target + entry.name[len(source) :]
            if entry.type == "directory":
                self.mark(name)
            else:
                self.copy_object(entry, name)
            made.append(replace(entry, name=name, version=""))

        try:
            self.together([partial(copy, each) for each in entries])
        except BaseException:
            with suppress(OSError):
                self.delete(made)
            raise

    def remove(self, path: str) -> None:
        """Delete an object."""
        entry, more = self.look(path)
        if more or (entry is not None and entry.type == "directory"):
            raise refusal(errno.EISDIR, path)
        if entry is None:
            raise refusal(errno.ENOENT, path)
        self.delete([replace(entry, version="")])

    def make_directory(self, path: str) -> None:
        """Put a marker; the directories above need none."""
        [(entry, more)] = self.make_way(path, lambda: self.look(path))
        if entry is not None or more:
            raise refusal(errno.EEXIST, path)
        self.mark(path)

    def remove_directory(self, path: str) -> None:
        """Delete an empty directory's marker."""
        entry = self.info(path)
        if entry.type != "directory":
            raise refusal(errno.ENOTDIR, path)
        markers = list(islice(self.below(path, deep=True), 2))
        if any(each.name != path for each in markers):
            raise refusal(errno.ENOTEMPTY, path)
        head = self.head(path)
        self.delete([*markers, *([head] if head else [])])

    def remove_tree(self, path: str) -> None:
        """Delete every object below a path, and one at the path."""
        entries = [*self.below(path, deep=True)]
        if head := self.head(path):
            entries.append(head)
        if not entries:
            raise refusal(errno.ENOENT, path)
        deepest_first = sorted(entries, key=lambda each: -each.name.count("/"))
        self.delete([replace(each, version="") for each in deepest_first])

    def touch(self, path: str) -> None:
        """Copy an object onto itself."""
        self.copy_object(self.source(path).entry, path)


class ObjectSource:
    """One version of an object."""

    def __init__(self, store: ObjectStore, entry: Entry) -> None:
        self.store, self.entry = store, entry

    def fetch(self, start: int, end: int) -> bytes:
        """Bytes of this version."""
        end = min(end, self.entry.size)
        if start >= end:
            return b""
        try:
            return self.store.get(self.entry.name, start, end, self.entry.version)
        except FileNotFoundError:
            raise FileChanged("the file was removed meanwhile", self.entry.name) from None

    def close(self) -> None:
        """Nothing is held open."""
