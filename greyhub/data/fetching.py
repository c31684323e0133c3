"""Read catalogues from files and URLs, in bounded time, and again only as they change."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, MutableMapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from threading import Thread
from typing import Any, TypeVar

from greyhub.data.document import Document, Fault
from greyhub.data.loading import directory
from greyhub.data.parsing import parse
from greyhub.data.rendering import local
from greyhub.data.templates import shown

T = TypeVar("T", bytes, bytearray)

LARGEST = 32 * 2**20
"""Bytes that a catalogue may have."""

FIRST = 30.0
"""Seconds that one URL may take where nothing is known of it yet."""

AGAIN = 5.0
"""Seconds that one URL may take where what was read before can be used on."""


class Unread(Fault):
    """A catalogue that was not read: what is in it is not known."""


@dataclass(frozen=True)
class Content:
    """What is at a location, and by what to know whether it has changed."""

    content: bytes
    mark: object = None
    """A file's time and size, or the headers of a request that asks only for what is new."""


@dataclass(frozen=True)
class Copy(Content):
    """A catalogue as it was read."""

    document: Document = field(kw_only=True)


class Reader:
    """Reads each catalogue once, and of those of an earlier reader only what has changed.

    Parameters
    ----------
    patience : float
        Seconds that one URL may take.
    before : Reader, optional
        What was read earlier. A catalogue that cannot be read now, or is malformed now,
        stays as it was then.
    """

    def __init__(self, patience: float = FIRST, before: Reader | None = None) -> None:
        self._patience = patience
        self._before = before.copies if before else {}
        self._missed = list(before.faults) if before else []
        self.copies: dict[str, Copy] = {}
        self.faults: dict[str, Fault] = {}
        """Why a catalogue was not read, by its location."""
        self.kept: dict[str, Fault] = {}
        """Why one was not read that stays as it was."""

    def __call__(self, location: str, parent: Document | None = None) -> Document:
        """A catalogue.

        Raises
        ------
        Unread
            It is not there, or its server does not give it.
        Fault
            It is malformed.
        """
        if location in self.faults:
            raise self.faults[location]
        if location not in self.copies:
            known = self._before.get(location)
            try:
                self.copies[location] = _copy(location, known, self._patience)
            except Fault as fault:
                if known is None:
                    self.faults[location] = fault
                    raise
                self.kept[location] = fault
                self.copies[location] = known
        return self.copies[location].document

    def changed(self) -> bool:
        """Whether any of the earlier catalogues is another one now, or can be read at last."""
        return any(self._is_new(location) for location in (*self._before, *self._missed))

    def keep(self, locations: Collection[str]) -> None:
        """Forget all but the catalogues at these locations."""
        read: tuple[MutableMapping[str, Any], ...] = (self.copies, self.faults, self.kept)
        for known in read:
            for location in [each for each in known if each not in locations]:
                del known[location]

    def _is_new(self, location: str) -> bool:
        try:
            document = self(location)
        except Fault:
            return False
        known = self._before.get(location)
        return known is None or document is not known.document


def _copy(location: str, known: Copy | None, patience: float) -> Copy:
    path = local(location)
    mark = known.mark if known else None
    found = _from_url(location, mark, patience) if path is None else _from_file(path, mark)
    if known and (found is None or found.content == known.content):
        return replace(known, mark=found.mark if found else known.mark)
    assert found is not None
    document = parse(found.content, shown(location if path is None else path), directory(location))
    return Copy(found.content, found.mark, document=document)


def _from_file(path: str, known: object) -> Content | None:
    """A file's content; None if its mark is the known one."""
    try:
        with open(os.path.expanduser(path), "rb") as file:
            about = os.fstat(file.fileno())
            mark = about.st_mtime_ns, about.st_size, about.st_dev, about.st_ino
            return None if mark == known else Content(_bounded(file.read(LARGEST + 1), path), mark)
    except FileNotFoundError:
        raise Unread("there is no such catalogue", path, "fix the path, or write it") from None
    except OSError as error:
        raise Unread(
            f"this catalogue cannot be read: {(error.strerror or str(error)).lower()}",
            path,
            "name a file, and let every user read it and pass the directories above it",
        ) from None


