"""What object stores have in common: a bucket, a prefix, parallel requests."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Final

from greyhub.homespace.sync.stores.obstore_client import ObstoreClient, UseSDK

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PART: Final = 16 << 20
"""Bytes that one request sends; what is larger goes in several."""

PIECE: Final = 4 << 20
"""Bytes that one request fetches. Memory for more is had anew from the system each time,
which takes as long as to fetch it."""

AT_ONCE: Final = 4

PATIENCE: Final = 120.0
"""Seconds after which a request that is not answered is given up."""

Data = tuple[bytes | memoryview, str]


class Objects(ABC):
    """A home in a bucket or a container.

    Parameters
    ----------
    opener : Callable[[], fsspec.asyn.AsyncFileSystem]
        Opens the filesystem whose client makes the requests that no quicker one can. It is
        opened when there is such a request: its SDK takes longer to load than many requests.
    root : str
        ``bucket/prefix``.
    """

    protocol: ClassVar[str]

    def __init__(self, opener: Callable[[], AbstractFileSystem], root: str) -> None:
        self._opener = opener
        self.bucket, _, prefix = root.strip("/").partition("/")
        self.prefix = f"{prefix}/" if prefix else ""
        self.name = f"{self.protocol}://{root.strip('/')}"
        self._client: ObstoreClient | None = None
        self._opened, self._opening = False, threading.RLock()
        self._filesystem: Any = None

    @property
    def filesystem(self) -> Any:
        """The filesystem, with its SDK's client."""
        if self._filesystem is None:  # else its own thread would wait for whoever opens it
            with self._opening:
                if self._filesystem is None:
                    self._filesystem = self._opener()
        return self._filesystem

    def fetch(self, key: str, tag: str | None, into: BinaryIO, size: int = 0) -> str:
        """Get an object, in parts if it is large: all of them of one version."""
        if size <= PIECE:
            data, found = self._read(key, tag)
            into.write(data)
            return str(found)
        waiting: deque[Future[Data]] = deque()
        found, start = tag or "", 0
        ahead = getattr(into, "ahead", None)

        def part(tag: str, start: int, length: int) -> Data:
            data, found = self._read(key, tag, start, length)
            if ahead:
                ahead(data, start)
            return data, found

        threads = ThreadPoolExecutor(AT_ONCE)
        try:
            while start < size or waiting:
                while start < size and len(waiting) < (AT_ONCE if found else 1):
                    length = min(PIECE, size - start)
                    waiting.append(threads.submit(part, found, start, length))
                    start += length
                data, found = waiting.popleft().result()
                into.write(data)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
        return str(found)

    def _read(
        self, key: str, tag: str | None, start: int | None = None, length: int | None = None
    ) -> Data:
        """An object, or a part of it, and its tag."""
        if client := self._obstore():
            try:
                return client.get(self.prefix + key, tag, start, length)
            except UseSDK:
                pass
        found = self._run(self._get(key, tag, start, length))
        self._missed(client)
        return found  # type: ignore[no-any-return]

    def _write(self, key: str, data: bytes, expect: str | None) -> str:
        """Put a small object, and return its new tag."""
        if client := self._obstore():
            try:
                return client.put(self.prefix + key, data, expect)
            except UseSDK:
                pass
        tag = self._run(self._set(key, data, expect))
        self._missed(client)
        return str(tag)

    def _obstore(self) -> ObstoreClient | None:
        """The client by obstore; None if it cannot do what the options ask for."""
        if not self._opened:
            with self._opening:
                if not self._opened:
                    try:
                        self._client = self._open_client()
                    except Exception:  # whatever is amiss, the SDK will have to say it
                        self._client = None
                    self._opened = True
        return self._client

    def _missed(self, client: ObstoreClient | None) -> None:
        if client and client.missed():
            self._client = None

    @abstractmethod
    def _open_client(self) -> ObstoreClient:
        """The client by obstore for the same place; any exception if there can be none."""

    @abstractmethod
    async def _get(
        self, key: str, tag: str | None, start: int | None = None, length: int | None = None
    ) -> tuple[bytes, str]:
        """An object, or a part of it, and its tag; `Changed` if that is not ``tag``."""

    @abstractmethod
    async def _set(self, key: str, data: bytes, expect: str | None) -> str:
        """Put an object in one request, `Changed` if ``expect`` is not there."""

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(
            asyncio.wait_for(coroutine, PATIENCE), self.filesystem.loop
        )

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._start(coroutine).result()
