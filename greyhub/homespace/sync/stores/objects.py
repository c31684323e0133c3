"""What stores of objects have in common: a bucket, a prefix, and requests side by side."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Final

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PART: Final = 16 << 20
"""Bytes of one request; what is larger goes in several."""

AT_ONCE: Final = 4

PATIENCE: Final = 120.0
"""Seconds after which a request that is not answered is given up."""


class Objects(ABC):
    """A home in a bucket or a container.

    Parameters
    ----------
    filesystem : fsspec.asyn.AsyncFileSystem
        Its client makes the requests, on its loop.
    root : str
        ``bucket/prefix``.
    """

    protocol: ClassVar[str]

    def __init__(self, filesystem: AbstractFileSystem, root: str) -> None:
        self.filesystem = filesystem
        self.bucket, _, prefix = root.strip("/").partition("/")
        self.prefix = f"{prefix}/" if prefix else ""
        self.name = f"{self.protocol}://{root.strip('/')}"

    def fetch(self, key: str, tag: str | None, into: BinaryIO, size: int = 0) -> str:
        """Get an object, in parts if it is large: all of them of one version."""
        if size <= PART:
            data, found = self._run(self._get(key, tag))
            into.write(data)
            return str(found)
        waiting: deque[Future[tuple[bytes, str]]] = deque()
        found, start = tag or "", 0
        try:
            while start < size or waiting:
                while start < size and len(waiting) < (AT_ONCE if found else 1):
                    length = min(PART, size - start)
                    waiting.append(self._start(self._get(key, found, start, length)))
                    start += length
                data, found = waiting.popleft().result()
                into.write(data)
        finally:
            for future in waiting:
                future.cancel()
        return str(found)

    @abstractmethod
    async def _get(
        self, key: str, tag: str | None, start: int | None = None, length: int | None = None
    ) -> tuple[bytes, str]:
        """An object, or a part of it, and its tag; `Changed` if that is not ``tag``."""

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(
            asyncio.wait_for(coroutine, PATIENCE), self.filesystem.loop
        )

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._start(coroutine).result()