def _from_url(location: str, known: object, patience: float) -> Content | None:
    """What is at a URL, with the user's own rights; None if it is what it was."""
    import fsspec

    where = shown(location)
    reach = "see that its server runs, and can be reached from here"
    try:
        files, path = fsspec.url_to_fs(location)
        if location.startswith(("http://", "https://")) and hasattr(files, "set_session"):
            headers = known if isinstance(known, Mapping) else {}
            return fsspec.asyn.sync(files.loop, _ask, files, location, headers, patience)  # type: ignore[no-any-return]
        return Content(_bounded(_within(patience, lambda: _whole(files, path, where)), where))
    except Fault:
        raise
    except TimeoutError:
        said, fix = f"no answer within {patience:g} s", reach
    except Exception as error:
        said, fix = f"{type(error).__name__}: {error}".replace(location, where), reach
        if isinstance(error, ImportError | ValueError):
            fix = "see that the URL is right, and that a package for its protocol is installed"
    raise Unread(f"this catalogue cannot be read: {said}", where, fix) from None


async def _ask(files: Any, url: str, known: Mapping[str, str], patience: float) -> Content | None:
    """Ask a web server for what is new, as the user's settings for fsspec say."""
    from aiohttp import ClientPayloadError, ClientTimeout

    session = await files.set_session()
    headers = {**files.kwargs.get("headers", {}), "Cache-Control": "no-cache", **known}
    settings = {**files.kwargs, "headers": headers, "timeout": ClientTimeout(total=patience)}
    async with session.get(files.encode_url(url), **settings) as answer:
        if answer.status == 304 and known:
            return None
        if answer.status != 200:
            raise _refusal(url, answer.status, answer.reason)
        content = bytearray()
        try:
            async for chunk in answer.content.iter_any():
                content += chunk
                _bounded(content, shown(url))
        except ClientPayloadError:
            raise Unread(
                f"this catalogue cannot be read: the answer ended after {len(content)} bytes, "
                "before it was complete",
                shown(url),
                "try again; if it goes on, tell who runs its server",
            ) from None
        return Content(bytes(content), _validator(answer.headers))


def _validator(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The header that asks for this content only if it has changed."""
    if tag := headers.get("ETag"):
        return {"If-None-Match": tag}
    date, modified = headers.get("Date"), headers.get("Last-Modified")
    try:
        age = parsedate_to_datetime(date or "") - parsedate_to_datetime(modified or "")
    except (TypeError, ValueError):
        return {}
    # The time is in whole seconds: a file of this second may change and keep it.
    return {"If-Modified-Since": modified} if modified and age.total_seconds() >= 2 else {}


def _refusal(url: str, status: int, reason: str | None) -> Unread:
    fixes = {
        401: "ask who looks after it for the right to read it",
        403: "ask who looks after it for the right to read it",
        404: "see that the URL is right, and that the file is there",
        410: "see that the URL is right, and that the file is there",
    }
    return Unread(
        f"this catalogue cannot be read: its server answers {status} {reason or ''}".rstrip(),
        shown(url),
        fixes.get(status, "try again later; if it goes on, tell who runs its server"),
    )


def _whole(files: Any, path: str, where: str) -> bytes:
    """A file of any other store, by one request: never half of one version."""
    size = files.info(path).get("size")
    if size is not None and size > LARGEST:
        raise _too_large(where)
    content: bytes = files.cat_file(path)
    return content


def _within(seconds: float, call: Callable[[], bytes]) -> bytes:
    """The result of a call, or `TimeoutError`; one that hangs is left behind."""
    result: Future[bytes] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except BaseException as error:
            result.set_exception(error)

    Thread(target=run, daemon=True, name="greyhub catalogue").start()
    return result.result(seconds)


def _bounded(content: T, where: str) -> T:
    if len(content) > LARGEST:
        raise _too_large(where)
    return content


def _too_large(where: str) -> Unread:
    return Unread(
        f"this catalogue cannot be read: it has more than {LARGEST // 2**20} MiB",
        where,
        "see that it is a catalogue, and no data; or make several of it",
    )
