"""The base class of a data adapter's conformance suite: options, hooks and capabilities."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import unquote

from greyhub.conformance.contract import Capability, Contract
from greyhub.conformance.data.datasets import SECRET, Dataset
from greyhub.conformance.pytest_suite import PytestSuite
from greyhub.conformance.suite import hook
from greyhub.conformance.testkit.interleaving import Step, stepping
from greyhub.conformance.testkit.ticket import connect

CAPABILITIES = (
    Capability("acl", "a dataset can be hidden from users"),
    Capability("credentials", "a dataset can be opened with a secret of the user's own"),
    Capability("dask", "a dataset can be read lazily, in parts, by Dask"),
    Capability("documents", "a catalogue is a text of Intake's that people write"),
    Capability("export", "a catalogue can be exported, as what can be published again"),
    Capability("nested", "a catalogue can hold catalogues"),
    Capability("parameters", "a dataset can have parameters, with the values that are allowed"),
    Capability("remote", "catalogue and data are reached over a network, which can fail"),
)

CONTRACT = Contract(
    "data",
    "1.0",
    case="case:DataCase",
    capabilities={capability.name: capability for capability in CAPABILITIES},
)

TOKENS = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "GREYHUB_TICKET_DATA")
"""Variables of a notebook that hold what is nobody's but the server's."""


class DataSuite(PytestSuite):
    """Judges catalogues: mappings from names to datasets, each with a ``read()``.

    `adapter` is an adapter of greyhub's, which is asked for a user's ticket and
    connected, or a class or function that makes a catalogue from the options of
    `config`, in which ``{user}`` stands for the name of who opens it. Where a
    catalogue speaks another dialect, the methods from `names` to `lazy` translate.

    Catalogues that are Intake's documents on a disk need no hooks: `OnDisk` has
    them, and `Served` has them for documents behind a URL.
    """

    contract = CONTRACT

    version: int = 2
    """The format of Intake's in which documents are written, 1 or 2."""

    kind: str = "lines"
    """What is published to be read by Dask: ``lines`` of text, or a ``table``."""

    published: set[str]
    """The files of all datasets that have been published so far."""

    @hook
    def publish(self, datasets: Mapping[str, Dataset]) -> None:
        """Let the backend hold these datasets, by name, and no others.

        The files of datasets that it held before stay until the `sweep`.
        """
        raise NotImplementedError

    @hook
    def content(self) -> Mapping[str, Any]:
        """All that is in the backend, by name, with whatever would tell that it was changed."""
        raise NotImplementedError

    @hook
    def touched(self) -> Collection[str]:
        """The files of data that have been read so far, as in `Dataset.files`.

        Given by `endpoint`, where their paths stand at the end of what is asked for.
        """
        asked = [unquote(each.path) for each in self.proxy.requests if each.method == "GET"]
        return {path for path in self.published if any(each.endswith(path) for each in asked)}

    @hook
    def missing(self, path: str) -> AbstractContextManager[Any]:
        """Let a file of data not be there while a block lasts."""
        raise NotImplementedError

    @hook
    def damage(self, path: str, how: str) -> AbstractContextManager[Any]:
        """Break one file of data while a block lasts. Given by `endpoint` and `missing`.

        Parameters
        ----------
        path : str
            As in `Dataset.files`.
        how : str
            ``missing``; ``forbidden`` to the user. Of remote ones also ``reset`` and
            ``truncated``: the connection breaks before or in the midst of it.
        """
        if how == "missing":
            return self.missing(path)
        kind = {"forbidden": "rejected"}.get(how, how)
        # A reply without a body has no half.
        method = "GET" if kind == "truncated" else ""
        proxy = self.proxy
        return proxy.fault(kind, method=method, matches=lambda r: unquote(r.path).endswith(path))

    @classmethod
    def has(cls, name: str) -> bool:
        """Whether there is a hook; an endpoint brings some."""
        given = {"touched": True, "damage": super().has("missing")}
        return (bool(cls.endpoint) and given.get(name, False)) or super().has(name)

    @hook
    def write(self, documents: Mapping[str, bytes]) -> None:
        """Let these be the catalogue's documents; ``catalog.yaml`` is the one that is opened."""
        raise NotImplementedError

    def place(self, path: str = "catalog.yaml") -> str:
        """How an error would name a document: by its path or URL."""
        return path

    def stepping(self, step: Step) -> AbstractContextManager[Any]:
        """Call a function at each step of this thread towards the backend."""
        return stepping(self.proxy if self.endpoint or self._proxy else None, step)

    def make(self, user: str) -> Any:
        """A user's catalogue, as a notebook makes it. Override it where a user is more."""
        return connect(self.subject(), self.proxied(user=user), user, Path(self.folder.name))

    # The dialect of greyhub; workers call what has no self.

    @staticmethod
    def names(catalog: Any) -> Iterable[str]:
        """The names that a catalogue lists."""
        return list(catalog)

    @staticmethod
    def open(catalog: Any, name: Any, /, **parameters: Any) -> Any:
        """A dataset."""
        return catalog.open(name, **parameters) if parameters else catalog[name]

    @staticmethod
    def describe(catalog: Any, name: str) -> Mapping[str, Any]:
        """What a catalogue says of a dataset, without touching it."""
        found: Mapping[str, Any] = catalog.describe(name)
        return found

    @staticmethod
    def reload(catalog: Any) -> None:
        """Look again what is published."""
        catalog.reload()

    @staticmethod
    def export(catalog: Any) -> Any:
        """The catalogue as a value that `restore` publishes."""
        return catalog.export()

    @staticmethod
    def read(dataset: Any) -> Any:
        """All of a dataset: of pandas, Dask, or columns, rows or lines that are plain values."""
        return dataset.read()

    @staticmethod
    def lazy(dataset: Any) -> Any:
        """A dataset as a collection of Dask's; some of Intake 2's readers give nothing else."""
        from dask.base import is_dask_collection

        found = dataset.to_dask() if hasattr(dataset, "to_dask") else None
        return found if is_dask_collection(found) else dataset.read()

    @hook
    def restore(self, exported: Any) -> None:
        """Publish what was exported, and nothing else."""
        raise NotImplementedError

    def begin(self) -> None:
        """Become a notebook, whose user has a secret and whose server has tokens."""
        self.published = set()
        self.folder = tempfile.TemporaryDirectory(prefix="greyhub-data-")
        self.tokens = {name: f"{name.lower()}-{secrets.token_hex(8)}" for name in TOKENS}
        self.secret = f"secret-{secrets.token_hex(8)}"
        self._environment = mock.patch.dict(os.environ, {**self.tokens, SECRET: self.secret})
        self._environment.start()
        super().begin()

    def end(self) -> None:
        """Be one no longer."""
        try:
            super().end()
        finally:
            self._environment.stop()
            self.folder.cleanup()

    def sweep(self) -> None:
        """Publish nothing."""
        if self.has("publish"):
            self.publish({})
