"""The frequent requests of object stores by obstore, outside Python's lock.

fsspec's filesystem reads the user's options, finds the credentials and renews
them, and its SDK says what an answer means. Of the requests that go well, and
those are nearly all, none needs it: they go through `obstore`, which spends a
tenth of the time on one. What does not go well is asked again by way of the SDK;
so is everything, if an option was given that only the SDK knows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from greyhub.homespace.sync.stores.base import Found

if TYPE_CHECKING:
    from obstore.store import ObjectStore

T = TypeVar("T")

LOST: Final = 5.0
"""Seconds after which a failure is one, and nothing is asked again."""

ENOUGH: Final = 10
"""Requests in a row of which only the SDK's went well, after which this way is left."""

FEW: Final = 100
"""Empty objects of a listing that are asked for one by one."""

ONCE: Final = {"max_retries": 0}
"""Who asks knows better when to ask again."""


class UseSDK(Exception):
    """The request did not go well: the SDK is to do it, or to say what is wrong."""


class NeedsSDK(Exception):
    """The user's options ask for what only the SDK can do."""


class ObstoreClient:
    """Gets and puts objects, or raises `UseSDK`.

    Parameters
    ----------
    store : obstore.store.ObjectStore
        Asks each thing once.
    name : str
        The store's name, for messages.
    """

    def __init__(self, store: ObjectStore, name: str) -> None:
        # Of several threads that wait for the network, each hands what came to another.
        os.environ.setdefault("TOKIO_WORKER_THREADS", "1")
        import obstore

        self._store, self._name = store, name
        self._get, self._put, self._list = obstore.get, obstore.put, obstore.list
        self._head = obstore.head
        self._files: set[str] = set()
        """Empty objects that are no folders' marks."""
        self._missed = 0

    def get(
        self, key: str, tag: str | None, start: int | None = None, length: int | None = None
    ) -> tuple[memoryview, str]:
        """An object with this tag, or a part of it, and its tag."""
        options: Any = {"if_match": f'"{tag}"'} if tag else {}
        if start is not None and length is not None:
            options["range"] = (start, start + length)

        def ask() -> tuple[memoryview, str]:
            answer = self._get(self._store, key, options=options)
            return memoryview(answer.bytes()), tag or _tag(answer.meta["e_tag"])

        return self._try(ask)

    def put(self, key: str, data: bytes, expect: str | None) -> str:
        """Put an object where another with this tag is, or none, and return the new tag."""
        mode: Any = "overwrite" if expect is None else "create"
        if expect:
            mode = {"e_tag": f'"{expect}"'}

        def ask() -> str:
            answer = self._put(self._store, key, data, mode=mode, use_multipart=False)
            return _tag(answer["e_tag"])

        return self._try(ask)

    def list(self, folder: str, root: str) -> list[Found]:
        """All objects below a folder, whose name ends with a slash; their keys below a root."""
        try:
            pages = self._list(self._store, folder or None, chunk_size=1000)
            found = [_found(each, len(root)) for page in pages for each in page]
            # The mark that some tools make for a folder ends with a slash, which is lost here.
            unsure = {each.key for each in found if not each.size} - self._files
            if len(unsure) > FEW:
                raise UseSDK
            marks = {key for key in unsure if not self._is_file(root + key)}
        except Exception:
            raise UseSDK from None
        self._files |= unsure - marks
        return [each for each in found if each.key not in marks]

    def _is_file(self, key: str) -> bool:
        try:
            self._head(self._store, key)
        except FileNotFoundError:
            return False
        return True

    def _try(self, ask: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            found = ask()
        except Exception as error:
            # What it says may hold a URL, which may hold a signature: not repeated.
            if time.monotonic() - began < LOST:
                raise UseSDK from None
            kind = type(error).__name__
            raise OSError(f"{self._name} does not answer, or too slowly ({kind})") from None
        self._missed = 0
        return found

    def missed(self) -> bool:
        """Note that the SDK could do what this could not; true if that is so all the time."""
        self._missed += 1
        return self._missed >= ENOUGH


def client(endpoint: str, connect: float = 10, read: float = 60, agent: str = "") -> dict[str, Any]:
    """Options of a client: seconds in which it connects, and reads the next bytes."""
    return {
        "allow_http": endpoint.startswith("http:"),
        "allow_invalid_certificates": False,
        "connect_timeout": timedelta(seconds=connect),
        "read_timeout": timedelta(seconds=read),
        "timeout": timedelta(seconds=max(120, 2 * read)),
        "user_agent": agent,
    }


def soon() -> datetime:
    """When to ask for the credentials anew: all the time, since the SDK keeps them."""
    return datetime.now(UTC) + timedelta(minutes=1)


def _found(each: Any, root: int) -> Found:
    mtime = int(each["last_modified"].timestamp() * 1000) * 1_000_000
    return Found(each["path"][root:], each["size"], _tag(each["e_tag"]), mtime)


def _tag(etag: str | None) -> str:
    if not etag:
        raise UseSDK
    return etag.strip('"')
