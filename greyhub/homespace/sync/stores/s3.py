"""S3 and what speaks its API: every write says what it expects to replace.

One request for each small object, through s3fs's client and with the user's
credentials as s3fs finds them. Large objects go in parts, several at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from greyhub.homespace.sync.keys import PARTS
from greyhub.homespace.sync.stores import ABSENT, Changed, Found
from greyhub.homespace.sync.stores.objects import AT_ONCE, PART, Objects

if TYPE_CHECKING:
    from greyhub.homespace.sync.source import Source

OTHER: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
GONE: Final = frozenset({"NoSuchKey", "404"})


class S3Store(Objects):
    """A home in a bucket, by way of `s3fs.S3FileSystem`."""

    protocol = "s3"

    def list(self, prefix: str = "") -> Iterator[Found]:
        """All objects whose key begins so."""
        token: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=self.prefix + prefix, **token)
            for item in page.get("Contents", ()):
                found = self._found(item)
                if not found.key.startswith(PARTS):
                    yield found
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
        data = b"".join(source.chunks())
        source.seal()
        try:
            return _tag(self._run(self._ask("put_object", key, Body=data, **_expected(expect))))
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


def quick_session() -> Any:
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
