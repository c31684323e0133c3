"""S3 and what speaks its API: every write says what it expects to replace.

One request for each small object, with the user's credentials as s3fs finds
them. Large objects go in parts, several at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from greyhub import __version__
from greyhub.homespace.sync.keys import PARTS
from greyhub.homespace.sync.stores.base import ABSENT, Changed, Found
from greyhub.homespace.sync.stores.objects import AT_ONCE, PART, Objects
from greyhub.homespace.sync.stores.obstore_client import NeedsSDK, ObstoreClient, UseSDK

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from greyhub.homespace.sync.source import Source

OTHER: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
GONE: Final = frozenset({"NoSuchKey", "404"})


class S3Store(Objects):
    """A home in a bucket, by way of `s3fs.S3FileSystem`.

    Parameters
    ----------
    opener : Callable[[], s3fs.S3FileSystem]
        Opens that.
    root : str
        ``bucket/prefix``.
    options : Mapping[str, Any], optional
        What it will be opened with, if that is known.
    """

    protocol = "s3"

    def __init__(
        self,
        opener: Callable[[], AbstractFileSystem],
        root: str,
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(opener, root)
        self._options = options

    def list(self, prefix: str = "") -> Iterator[Found]:
        """All objects whose key begins so."""
        for found in self._obstore_list(prefix) or self._pages(prefix):
            if not found.key.startswith(PARTS):
                yield found

    def _obstore_list(self, prefix: str) -> Sequence[Found]:
        """A listing by obstore; nothing if that does not go well.

        Where it finds nothing, the SDK is asked as well: that would mean that all is deleted.
        """
        folder, client = self.prefix + prefix, self._obstore()
        if client and (not folder or folder.endswith("/")):
            with suppress(UseSDK):
                return client.list(folder, self.prefix)
        return ()

    def _pages(self, prefix: str) -> Iterator[Found]:
        token: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=self.prefix + prefix, **token)
            yield from map(self._found, page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def find(self, key: str) -> Found | None:
        """One object, by a listing: unlike a HEAD, it tells a lost bucket from a lost key."""
        page = self._call("list_objects_v2", Prefix=self.prefix + key, MaxKeys=1)
        for item in page.get("Contents", ()):
            if item["Key"] == self.prefix + key:
                return self._found(item)
        return None

    def _found(self, item: Any) -> Found:
        mtime = int(item["LastModified"].timestamp() * 1000) * 1_000_000
        return Found(item["Key"][len(self.prefix) :], item["Size"], _tag(item), mtime)

    def _open_client(self) -> ObstoreClient:
        from greyhub.homespace.sync.stores.obstore_client.s3 import (
            open_from_filesystem,
            open_from_options,
        )

        try:
            return open_from_options(self._options, self.bucket, self.name)
        except NeedsSDK:
            return open_from_filesystem(self.filesystem, self.bucket, self.name)

    async def _get(
        self, key: str, tag: str | None, start: int | None = None, length: int | None = None
    ) -> tuple[bytes, str]:
        options: dict[str, Any] = {"IfMatch": f'"{tag}"'} if tag else {}
        if start is not None and length is not None:
            options["Range"] = f"bytes={start}-{start + length - 1}"
        answer = await self._ask("get_object", key, **options)
        async with answer["Body"] as body:
            return await body.read(), _tag(answer)

    def put(self, key: str, source: Source, expect: str | None) -> str:
        """Put an object, in parts if it is large; nothing is seen of it before the last."""
        if source.size > PART:
            return self._put_parts(key, source, expect)
        data = b"".join(source.chunks(PART))
        source.seal()
        return self._write(key, data, expect)

    async def _set(self, key: str, data: bytes, expect: str | None) -> str:
        try:
            return _tag(await self._ask("put_object", key, Body=data, **_expected(expect)))
        except FileNotFoundError as error:  # the object that was to be replaced
            raise Changed(key) from error

    def _put_parts(self, key: str, source: Source, expect: str | None) -> str:
        upload = self._run(self._ask("create_multipart_upload", key))["UploadId"]
        waiting: deque[Future[Any]] = deque()
        parts: list[dict[str, Any]] = []

        def take() -> None:
            parts.append({"PartNumber": len(parts) + 1, "ETag": waiting.popleft().result()["ETag"]})

        try:
            # There may be 10,000 parts at most.
            for number, piece in enumerate(source.chunks(max(PART, source.size // 9_000)), 1):
                if len(waiting) == AT_ONCE:
                    take()
                part = {"UploadId": upload, "PartNumber": number, "Body": piece}
                waiting.append(self._start(self._ask("upload_part", key, **part)))
            while waiting:
                take()
            source.seal()
            if expect is not None:  # for servers that do not look at the condition below
                found = self.find(key)
                if (found.tag if found else ABSENT) != expect:
                    raise Changed(key)
            whole: dict[str, Any] = {"UploadId": upload, "MultipartUpload": {"Parts": parts}}
            whole |= _expected(expect)
            return _tag(self._run(self._ask("complete_multipart_upload", key, **whole)))
        except BaseException:
            for future in waiting:
                future.cancel()
            with suppress(Exception):
                self._run(self._ask("abort_multipart_upload", key, UploadId=upload))
            raise

    def copy(self, key: str, tag: str, to: str) -> str:
        """Copy an object within the bucket."""
        if self.find(to) is not None:
            raise Changed(to)
        source = {"Bucket": self.bucket, "Key": self.prefix + key}
        answer = self._run(
            self._ask("copy_object", to, CopySource=source, CopySourceIfMatch=f'"{tag}"')
        )
        return _tag(answer["CopyObjectResult"])

    def delete(self, key: str, expect: str | None) -> None:
        """Delete an object; a server that knows no condition is asked before."""
        if expect is not None:
            found = self.find(key)
            if found is None:
                return
            if found.tag != expect:
                raise Changed(key)
        with suppress(FileNotFoundError):
            self._run(
                self._ask("delete_object", key, **({"IfMatch": f'"{expect}"'} if expect else {}))
            )

    async def _ask(self, method: str, key: str, **options: Any) -> Any:
        try:
            return await self.filesystem._call_s3(
                method, Bucket=self.bucket, Key=self.prefix + key, **options
            )
        except OSError as error:
            raise _meaning(error, key) from error

    def _call(self, method: str, **options: Any) -> Any:
        async def ask() -> Any:
            try:
                return await self.filesystem._call_s3(method, Bucket=self.bucket, **options)
            except FileNotFoundError as error:
                raise OSError(f"the bucket {self.bucket} is not there") from error

        return self._run(ask())


def open_s3(url: str, options: Mapping[str, Any]) -> S3Store:
    """The home at an ``s3://`` URL."""
    config: dict[str, Any] = {"connect_timeout": 10, "read_timeout": 60}
    # Who asks knows better when to ask again.
    config |= {"max_pool_connections": 64, "retries": {"total_max_attempts": 2}}
    # Otherwise it is put together anew for each request.
    config["user_agent"] = f"greyhub/{__version__}"
    given = {**options, "config_kwargs": config | dict(options.get("config_kwargs") or {})}

    def opener() -> AbstractFileSystem:
        from s3fs import S3FileSystem

        if {"session", "profile"} & given.keys():
            return S3FileSystem(**given)
        return S3FileSystem(**given, session=_quick_session())

    return S3Store(opener, url.partition("://")[2], given)


