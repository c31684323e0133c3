"""The base class of a home adapter's conformance suite: options, hooks and capabilities."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greyhub.conformance.contract import Capability, Contract
from greyhub.conformance.homespace.backend_files import empty
from greyhub.conformance.pytest_suite import PytestSuite
from greyhub.conformance.suite import hook
from greyhub.conformance.testkit.ticket import ticket

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

CAPABILITIES = (
    Capability("append", "open(path, 'ab') adds to a file"),
    Capability("conditional_write", "pipe_file(path, value, match=info(path)['version'])"),
    Capability("credentials", "the home is opened with credentials, which can expire"),
    Capability("directories", "a directory can be moved with all that it holds"),
    Capability("exclusive_create", "open(path, 'xb') and mode='create' have one winner"),
    Capability("permissions", "other users of the same machine are kept out by the files' modes"),
    Capability("remote", "the backend is reached over a network, which can fail"),
    Capability("staleness", "another client's writes may be seen late", value="seconds"),
    Capability("symlinks", "the backend has symbolic links"),
)

CONTRACT = Contract(
    "homespace",
    "1.0",
    case="case:HomespaceCase",
    capabilities={capability.name: capability for capability in CAPABILITIES},
)


class HomespaceSuite(PytestSuite):
    """Judges homes: filesystems of fsspec, each rooted at one user's files.

    `adapter` is a `greyhub.homespace.HomespaceAdapter`, or anything that makes a
    user's filesystem: it is called as ``adapter(user, **config["make"])``, in
    any process, and a second call for one user is a second client.
    """

    contract = CONTRACT
    endpoint_hooks = ("fault", "requests")

    reads: str = "GET HEAD PROPFIND"
    """The HTTP methods that look."""

    writes: str = "PUT POST PATCH"
    """The HTTP methods that put a file or a part of one."""

    deletes: str = "DELETE"
    """The HTTP methods that remove."""

    large: int = 24 * 2**20
    """Bytes of the largest file: more for a long run."""

    @hook
    def raw(self, user: str) -> MutableMapping[str, bytes]:
        """A user's files in the backend, by path: never through the adapter.

        What is written here is another client's. `Directory` is one for homes
        that are directories. If the adapter reaps by age what a killed writer has
        left, the mapping also has ``age(path, seconds)``, and where there are
        symbolic links, ``link(path, target)``.
        """
        raise NotImplementedError

    @hook
    def location(self, user: str) -> str:
        """Where a home is in the backend: a path, or what the backend has instead."""
        raise NotImplementedError

    @hook
    def secrets(self, user: str) -> Collection[str]:
        """The secrets by which the home is opened, which nothing may show."""
        raise NotImplementedError

    @hook
    def expire(self, user: str) -> None:
        """Let the backend refuse the credentials by which the home was opened."""
        raise NotImplementedError

    @hook
    def renew(self, user: str) -> None:
        """Put new credentials where the adapter finds them."""
        raise NotImplementedError

    @hook
    def fault(
        self, kind: str, moment: str, *, times: int | None = None, seconds: float = 3.0
    ) -> AbstractContextManager[Any]:
        """Break the backend while a block lasts. Given by `endpoint`; else write it.

        Parameters
        ----------
        kind : str
            ``rejected`` (a quota, a read-only place), ``unavailable``, ``refused``,
            ``reset``, ``truncated``, ``lost`` (done, the reply lost). Where the
            backend is no network's, `full_disk` can stand for all of them.
        moment : str
            ``read``, ``write``, ``delete`` or ``any``.
        times : int
            How many requests are broken; by default all.
        """
        methods = {"read": self.reads, "write": self.writes, "delete": self.deletes, "any": ""}
        return self.proxy.fault(kind, method=methods[moment], times=times, seconds=seconds)

    @hook
    def requests(self) -> int:
        """How many requests have reached the backend so far. Given by `endpoint`."""
        return len(self.proxy.requests)

    def user(self, who: str, clause: str) -> str:
        """The user of the backend who plays a part in a clause: a new one for each.

        Override it where users cannot be made up. The suite empties their homes,
        so it refuses to begin with one that is not empty.
        """
        return f"u{self.run_id}-{clause.rpartition('-')[2]}-{who}"

    def open(self, user: str, *, proxied: bool = False) -> AbstractFileSystem:
        """A client of a user's home, made by the adapter as a notebook has it made."""
        from greyhub.homespace import HomespaceAdapter

        subject, options = self.subject(), self.proxied() if proxied else self.options()
        if isinstance(subject, type) and issubclass(subject, HomespaceAdapter):
            return self._connect(subject, user, options)
        return subject(user, **options.get("make", {}))

    def _connect(
        self, subject: type, user: str, options: Mapping[str, Mapping[str, Any]]
    ) -> AbstractFileSystem:
        """As a hub and a notebook: a ticket, which is JSON, and what it connects to."""
        from traitlets.config import Config

        from greyhub.hub import GreyHub

        empty = dict.fromkeys(("spawner", "cluster", "auth", "data"))
        config = Config({"GreyHub": {**empty, "homespace": subject}, **options})
        hub = GreyHub(directory=Path(self._folder.name), config=config)
        for problem in hub.problems:
            raise problem
        adapter = hub.adapters["homespace"]
        return type(adapter).connect(ticket(adapter, user))

    def use(self, user: str) -> None:
        """Note that a clause uses this home, which is emptied afterwards."""
        if user in self._used or not self.has("raw"):
            return
        if self.raw(user):
            raise RuntimeError(f"the home of {user!r} is not empty, and the suite empties it")
        self._used.add(user)

    def sweep(self) -> None:
        """Empty the homes that were used."""
        while self._used:
            empty(self.raw(self._used.pop()))

    def begin(self) -> None:
        """Make a directory for the hub's half of an adapter, and prepare."""
        self._folder = tempfile.TemporaryDirectory(prefix="greyhub-homespace-")
        self._used: set[str] = set()
        super().begin()

    def end(self) -> None:
        """Clean up, and remove the directory."""
        super().end()
        self._folder.cleanup()
