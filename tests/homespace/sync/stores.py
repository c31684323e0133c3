"""A store in memory that can be told to fail, and the workers and clocks that go with it."""

from __future__ import annotations

import hashlib
import itertools
import queue
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO

from greyhub.homespace.sync.stores.base import ABSENT, Changed, Found

Hook = Callable[[str, str, str], None]


class MemoryStore:
    """Keeps objects in a dictionary and calls a hook around everything that it does.

    The hook gets "before" or "after", the operation and the key. What it raises is
    the store's failure: before, nothing happened; after, it did, and the reply was lost.
    """

    def __init__(self, hook: Hook | None = None, *, conditional: bool = True) -> None:
        self.name = "memory://home"
        self.objects: dict[str, tuple[bytes, str, int]] = {}
        self.hook = hook or (lambda when, operation, key: None)
        self.conditional = conditional
        self.calls: list[tuple[str, str]] = []
        self.raced: set[bytes] = set()
        """Contents that were replaced between a check and a write: no one was told."""
        self._versions = itertools.count(1)

    def view(self, hook: Hook) -> MemoryStore:
        """The same objects, through another client."""
        other = MemoryStore(hook, conditional=self.conditional)
        other.objects, other._versions = self.objects, self._versions
        other.raced = self.raced
        return other

    def _around(self, operation: str, key: str, act: Callable[[], Any]) -> Any:
        self.calls.append((operation, key))
        self.hook("before", operation, key)
        result = act()
        self.hook("after", operation, key)
        return result

    def write(self, key: str, data: bytes, mtime: int = 1_700_000_000_000_000_000) -> str:
        """As another tool would: without a question."""
        tag = f"{hashlib.md5(data).hexdigest()[:8]}-{next(self._versions)}"
        self.objects[key] = (data, tag, mtime)
        return tag

    def _found(self, key: str) -> Found | None:
        if key not in self.objects:
            return None
        data, tag, mtime = self.objects[key]
        return Found(key, len(data), tag, mtime)

    def _tag(self, key: str) -> str:
        found = self._found(key)
        return found.tag if found else ABSENT

    def list(self, prefix: str = "") -> Iterator[Found]:
        def act() -> list[Found]:
            keys = sorted(key for key in self.objects if key.startswith(prefix))
            return [found for key in keys if (found := self._found(key))]

        return iter(self._around("list", prefix, act))

    def find(self, key: str) -> Found | None:
        return self._around("find", key, lambda: self._found(key))

    def fetch(self, key: str, tag: str | None, into: BinaryIO, size: int = 0) -> str:
        def act() -> str:
            if key not in self.objects:
                raise FileNotFoundError(key)
            data, now, _ = self.objects[key]
            if tag not in (None, now):
                raise Changed(key)
            into.write(data)
            return now

        return self._around("fetch", key, act)

    def put(self, key: str, source: Any, expect: str | None) -> str:
        data = b"".join(source.chunks())
        source.seal()
        checked: str | None = None
        if not self.conditional and expect is not None:
            # Check and write are two requests, and others come between them.
            if self._around("find", key, lambda: self._tag(key)) != expect:
                raise Changed(key)
            checked, expect = expect, None

        def act() -> str:
            self._race(key, checked)
            if expect is not None and self._tag(key) != expect:
                raise Changed(key)
            return self.write(key, data)

        return self._around("put", key, act)

    def copy(self, key: str, tag: str, to: str) -> str:
        def act() -> str:
            if self._tag(key) != tag or self._tag(to) != ABSENT:
                raise Changed(key)
            return self.write(to, self.objects[key][0])

        return self._around("copy", key, act)

    def _race(self, key: str, checked: str | None) -> None:
        if checked is not None and key in self.objects and self._tag(key) != checked:
            self.raced.add(self.objects[key][0])

    def delete(self, key: str, expect: str | None) -> None:
        checked: str | None = None
        if not self.conditional and expect is not None:
            if self._around("find", key, lambda: self._tag(key)) not in (expect, ABSENT):
                raise Changed(key)
            checked, expect = expect, None

        def act() -> None:
            self._race(key, checked)
            if expect is not None and self._tag(key) not in (expect, ABSENT):
                raise Changed(key)
            self.objects.pop(key, None)

        self._around("delete", key, act)


class Ticker:
    """A clock that goes on only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Inline:
    """Lanes without threads: everything is done at once, and waiting takes no time."""

    def __init__(self, ticker: Ticker) -> None:
        self.ticker = ticker
        self.done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def room(self, lane: str) -> int:
        return 5

    def start(self, lane: str, name: str, work: Callable[[], Any]) -> None:
        try:
            self.done.put((name, work(), None))
        except Exception as error:
            self.done.put((name, None, error))

    def take(self, timeout: float) -> list[Any]:
        taken = []
        while not self.done.empty():
            taken.append(self.done.get())
        self.ticker.now += 0.01 if taken else timeout + 0.01
        return taken

    def wake(self) -> None:
        pass
