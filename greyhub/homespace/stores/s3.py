"""Homes on S3, and on stores that speak its language, through s3fs."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import IO, Any

from fsspec.asyn import sync

from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import Entry
from greyhub.homespace.stores.errors import Denied, FileChanged, Unavailable, refusal
from greyhub.homespace.stores.multipart import PART, Multipart, sweep
from greyhub.homespace.stores.objects import ObjectStore

COPIED_AT_ONCE = 5 * 2**30
"""Bytes that S3 copies by one request."""

_BUSY = {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling",
         "ThrottlingException", "OperationAborted", "ConditionalRequestConflict",
         "RequestLimitExceeded", "500", "502", "503", "504", "429", "408"}  # fmt: skip
_REFUSED = {"AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "403", "401",
            "SignatureDoesNotMatch", "TokenRefreshRequired", "RequestTimeTooSkewed",
            "AccountProblem", "AllAccessDisabled", "Forbidden"}  # fmt: skip
_MARK = "greyhub-upload"


class S3Store(ObjectStore):
    """A prefix of a bucket. A directory's marker is an empty object with a slash at its end."""

    page = 1000
    """Objects in one answer to a listing."""

    def __init__(self, url: str, secrets: Secrets, patience: float) -> None:
        super().__init__(url, secrets, patience)
        self.bucket, _, root = url.partition("://")[2].partition("/")
        self.root = root.rstrip("/")
        self._swept = False

    def connect(self) -> Any:
        """An s3fs filesystem that leaves repeating to us and is nobody else's."""
        from s3fs import S3FileSystem

        options = self.secrets.read()
        config = {
            "connect_timeout": 5,
            "read_timeout": 30,
            "max_pool_connections": 2 * self.width,
            **options.pop("config_kwargs", {}),
            "retries": {"total_max_attempts": 1},
        }
        client = S3FileSystem(**options, config_kwargs=config, skip_instance_cache=True)
        client.retries = 1
        return client

    def understand(self, error: Exception) -> OSError | None:
        """An OSError by the code of S3's answer."""
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            NoCredentialsError,
            PartialCredentialsError,
        )

        answer = error if isinstance(error, ClientError) else error.__cause__
        if isinstance(answer, ClientError):
            return _of_code(answer, str(error))
        if isinstance(error, NoCredentialsError | PartialCredentialsError):
            return Denied(errno.EACCES, "this server has no credentials for the store")
        transient = (BotoCoreError, ConnectionError, TimeoutError)
        if isinstance(error, transient) or type(error).__module__.startswith("aiohttp"):
            return Unavailable(f"no answer: {type(error).__name__}")
        return error if isinstance(error, OSError) else None

    def call(self, path: str, method: str, /, **arguments: Any) -> Any:
        """One request about a path."""
        key = arguments.pop("Key", self.key(path))
        settled = arguments.pop("settled", ())

        def request() -> Any:
            return self.client.call_s3(method, Bucket=self.bucket, Key=key, **arguments)

        return self.ask(path, request, settled=settled)

    def head(self, path: str) -> Entry | None:
        """The object of exactly this path."""
        try:
            found = self.call(path, "head_object")
        except FileNotFoundError:
            return None
        return self._entry(path, found["ContentLength"], found)

    @staticmethod
    def _entry(path: str, size: int, found: dict[str, Any]) -> Entry:
        changed = found["LastModified"].timestamp()
        return Entry(path, "file", size, changed, found["ETag"].strip('"'))

    def below(self, path: str, *, deep: bool) -> Iterator[Entry]:
        """Objects and markers below a path, a page at once."""
        prefix = f"{self.key(path)}/" if self.key(path) else ""
        page: dict[str, Any] = {"Bucket": self.bucket, "Prefix": prefix, "MaxKeys": self.page}
        if not deep:
            page["Delimiter"] = "/"
        while True:
            found = self.ask(path, lambda: self.client.call_s3("list_objects_v2", **page))
            for each in found.get("CommonPrefixes", ()):
                yield Entry(self.path(each["Prefix"]), "directory")
            for each in found.get("Contents", ()):
                if each["Key"].endswith("/"):
                    yield Entry(self.path(each["Key"]), "directory")
                else:
                    yield self._entry(self.path(each["Key"]), each["Size"], each)
            if not found.get("IsTruncated"):
                return
            page["ContinuationToken"] = found["NextContinuationToken"]

    def get(self, path: str, start: int, end: int | None, version: str = "") -> bytes:
        """Bytes of an object, all of one version."""
        how: dict[str, Any] = {"Bucket": self.bucket, "Key": self.key(path)}
        if start or end is not None:
            how["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        if version:
            how["IfMatch"] = f'"{version}"'

        async def read(client: Any) -> bytes:
            answer = await client._call_s3("get_object", **how)
            async with answer["Body"] as body:
                content: bytes = await body.read()
            if len(content) != answer["ContentLength"]:
                raise Unavailable("the answer was cut short")
            return content

        def call() -> bytes:
            client = self.client
            content: bytes = sync(client.loop, read, client)
            return content

        return self.ask(path, call)

    def upload(self, path: str, body: IO[bytes], exclusive: bool, match: str | None) -> None:
        """Put an object, in one piece or in parts that appear together."""
        start = body.tell()
        size = body.seek(0, 2) - start
        body.seek(start)
        # If the answer to a conditional upload is lost, its own success stands in
        # the way of the second try. The mark tells whose the object is.
        mark = uuid.uuid4().hex
        condition: dict[str, Any] = {}
        if exclusive:
            condition["IfNoneMatch"] = "*"
        elif match is not None:
            condition["IfMatch"] = f'"{match}"'
        made = {"Metadata": {_MARK: mark}} if condition else {}
        try:
            if size <= PART:
                self.call(path, "put_object", Body=body.read(), **condition, **made)
            else:
                self._sweep()
                Multipart(self, path, **made).upload(body, size, condition)
        except (FileChanged, FileNotFoundError) as error:
            if self._is_mine(path, mark):
                return
            if exclusive:
                raise refusal(errno.EEXIST, path) from None
            raise FileChanged(path=path) if match is not None else error from None

    def _is_mine(self, path: str, mark: str) -> bool:
        try:
            found = self.call(path, "head_object")
        except FileNotFoundError:
            return False
        return bool(found.get("Metadata", {}).get(_MARK) == mark)

    def _sweep(self) -> None:
        """Abort the uploads of writers that died; once for each home that is opened."""
        if not self._swept:
            self._swept = True
            with suppress(OSError):  # not every store lists them, nor lets everyone do so
                sweep(self)

    def copy_object(self, source: Entry, target: str) -> None:
        """Copy this version within the bucket."""
        if source.size > COPIED_AT_ONCE:
            return Multipart(self, target).copy(source)
        itself = {"MetadataDirective": "REPLACE"} if source.name == target else {}
        self.call(target, "copy_object", **self.origin(source), **itself)

    def origin(self, source: Entry) -> dict[str, Any]:
        """Where a copy is made from, and in which version."""
        origin = {"Bucket": self.bucket, "Key": self.key(source.name)}
        return {"CopySource": origin, "CopySourceIfMatch": f'"{source.version}"'}

    def delete(self, entries: Iterable[Entry]) -> None:
        """Delete objects, a thousand at once where no version has to be the right one."""
        bulk: list[str] = []
        singles = []
        for each in entries:
            key = self.key(each.name) + ("/" if each.type == "directory" else "")
            if each.version or not key.isprintable():
                singles.append((each, key))
            else:
                bulk.append(key)
        self.together([partial(self._delete, each, key) for each, key in singles])
        if len(bulk) == 1:
            self.call(self.path(bulk[0]), "delete_object", Key=bulk[0])
            return
        for at in range(0, len(bulk), 1000):
            keys = {"Objects": [{"Key": key} for key in bulk[at : at + 1000]], "Quiet": True}
            found = self.ask("", partial(self._delete_all, keys))
            for failed in found.get("Errors", ()):
                code = failed.get("Code", "")
                number = errno.EACCES if code in _REFUSED else errno.EIO
                raise refusal(number, self.path(failed["Key"]), f"not deleted: {code}")

    def _delete_all(self, keys: dict[str, Any]) -> Any:
        return self.client.call_s3("delete_objects", Bucket=self.bucket, Delete=keys)

    def _delete(self, entry: Entry, key: str) -> None:
        condition = {"IfMatch": f'"{entry.version}"'} if entry.version else {}
        self.call(entry.name, "delete_object", Key=key, settled=FileNotFoundError, **condition)

    def mark(self, path: str) -> None:
        """Put an empty object with a slash at its end."""
        self.call(path, "put_object", Key=f"{self.key(path)}/", Body=b"")


def _of_code(answer: Any, text: str) -> OSError:
    code = answer.response.get("Error", {}).get("Code", "")
    status = answer.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{code}: {text}" if code not in text else text
    if code in _BUSY or status >= 500 or status == 429:
        return Unavailable(message)
    # A head request's answer has no body: 400 is how it says that a token has expired.
    if (
        code in _REFUSED
        or status in (401, 403)
        or (code, answer.operation_name)
        == (
            "400",
            "HeadObject",
        )
    ):
        return Denied(errno.EACCES, message)
    if code in ("NoSuchKey", "404", "NotFound"):
        return FileNotFoundError(errno.ENOENT, message)
    if code == "NoSuchUpload":
        return FileNotFoundError(errno.ENOENT, message)
    if code in ("PreconditionFailed", "412"):
        return FileChanged(message)
    if code in ("InvalidRange", "416"):
        return OSError(errno.ERANGE, message)
    if code == "KeyTooLongError":
        return OSError(errno.ENAMETOOLONG, message)
    if code in ("QuotaExceeded", "InsufficientStorage", "EntityTooLarge", "507"):
        return OSError(errno.EDQUOT, message)
    # NoSuchBucket too: a bucket that is gone says nothing about the files in it.
    return OSError(errno.EIO, message)
