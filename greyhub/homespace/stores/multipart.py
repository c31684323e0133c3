"""Multipart uploads and copies of S3 objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import IO, Any, Protocol

from greyhub.homespace.stores import Entry

PART = 16 * 2**20
"""Bytes in one part; what is smaller goes up in one piece."""

MOST = 10_000
AT_ONCE = 4
LEFT_OVER = timedelta(days=1)


class S3Client(Protocol):
    """What an upload needs of its store."""

    root: str
    bucket: str

    @property
    def client(self) -> Any:
        """s3fs's filesystem."""

    def ask(self, path: str, work: Callable[[], Any], /) -> Any:
        """Do something, again while the store is busy."""

    def call(self, path: str, method: str, /, **arguments: Any) -> Any:
        """Call a method of S3 for the object of a path."""

    def together(self, calls: Iterable[Callable[[], Any]]) -> list[Any]:
        """Make several calls at one time."""

    def origin(self, source: Entry) -> dict[str, Any]:
        """The arguments that name what is copied, in its version."""


class Multipart:
    """One object in the making. If it is not completed, it is aborted.

    Parameters
    ----------
    store : S3Client
        Where.
    path : str
        The path of the object.
    **made
        More of what ``create_multipart_upload`` takes.
    """

    def __init__(self, store: S3Client, path: str, **made: Any) -> None:
        self.store, self.path = store, path
        self.id = store.call(path, "create_multipart_upload", **made)["UploadId"]
        self.done: list[dict[str, Any]] = []

    def upload(self, body: IO[bytes], size: int, condition: dict[str, Any]) -> None:
        """Upload a file from where it stands, and complete it under a condition."""
        length = max(PART, -(-size // MOST))
        try:
            while group := [chunk for _ in range(AT_ONCE) if (chunk := body.read(length))]:
                first = len(self.done) + 1
                calls = [partial(self._put, n, chunk) for n, chunk in enumerate(group, first)]
                self.done += self.store.together(calls)
            self._complete(condition)
        except BaseException:
            self._abort()
            raise

    def copy(self, source: Entry) -> None:
        """Copy an object of any size."""
        length = max(32 * PART, -(-source.size // MOST))
        starts = range(0, source.size, length)
        try:
            calls = [partial(self._copy, source, n, at, length) for n, at in enumerate(starts, 1)]
            self.done += self.store.together(calls)
            self._complete({})
        except BaseException:
            self._abort()
            raise

    def _put(self, number: int, chunk: bytes) -> dict[str, Any]:
        answer = self._call("upload_part", PartNumber=number, Body=chunk)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _copy(self, source: Entry, number: int, start: int, length: int) -> dict[str, Any]:
        part = f"bytes={start}-{min(start + length, source.size) - 1}"
        answer = self._call(
            "upload_part_copy",
            PartNumber=number,
            CopySourceRange=part,
            **self.store.origin(source),
        )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    def _complete(self, condition: dict[str, Any]) -> None:
        self._call("complete_multipart_upload", MultipartUpload={"Parts": self.done}, **condition)

    def _abort(self) -> None:
        with suppress(OSError):  # the next sweep finds it
            self._call("abort_multipart_upload")

    def _call(self, method: str, **arguments: Any) -> Any:
        return self.store.call(self.path, method, UploadId=self.id, **arguments)


def sweep(store: S3Client) -> None:
    """Abort the uploads below a home that were begun a day ago and never ended."""
    prefix = f"{store.root}/" if store.root else ""
    found = store.ask(
        "",
        lambda: store.client.call_s3("list_multipart_uploads", Bucket=store.bucket, Prefix=prefix),
    )
    for each in found.get("Uploads", ()):
        if datetime.now(UTC) - each["Initiated"] > LEFT_OVER:
            store.call("", "abort_multipart_upload", Key=each["Key"], UploadId=each["UploadId"])