def _quick_session() -> Any:
    """A session of the SDK that reads times quickly: a page of a listing has a thousand."""
    from aiobotocore.session import AioSession
    from botocore.utils import parse_timestamp

    def parse(value: Any) -> datetime:
        with suppress(AttributeError, TypeError, ValueError):
            if value.endswith("Z"):
                return datetime.fromisoformat(value)
            if value.endswith("GMT"):
                return parsedate_to_datetime(value)
        found: datetime = parse_timestamp(value)
        return found

    session = AioSession()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse)
    return session


def _expected(expect: str | None) -> dict[str, str]:
    if expect is None:
        return {}
    return {"IfMatch": f'"{expect}"'} if expect else {"IfNoneMatch": "*"}


def _tag(item: Any) -> str:
    return str(item["ETag"]).strip('"')


def _meaning(error: OSError, key: str) -> Exception:
    """What an answer of the server says, in the store's own terms."""
    answer = getattr(error.__cause__, "response", None) or {}
    code = str(answer.get("Error", {}).get("Code", ""))
    if code in OTHER:
        return Changed(key)
    if code in GONE:
        return FileNotFoundError(key)
    if isinstance(error, FileNotFoundError):  # the bucket: not an answer about the key
        return OSError(str(error) or "the bucket is not there")
    return error
