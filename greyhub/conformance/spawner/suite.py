"""The base class of a Spawner's conformance suite: options, hooks and capabilities."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from greyhub.conformance.contract import Capability, Contract
from greyhub.conformance.pytest_suite import PytestSuite
from greyhub.conformance.suite import hook

CAPABILITIES = (
    Capability("named_servers", "one user may have several servers"),
    Capability("user_options", "the user chooses something at the start"),
    Capability("progress", "progress() tells what the start waits for"),
    Capability("limits", "mem_limit and cpu_limit are enforced"),
    Capability("secret_env", "secrets go by a file or object of the owner's alone"),
    Capability("isolation", "a server cannot read or reach another user's"),
    Capability("internal_ssl", "servers speak TLS with the hub's certificates"),
    Capability("persistent_home", "servers have storage that outlives them"),
    Capability("rename", "a server's data follow when it is renamed"),
    Capability("backend_events", "progress() shows texts that come from the backend"),
    Capability("rejections", "the backend can refuse a user's request: a quota, an image"),
    Capability("reap", "list_orphans() and reap() find what the hub has lost"),
)

CONTRACT = Contract(
    "spawner",
    "1.0",
    case="case:SpawnerCase",
    capabilities={capability.name: capability for capability in CAPABILITIES},
)


FAULTS = (
    "unreachable",
    "throttled",
    "unavailable",
    "error",
    "rejected",
    "nonsense",
    "lost",
    "late",
)
"""What can be wrong with a backend; see `SpawnerSuite.fault`."""


@dataclass(frozen=True)
class Running:
    """One server as the backend sees it."""

    id: str
    """Its name in the backend."""

    labels: Mapping[str, str] | None = None
    """Its labels or tags; None where they cannot be seen."""

    argv: Sequence[str] | None = field(default=None, repr=False)
    """Its command line; None where it cannot be seen."""


class SpawnerSuite(PytestSuite):
    """Judges a `jupyterhub.spawner.Spawner`.

    In `config`, ``{hub}`` and ``{directory}`` stand for the name of the hub at
    work and for a directory of its own: there may be two in one namespace.
    """

    contract = CONTRACT
    endpoint_hooks = ("fault",)

    creates: str = "POST PUT"
    """The HTTP methods by which the adapter makes a server."""

    deletes: str = "DELETE"
    """The HTTP methods by which the adapter ends a server."""

    faults: Collection[str] = FAULTS
    """The faults that its backend can have: what stands at an endpoint can have all."""

    renames: Mapping[str, Mapping[str, Any]] | None = None
    """Options that name servers differently, of which `config` has others; {} if there are none."""

    options_good: Mapping[str, Any] | None = None
    """User options that the adapter takes, if it takes any."""

    options_bad: Sequence[Mapping[str, Any]] = ()
    """User options that it must refuse."""

    stop_within: float = 120.0
    """Seconds in which stop() ends or raises, whatever happens."""

    reap_within: float | None = None
    """Seconds after which what a killed hub has left is removed, where something does that."""

    probe: bool = True
    """Whether the servers run the suite's own command, which can misbehave when told."""

    @hook
    def alive(self) -> Collection[Running]:
        """Every server that exists in the backend, starting or running, of any hub."""
        raise NotImplementedError

    @hook
    def kill(self, server: Running) -> None:
        """End a server as a failing node would: at once, and without telling the adapter."""
        raise NotImplementedError

    @hook
    def environment(self, server: Running) -> Mapping[str, str]:
        """The environment that a server really has."""
        raise NotImplementedError

    @hook
    def volumes(self) -> Mapping[str, str]:
        """All storage in the backend: a name for each, and a digest of what it holds."""
        raise NotImplementedError

    @hook
    def fault(
        self, kind: str, moment: str, *, times: int | None = None, seconds: float = 3.0
    ) -> AbstractContextManager[Any]:
        """Break the backend while a block lasts. Given by `endpoint`; else write it.

        Parameters
        ----------
        kind : str
            ``unreachable``, ``throttled``, ``nonsense``, ``error``, ``rejected``,
            ``unavailable``, ``lost`` (done, the reply lost), ``late`` (done, the
            reply after `seconds`).
        moment : str
            ``create``, ``delete`` or ``any``.
        times : int
            How many requests are broken; by default all.
        """
        methods = {"create": self.creates, "delete": self.deletes, "any": ""}[moment]
        named = {"unreachable": "refused"}.get(kind, kind)
        return self.proxy.fault(named, method=methods, times=times, seconds=seconds)

    @hook
    def announce(self, server: Running, text: str) -> None:
        """Make the backend tell this text of a server that starts, as its own event would be."""
        raise NotImplementedError

    @hook
    def limits(self, server: Running) -> Mapping[str, float]:
        """The limits that a server sees: ``mem_limit`` in bytes, ``cpu_limit`` in processors."""
        raise NotImplementedError

    @classmethod
    def preload(cls) -> None:
        """JupyterHub, and a database of one."""
        from greyhub.conformance.testkit.hub_app import empty_database

        super().preload()
        empty_database()

    def sweep(self) -> None:
        """Kill every server that is left."""
        if self.has("alive") and self.has("kill"):
            for server in self.alive():
                self.kill(server)
