"""Azure Blob Storage: every write says what it expects to replace.

With the user's credentials as adlfs finds them. A blob is shown when its blocks
are committed, not before.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from greyhub import __version__
from greyhub.azureml.storage import code_of, no_answer
from greyhub.errors import CredentialError, CredentialUnavailable
from greyhub.homespace.stores.azure_account import in_words, open_filesystem
from greyhub.homespace.sync.keys import PARTS
from greyhub.homespace.sync.stores.base import ABSENT, Changed, Found
from greyhub.homespace.sync.stores.objects import AT_ONCE, PART, Objects
from greyhub.homespace.sync.stores.obstore_client import ObstoreClient

if TYPE_CHECKING:
    from greyhub.homespace.sync.source import Source

ONCE: Final = {"retry_total": 0, "connection_timeout": 10, "read_timeout": 60}
"""Who asks knows better when to ask again: Azure's client would wait for 15 s first."""


Listing = list[Found]
Names = list[str]


class AzureStore(Objects):
    """A home in a container, by way of `adlfs.AzureBlobFileSystem`."""

    protocol = "abfs"

    def list(self, prefix: str = "") -> Iterator[Found]:
        """All blobs whose key begins so."""
        for found in self._run(_meant(self._listing(prefix), prefix)):
            if not found.key.startswith(PARTS):
                yield found

    async def _listing(self, prefix: str) -> Listing:
        client = self.filesystem.service_client.get_container_client(self.bucket)
        blobs = client.list_blobs(
            name_starts_with=self.prefix + prefix, include=["metadata"], **ONCE
        )
        # With hierarchical namespaces a folder is a blob too, and says so.
        return [
            self._found(blob)
            async for blob in blobs
            if (blob.metadata or {}).get("hdi_isfolder") != "true"
        ]

    def _found(self, blob: Any) -> Found:
        mtime = int(blob.last_modified.timestamp()) * 1_000_000_000
        return Found(blob.name[len(self.prefix) :], blob.size, _tag(blob.etag), mtime)

    def find(self, key: str) -> Found | None:
        """One blob."""
        try:
            return Found(*self._run(self._find(key)))
        except FileNotFoundError:
            return None

    async def _find(self, key: str) -> Found:
        found = self._found(await _meant(self._blob(key).get_blob_properties(**ONCE), key))
        return found._replace(key=key)

    def _open_client(self) -> ObstoreClient:
        from greyhub.homespace.sync.stores.obstore_client.azure import open_client

        return open_client(self.filesystem, self.bucket, self.name, f"greyhub/{__version__}")

    async def _get(
        self, key: str, tag: str | None, start: int | None = None, length: int | None = None
    ) -> tuple[bytes, str]:
        where = {} if start is None else {"offset": start, "length": length}
        request = self._blob(key).download_blob(**where, **_expected(tag or None), **ONCE)
        stream = await _meant(request, key)
        return await stream.readall(), _tag(stream.properties.etag)

    async def _set(self, key: str, data: bytes, expect: str | None) -> str:
        sent = self._blob(key).upload_blob(
            data, overwrite=expect != ABSENT, **_expected(expect or None), **ONCE
        )
        return _tag((await _meant(sent, key, replacing=True))["etag"])

    def put(self, key: str, source: Source, expect: str | None) -> str:
        """Send the blocks, seal, and commit them in one conditional request."""
        waiting: deque[Future[Any]] = deque()
        blocks: Names = []
        if source.size <= PART:
            data = b"".join(source.chunks(PART))
            source.seal()
            return self._write(key, data, expect)
        try:
            for number, piece in enumerate(source.chunks(max(PART, source.size // 40_000))):
                if len(waiting) == AT_ONCE:
                    waiting.popleft().result()
                blocks.append(base64.b64encode(f"{number:08d}".encode()).decode())
                sent = self._blob(key).stage_block(blocks[-1], piece, length=len(piece), **ONCE)
                waiting.append(self._start(_meant(sent, key)))
            while waiting:
                waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
        source.seal()
        return _tag(self._run(self._commit(key, blocks, expect))["etag"])

    async def _commit(self, key: str, blocks: Names, expect: str | None) -> Any:
        from azure.core import MatchConditions
        from azure.storage.blob import BlobBlock

        condition = _expected(expect or None)
        if expect == ABSENT:
            condition = {"match_condition": MatchConditions.IfMissing}
        listed = [BlobBlock(block) for block in blocks]
        return await _meant(
            self._blob(key).commit_block_list(listed, **condition, **ONCE), key, replacing=True
        )

    def copy(self, key: str, tag: str, to: str) -> str:
        """Read a blob and write it elsewhere: a copy in the store needs rights of its own."""
        import io

        from greyhub.homespace.sync.source import Content

        into = io.BytesIO()
        self.fetch(key, tag, into)
        return self.put(to, Content(into.getvalue()), ABSENT)

    def delete(self, key: str, expect: str | None) -> None:
        """Delete a blob, if it is as expected."""
        try:
            self._run(_meant(self._blob(key).delete_blob(**_expected(expect), **ONCE), key))
        except FileNotFoundError:
            return

    def _blob(self, key: str) -> Any:
        return self.filesystem.service_client.get_blob_client(self.bucket, self.prefix + key)


def open_azure(url: str, options: dict[str, Any]) -> AzureStore:
    """The home at a URL; ``options`` are those of `open_filesystem`."""
    from adlfs import AzureBlobFileSystem

    root = AzureBlobFileSystem._strip_protocol(url)
    told = {**AzureBlobFileSystem._get_kwargs_from_urls(url), **options}
    filesystem = open_filesystem(told, use_listings_cache=False)
    return AzureStore(lambda: filesystem, root)


def _expected(tag: str | None) -> dict[str, Any]:
    if not tag:
        return {}
    from azure.core import MatchConditions

    return {"etag": f'"{tag}"', "match_condition": MatchConditions.IfNotModified}


def _tag(etag: str) -> str:
    return str(etag).strip('"')


async def _meant(request: Any, key: str, *, replacing: bool = False) -> Any:
    """What the service answers, in the store's own terms."""
    from azure.core import exceptions

    try:
        return await request
    except (exceptions.ResourceModifiedError, exceptions.ResourceExistsError) as error:
        raise Changed(key) from error
    except exceptions.ResourceNotFoundError as error:
        code = str(getattr(error, "error_code", ""))
        if "Container" in code:  # not an answer about the blob
            raise OSError(f"the container is not there: {code}") from error
        raise (Changed(key) if replacing else FileNotFoundError(key)) from error
    except exceptions.HttpResponseError as error:
        said = in_words(code_of(error), error.status_code)
        kind = PermissionError if error.status_code in (401, 403) else OSError
        raise kind(said) from error
    except exceptions.AzureError as error:
        raise OSError(no_answer(error)) from error
    except CredentialUnavailable as error:
        raise OSError(str(error)) from error
    except CredentialError as error:
        raise PermissionError(str(error)) from error
