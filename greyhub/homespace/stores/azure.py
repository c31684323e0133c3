"""Homes on Azure Blob Storage and Data Lake Storage, through adlfs."""

from __future__ import annotations

import asyncio
import errno
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import IO, Any

from fsspec.asyn import sync

from greyhub.azureml.storage import code_of, no_answer
from greyhub.errors import CredentialError, CredentialUnavailable
from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import Entry
from greyhub.homespace.stores.azure_account import in_words, open_filesystem
from greyhub.homespace.stores.errors import Denied, FileChanged, Unavailable, refusal
from greyhub.homespace.stores.objects import ObjectStore

_FOLDER = "hdi_isfolder"
"""The metadata by which Azure's own tools know a directory's marker."""

_MARK = "greyhubupload"
_UNKEPT = re.compile(r"\\|\.(/|$)|[\x00-\x1f\x7f\ufffe\uffff]")
_ONCE = {"retry_total": 0, "connection_timeout": 10, "read_timeout": 30}


class AzureStore(ObjectStore):
    """A prefix of a container. A directory's marker is an empty blob of its name."""

    page = 5000
    """Blobs in one answer to a listing."""

    def __init__(self, url: str, secrets: Secrets, patience: float) -> None:
        super().__init__(url, secrets, patience)
        from adlfs import AzureBlobFileSystem

        path = AzureBlobFileSystem._strip_protocol(url)
        self.container, _, root = path.partition("/")
        self.root = root.rstrip("/")
        self._of_url = AzureBlobFileSystem._get_kwargs_from_urls(url)

    def connect(self) -> Any:
        """An adlfs filesystem that is nobody else's."""
        return open_filesystem({**self._of_url, **self.secrets.read()})

    def check_name(self, path: str) -> None:
        """Azure drops a dot at a name's end, takes a backslash for a slash, and lists in XML."""
        if _UNKEPT.search(path):
            what = "a backslash, a control character or a dot at its end"
            raise refusal(errno.EINVAL, path, f"Azure keeps no name with {what}")

    def understand(self, error: Exception) -> OSError | None:
        """An OSError by the status of Azure's answer."""
        from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

        if isinstance(error, CredentialUnavailable):
            return Unavailable(str(error))
        if isinstance(error, CredentialError):
            return Denied(errno.EACCES, str(error))
        if isinstance(error, ClientAuthenticationError):
            said = in_words(code_of(error), error.status_code)
            return Denied(errno.EACCES, said or "the credentials are refused")
        if isinstance(error, HttpResponseError) and error.status_code is not None:
            return _of_status(error.status_code, code_of(error))
        if isinstance(error, AzureError | ConnectionError | TimeoutError):
            return Unavailable(no_answer(error))
        if isinstance(error, ValueError) and "credential" in str(error).lower():
            return Denied(errno.EACCES, "the credentials are not of their form")
        return error if isinstance(error, OSError) else None

    def call(self, path: str, request: Callable[[Any], Awaitable[Any]], **how: Any) -> Any:
        """One question about a path to its blob's client."""

        async def answer(service: Any) -> Any:
            return await request(service.get_blob_client(self.container, self.key(path)))

        def call() -> Any:
            client = self.client
            return sync(client.loop, answer, client.service_client)

        return self.ask(path, call, **how)

    def head(self, path: str) -> Entry | None:
        """The blob of exactly this path."""
        try:
            found = self.call(path, lambda blob: blob.get_blob_properties(**_ONCE))
        except FileNotFoundError:
            return None
        return _entry(path, found)

    def marker(self, path: str) -> list[Callable[[], Entry | None]]:
        """A marker is a blob of the directory's own name."""
        return [partial(self.head, path)]

    def below(self, path: str, *, deep: bool) -> Iterator[Entry]:
        """Blobs and markers below a path, a page at once."""
        prefix = f"{self.key(path)}/" if self.key(path) else ""
        following: str | None = None
        while True:
            call = partial(self._page, prefix, deep, following)
            found, following = self.ask(path, call)
            for each in found:
                name = self.path(each.name)
                folder = each.name.endswith("/")
                yield Entry(name, "directory") if folder else _entry(name, each)
            if not following:
                return

    def _page(self, prefix: str, deep: bool, following: str | None) -> tuple[list[Any], Any]:
        client = self.client

        async def read() -> tuple[list[Any], Any]:
            container = client.service_client.get_container_client(self.container)
            how: dict[str, Any] = {"name_starts_with": prefix, "include": ["metadata"], **_ONCE}
            how["results_per_page"] = self.page
            found = (
                container.list_blobs(**how) if deep else container.walk_blobs(delimiter="/", **how)
            )
            pages = found.by_page(continuation_token=following)
            async for page in pages:
                return [each async for each in page], pages.continuation_token
            return [], None

        result: tuple[list[Any], Any] = sync(client.loop, read)
        return result

    def get(self, path: str, start: int, end: int | None, version: str = "") -> bytes:
        """Bytes of a blob, all of one version."""
        condition = _unchanged(version) if version else {}
        length = None if end is None else end - start

        async def read(blob: Any) -> bytes:
            how = {"max_concurrency": 4, **condition, **_ONCE}
            stream = await blob.download_blob(start, length, **how)
            found: bytes = await stream.readall()
            if len(found) != stream.size:
                raise Unavailable("the answer was cut short")
            return found

        content: bytes = self.call(path, read)
        return content

    def upload(self, path: str, body: IO[bytes], exclusive: bool, match: str | None) -> None:
        """Put a blob; what has several blocks appears when they are committed."""
        start = body.tell()
        size = body.seek(0, 2) - start
        # The mark tells whose the blob is when a conditional upload's answer was lost.
        mark = uuid.uuid4().hex
        how: dict[str, Any] = {"length": size, "max_concurrency": 4, **_ONCE}
        if exclusive or match is not None:
            how["metadata"] = {_MARK: mark}
        if match is not None:
            how |= _unchanged(match)

        async def write(blob: Any) -> None:
            body.seek(start)
            await blob.upload_blob(body, overwrite=not exclusive, **how)

        try:
            self.call(path, write)
        except (FileChanged, FileExistsError) as error:
            if "metadata" not in how or not self._is_mine(path, mark):
                raise (refusal(errno.EEXIST, path) if exclusive else error) from None

    def _is_mine(self, path: str, mark: str) -> bool:
        try:
            found = self.call(path, lambda blob: blob.get_blob_properties(**_ONCE))
        except FileNotFoundError:
            return False
        return bool((found.metadata or {}).get(_MARK) == mark)

    def copy_object(self, source: Entry, target: str) -> None:
        """Copy this version within the account."""

        async def copy(blob: Any) -> None:
            if source.name == target:
                # The metadata alone is written: that changes the time.
                found = await blob.get_blob_properties(**_ONCE)
                await blob.set_blob_metadata(found.metadata or {}, **_ONCE)
                return
            container = self.client.service_client.get_container_client(self.container)
            origin = container.get_blob_client(self.key(source.name))
            started = await blob.start_copy_from_url(
                origin.url, source_etag=f'"{source.version}"', **_only_unchanged(), **_ONCE
            )
            while started.get("copy_status", "success") == "pending":
                await asyncio.sleep(0.2)
                found = await blob.get_blob_properties(**_ONCE)
                started = {"copy_status": found.copy.status}
            if started.get("copy_status", "success") != "success":
                raise Unavailable(f"the copy is {started['copy_status']}")

        self.call(target, copy)

    def delete(self, entries: Iterable[Entry]) -> None:
        """Delete blobs, and then markers, the deepest first."""
        files: list[Entry] = []
        markers: list[Entry] = []
        for each in entries:
            (markers if each.type == "directory" else files).append(each)
        self.together([partial(self._delete, each) for each in files])
        for each in sorted(markers, key=lambda entry: -entry.name.count("/")):
            self._delete(each)

    def _delete(self, entry: Entry) -> None:
        condition = _unchanged(entry.version) if entry.version else {}
        how = {"delete_snapshots": "include", **condition, **_ONCE}
        with suppress(FileNotFoundError):
            self.call(entry.name, lambda blob: blob.delete_blob(**how))

    def mark(self, path: str) -> None:
        """Put an empty blob that says that it is a directory."""
        self.call(
            path,
            lambda blob: blob.upload_blob(
                b"", length=0, overwrite=True, metadata={_FOLDER: "true"}, **_ONCE
            ),
        )


def _entry(name: str, found: Any) -> Entry:
    if (found.metadata or {}).get(_FOLDER, "").lower() == "true":
        return Entry(name, "directory")
    return Entry(name, "file", found.size, found.last_modified.timestamp(), found.etag.strip('"'))


def _unchanged(version: str) -> dict[str, Any]:
    from azure.core import MatchConditions

    return {"etag": f'"{version}"', "match_condition": MatchConditions.IfNotModified}


def _only_unchanged() -> dict[str, Any]:
    from azure.core import MatchConditions

    return {"source_match_condition": MatchConditions.IfNotModified}


def _of_status(status: int, code: str) -> OSError:
    message = in_words(code, status)
    if status in (408, 429) or status >= 500:
        return Unavailable(message)
    if status in (401, 403):
        return Denied(errno.EACCES, message)
    if code == "ContainerNotFound":
        return OSError(errno.EIO, message)  # says nothing about the files in it
    if status == 404:
        return FileNotFoundError(errno.ENOENT, message)
    if code == "BlobAlreadyExists":
        return FileExistsError(errno.EEXIST, message)
    if status == 412:
        return FileChanged(message)
    if status == 416:
        return OSError(errno.ERANGE, message)
    return OSError(errno.EIO, message)
