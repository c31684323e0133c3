"""Homes on every store, and oracles that know what is on a store without a home."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

from greyhub.homespace.filesystem import Home
from greyhub.names import filename
from tests.support.waiting import MINUTE

SLOW = {"sftp", "webdav", "other"}
"""Stores on which a matrix of tests is for ``make test-all``; the others are in every run."""


def matrix(*stores: str) -> list[Any]:
    """Parameters of a fixture: one test for each store."""
    return [pytest.param(each, marks=pytest.mark.slow) if each in SLOW else each for each in stores]


class Oracle(Protocol):
    """What a store holds, asked without a home. Names are relative to the store's top."""

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, content: bytes) -> None: ...

    def delete(self, name: str) -> None: ...

    def names(self, below: str) -> set[str]: ...


@dataclass
class Disk:
    """A directory."""

    root: Path

    def read(self, name: str) -> bytes | None:
        path = self.root / name
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{uuid.uuid4().hex}.oracle")
        part.write_bytes(content)
        part.replace(path)

    def delete(self, name: str) -> None:
        (self.root / name).unlink()

    def names(self, below: str) -> set[str]:
        top = self.root / below
        return {
            os.path.relpath(os.path.join(directory, name), top)
            for directory, _, names in os.walk(top)
            for name in names
        }


@dataclass
class Bucket:
    """An S3 bucket."""

    client: Any
    bucket: str

    def read(self, name: str) -> bytes | None:
        try:
            found: bytes = self.client.get_object(Bucket=self.bucket, Key=name)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None
        return found

    def write(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=name, Body=content)

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=name)

    def names(self, below: str) -> set[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{below}/"
        )
        keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
        return {key[len(below) + 1 :] for key in keys if not key.endswith("/")}


@dataclass
class Container:
    """An Azure container."""

    client: Any

    def read(self, name: str) -> bytes | None:
        blob = self.client.get_blob_client(name)
        return blob.download_blob().readall() if blob.exists() else None

    def write(self, name: str, content: bytes) -> None:
        self.client.upload_blob(name, content, overwrite=True)

    def delete(self, name: str) -> None:
        self.client.delete_blob(name)

    def names(self, below: str) -> set[str]:
        found = self.client.list_blobs(name_starts_with=f"{below}/", include=["metadata"])
        return {
            each.name[len(below) + 1 :]
            for each in found
            if (each.metadata or {}).get("hdi_isfolder") != "true"
        }


@dataclass
class Dictionary:
    """fsspec's memory."""

    files: dict[str, Any] = field(default_factory=lambda: MemoryFileSystem.store)

    def read(self, name: str) -> bytes | None:
        found = self.files.get(f"/{name}")
        return None if found is None else found.getvalue()

    def write(self, name: str, content: bytes) -> None:
        self.files[f"/{name}"] = MemoryFile(None, f"/{name}", content)

    def delete(self, name: str) -> None:
        del self.files[f"/{name}"]

    def names(self, below: str) -> set[str]:
        return {key[len(below) + 2 :] for key in [*self.files] if key.startswith(f"/{below}/")}


@dataclass
class Place:
    """A store with homes on it."""

    name: str
    template: str
    options: Mapping[str, Any]
    oracle: Oracle
    top: str
    """Where homes are, from the oracle's top; empty or with a slash at its end."""

    user: str = field(default_factory=lambda: f"u{uuid.uuid4().hex[:12]}")
    proxied: Callable[[], Any] | None = None
    """Starts a proxy before the store that misbehaves when it is told to."""

    def home(self, user: str = "", patience: float = MINUTE, **options: Any) -> Home:
        """A user's home; by default one that is this test's alone."""
        found = Home(self.url(user), {**self.options, **options}, patience)
        found.makedirs("", exist_ok=True)
        return found

    def url(self, user: str = "") -> str:
        return self.template.replace("{username}", filename(user or self.user))

    def inside(self, path: str, user: str = "") -> str:
        return f"{self.top}{filename(user or self.user)}/{path}".rstrip("/")

    def read(self, path: str, user: str = "") -> bytes | None:
        return self.oracle.read(self.inside(path, user))

    def write(self, path: str, content: bytes, user: str = "") -> None:
        self.oracle.write(self.inside(path, user), content)

    def delete(self, path: str) -> None:
        self.oracle.delete(self.inside(path))

    def names(self, user: str = "") -> set[str]:
        """Every file of a home, hidden ones too."""
        return self.oracle.names(self.inside("", user))

    @property
    def disk(self) -> Path:
        """The home's directory, where the store's files are on this machine's disk."""
        assert isinstance(self.oracle, Disk)
        return self.oracle.root / self.inside("")

    @property
    def on_disk(self) -> bool:
        return isinstance(self.oracle, Disk)


class Plain(LocalFileSystem):
    """A filesystem of which a home knows nothing but fsspec's common methods."""

    protocol = "plain"

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return str(path).removeprefix("plain://").rstrip("/") or "/"


fsspec.register_implementation("plain", Plain, clobber=True)
