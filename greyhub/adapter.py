"""The adapter interface: what an adapter's author implements.

An adapter fills one slot. It acts at three moments, and nowhere else:

1. the hub starts: `Adapter.contribute` says what JupyterHub must be told;
2. a server is spawned: `Adapter.ticket` says what that server's notebooks need;
3. a notebook asks: `Adapter.connect` turns the ticket into the live thing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from traitlets.config import Config, LoggingConfigurable

from greyhub.errors import SlotEmpty, warn_renamed


@dataclass(frozen=True)
class Contribution:
    """Plain values that JupyterHub's configuration gains from one adapter.

    Lists and mappings join what others say, and hooks are called one after the
    other; a tuple, such as a command, is one value. What the administrator wrote
    always stands.
    """

    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JupyterHub's options: ``{"Spawner": {"mem_limit": "2G"}}``."""

    services: Sequence[Mapping[str, Any]] = ()
    """Hub services, as in ``c.JupyterHub.services``."""

    roles: Sequence[Mapping[str, Any]] = ()
    """Roles, as in ``c.JupyterHub.load_roles``."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for every server, as in ``c.Spawner.environment``."""


@dataclass(frozen=True)
class Finding:
    """One line of a check: how bad, what, what to do, and what it is about."""

    level: Literal["ok", "note", "warning", "error"]
    message: str
    fix: str = ""
    option: str = ""
    """The option that it is about, ``c.LocalHomespace.root``."""

    place: str = ""
    """Where that option was set, ``greyhub_config.py:12``."""

    mend: InitVar[str] = ""
    """The former name of `fix`."""

    def __post_init__(self, mend: str) -> None:
        if mend:
            warn_renamed("Finding.mend", "fix")
            object.__setattr__(self, "fix", mend)

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.place, self.option) if part)
        lines = [f"{where}: {self.message}" if where else self.message]
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


class AdapterContext(Protocol):
    """What a platform provides to its adapters, as their ``parent``."""

    config: Config
    """The whole configuration."""

    log: Any
    """The hub's log."""

    @property
    def state(self) -> Path:
        """The state directory, which users' servers on this machine pass through."""

    @property
    def private(self) -> Path:
        """The part of the state that is the hub's alone."""

    @property
    def servers_here(self) -> bool:
        """Whether servers are processes of the hub's own machine."""

    def make_state(self) -> Path:
        """Make the state directory and its private part, and return the latter."""

    def resolve(self, path: str | Path) -> Path:
        """A path from the configuration; a relative one stands beside the file."""


class Adapter(LoggingConfigurable):
    """One way to fill one slot. Subclass a slot's own base, not this class."""

    slot: ClassVar[str] = ""
    """The slot that it fills: set by the slot's base class."""

    distribution: ClassVar[str] = "greyhub"
    """The installed distribution whose version is shown on the platform's page."""

    modules: ClassVar[Sequence[str]] = ()
    """Modules that must be installed where the hub runs; they are not imported."""

    extra: ClassVar[str] = ""
    """What to install when one of them is missing: ``greyhub[local]``."""

    needs: ClassVar[Mapping[str, str]] = {}
    """What must be true of the rest of the platform, and why: the name of one of
    `greyhub.checks.facts.FACTS` to the reason, ``{"servers-are-pods": "a claim is
    mounted in a pod"}``. A platform of which it is not true is refused."""

    offers: ClassVar[Collection[str]] = ()
    """Which of these facts are true wherever this adapter fills its slot."""

    reads: ClassVar[Sequence[str]] = ()
    """Import strings of further classes whose options it reads, and may share with the
    adapters of other slots: ``("greyhub.azureml.settings.AzureML",)``."""

    parent: AdapterContext

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """Options under which this class adapts ``value``, or None if it cannot.

        A slot's base class answers for what already speaks the slot's open API,
        such as a class, a URL or a path, so that it plugs in unwrapped.
        """
        return None

    def contribute(self) -> Contribution:
        """What JupyterHub must be told, once as the hub starts. No I/O that waits."""
        return Contribution()

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Prepare for one server and return JSON values that `connect` will read.

        Awaited before each start of a server, outside its start timeout. It may
        run twice for one server, and must end the same way both times. Raise to
        refuse the start: the message is shown to the user.
        """
        return {}

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> Any:
        """The live thing that the slot promises, made in the user's own process."""
        raise SlotEmpty(f"{cls.__name__} offers nothing to a notebook")

    @property
    def deletes_with_user(self) -> bool:
        """Whether `delete_user` has something to do: then it is called for each deleted user."""
        return False

    async def delete_user(self, username: str) -> None:
        """A user is being deleted, and no server of theirs runs: delete what is theirs.

        Raise to keep the user: the deletion is refused, and may be asked for again.
        """

    def hub_starts(self, app: Any) -> None:
        """The hub starts: begin what runs beside it; see ``greyhub.hub_tasks``."""

    async def check(self) -> Sequence[Finding]:
        """Is the backend there, with these rights? For ``greyhub check`` and the page."""
        return ()

    def label(self) -> str:
        """One line for people: what this slot holds."""
        return type(self).__name__

    def resolve(self, path: str | Path) -> Path:
        """A path from the configuration; a relative one stands beside the file."""
        return self.parent.resolve(path)


def server_uid(spawner: Any) -> int | None:
    """The uid that a spawner's servers run under on the hub's machine.

    None means the hub's own, or that the servers run elsewhere. A Spawner says
    it by an attribute ``uid``; stock spawners for system accounts are known.
    """
    uid = getattr(spawner, "uid", None)
    return uid if isinstance(uid, int) else None
