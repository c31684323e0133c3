"""Parse what a WebDAV server answers."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

from greyhub.homespace.stores import Entry
from greyhub.homespace.stores.errors import Denied, FileChanged, Unavailable

PROPERTIES = (
    '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/>'
    "<getlastmodified/><getetag/></prop></propfind>"
)

_DAV = "{DAV:}"
_KNOWN = {
    404: errno.ENOENT,
    405: errno.EEXIST,
    409: errno.ENOENT,
    410: errno.ENOENT,
    413: errno.EFBIG,
    414: errno.ENAMETOOLONG,
    507: errno.EDQUOT,
}


def place(base: str, *parts: str) -> str:
    """The URL of a path. Each name is encoded once, whatever it looks like."""
    return f"{base.rstrip('/')}/{quote('/'.join(part for part in parts if part), safe='/')}"


def entries(answer: bytes, root: str) -> Iterator[Entry]:
    """What a multistatus answer tells, below the URL of a home."""
    below = unquote(urlsplit(root).path).rstrip("/")
    for each in ElementTree.fromstring(answer):  # noqa: S314
        yield _entry(each, len(below) + 1)


def _entry(response: Any, start: int) -> Entry:
    href = unquote(urlsplit(response.findtext(f"{_DAV}href").strip()).path)
    path = href.rstrip("/")[start:]
    if response.find(f".//{_DAV}collection") is not None:
        return Entry(path, "directory")
    size = int(response.findtext(f".//{_DAV}getcontentlength") or 0)
    changed = response.findtext(f".//{_DAV}getlastmodified")
    mtime = parsedate_to_datetime(changed).timestamp() if changed else None
    tag = (response.findtext(f".//{_DAV}getetag") or f"{mtime}-{size}").strip().strip('"')
    return Entry(path, "file", size, mtime, tag)


def of_status(status: int) -> OSError:
    """The error that a status means."""
    message = f"the server answers {status}"
    if status in (500, 501):
        return Unavailable(message, tries=4)
    if status in (408, 423, 425, 429, 509) or (status > 500 and status != 507):
        return Unavailable(message)
    if status in (401, 403):
        return Denied(errno.EACCES, message)
    if status == 412:
        return FileChanged(message)
    return OSError(_KNOWN.get(status, errno.EIO), message)


class Requester(Protocol):
    """What sends a request."""

    def request(self, path: str, method: str, headers: dict[str, str]) -> Any:
        """Send it."""


class WebDAVSource:
    """One version of a file, as far as the server's entity tags tell versions apart."""

    def __init__(self, store: Requester, entry: Entry) -> None:
        self.store, self.entry = store, entry

    def fetch(self, start: int, end: int) -> bytes:
        """Bytes of this version."""
        end = min(end, self.entry.size)
        if start >= end:
            return b""
        headers = {"Range": f"bytes={start}-{end - 1}", "If-Match": f'"{self.entry.version}"'}
        try:
            answer = self.store.request(self.entry.name, "GET", headers)
        except FileNotFoundError:
            raise FileChanged("the file was removed meanwhile", self.entry.name) from None
        content: bytes = answer.content
        return content if answer.status_code == 206 else content[start:end]

    def close(self) -> None:
        """Nothing is held open."""
