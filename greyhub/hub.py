"""The platform: the options of ``c.GreyHub``, and the adapters that they choose.

`greyhub.composition.compose` makes one as the hub starts; it is asked again at
every spawn.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Dict, Enum, Instance, List, TraitError, Unicode
from traitlets.config import LoggingConfigurable

from greyhub import metrics_access
from greyhub.adapter import Adapter, Contribution
from greyhub.checks.classes import sections
from greyhub.checks.dry_instances import DryInstance, dry_instance
from greyhub.checks.risks import RISKS
from greyhub.class_names import ON_HUB, made_from
from greyhub.directories import make_passable
from greyhub.errors import AdapterError, ConfigError, ConfigErrors, HomeError
from greyhub.merge import Origin
from greyhub.page import Page
from greyhub.slots import SLOTS, Slot, choose, flavour, label
from greyhub.spawn_hooks import SpawnHooks
from greyhub.spawner_class import spawner_class
from greyhub.spawners import SpawnerAdapter
from greyhub.spawners.profile_choice import ProfileChoice
from greyhub.starts.metrics import show_nothing_yet

_SLOT_HELP = (
    "The adapter that fills this slot: the name of an installed adapter, an import string, "
    "a class, or {opens}. None leaves the slot empty, which the spawner's cannot be. By default, "
    "the flavour decides."
)


class GreyHub(LoggingConfigurable):
    """The platform: one adapter for each slot."""

    flavour = Unicode(
        "local", help="Names an adapter for every slot; each slot can be set alone, too."
    ).tag(config=True)

    spawner = AnyTrait(
        help=_SLOT_HELP.format(opens="any JupyterHub Spawner, also by its entry point's name")
    ).tag(config=True, example="kubespawner.KubeSpawner")
    cluster = AnyTrait(
        help=_SLOT_HELP.format(opens="any class that keeps Dask's cluster protocol")
    ).tag(config=True, example="dask_gateway.GatewayCluster")
    auth = AnyTrait(
        help=_SLOT_HELP.format(opens="any JupyterHub Authenticator, also by its entry point's name")
    ).tag(config=True, example="generic-oauth")
    homespace = AnyTrait(
        help=_SLOT_HELP.format(opens="any fsspec URL with ``{username}`` in it")
    ).tag(config=True, example="s3://homes/{username}")
    data = AnyTrait(help=_SLOT_HELP.format(opens="the path or URL of an Intake catalogue")).tag(
        config=True, example="https://data.example.org/catalog.yaml"
    )

    state_dir = Unicode(
        "greyhub-state",
        help="What the hub must remember: its database, its keys, the servers' logs and, with "
        "local adapters, the homes. A relative path stands beside the config file.",
    ).tag(config=True)

    name = Unicode("greyhub", help="What the platform calls itself on its pages.").tag(config=True)

    accepted_risks = List(
        Enum(list(RISKS)),
        help="What is refused unless it is said here that it is meant: "
        + "; ".join(f"``{name}``: {meaning}" for name, meaning in RISKS.items())
        + ".",
    ).tag(config=True, example=["plain-http"])

    accepts = List(
        Enum(list(RISKS)), help="Deprecated: the former name of ``accepted_risks``."
    ).tag(config=True, renamed="accepted_risks")

    other_sections = List(
        Unicode(),
        help="Sections of the config file that other programs read, such as a service's own. "
        "They are not checked.",
    ).tag(config=True, example=["MyService"])

    adapters: Dict[str, Any] = Dict(help="The adapter of each slot that is not empty.")
    values = Dict(help="The value that chose each adapter.")
    directory = Instance(Path, help="Where the config file is.")
    problems: List[Any] = List(
        help="What is wrong with the adapters: `greyhub.errors.ConfigError`."
    )

    def __init__(self, *, directory: Path, **kwargs: Any) -> None:
        super().__init__(directory=directory, **kwargs)
        self.dry_instances: dict[type, DryInstance] = {}
        named: Mapping[str, object] = {}
        with self._collecting():
            named = flavour(self.flavour)
        section = self.config.get("GreyHub", {})
        for slot in SLOTS.values():
            value = getattr(self, slot.name) if slot.name in section else named.get(slot.name)
            if value is not None:
                self.values[slot.name] = value
                with self._collecting():
                    self.adapters[slot.name] = self._fill(slot, value)

    @contextmanager
    def _collecting(self) -> Iterator[None]:
        """Keep a `ConfigError` in `problems` and go on, so that all are said at once."""
        try:
            yield
        except ConfigErrors as errors:
            self.problems.extend(errors.findings)
        except ConfigError as error:
            self.problems.append(error)

    def _fill(self, slot: Slot, value: object) -> Adapter:
        cls, options = choose(slot, value)
        missing = [module for module in cls.modules if find_spec(module) is None]
        if missing:
            raise AdapterError(
                f"{label(value)!r} needs {', '.join(missing)}",
                where=f"c.GreyHub.{slot.name}",
                fix=f"pip install '{cls.extra or missing[0]}' in the hub's environment",
            )
        dry = self.dry_instances[cls] = dry_instance(cls, self.config, outer=sections(type(self)))
        try:
            return cls(parent=self, config=dry.sound(self.config), **options)
        except TraitError as error:
            raise ConfigError(
                str(error),
                where=f"c.GreyHub.{slot.name}",
                fix=getattr(error, "fix", "") or f"give c.GreyHub.{slot.name} another value",
            ) from error

    @property
    def risks(self) -> frozenset[str]:
        """What the administrator has accepted, under either name of the option."""
        return frozenset([*self.accepted_risks, *self.accepts])

    def resolve(self, path: str | Path) -> Path:
        """A path from the configuration; a relative one stands beside the file."""
        return (self.directory / Path(path).expanduser()).resolve()

    @property
    def state(self) -> Path:
        """The state directory. Root's servers pass through it to homes that stand inside."""
        return self.resolve(self.state_dir)

    @property
    def private(self) -> Path:
        """The part of the state that is the hub's alone: database, keys, logs, tables."""
        return self.state / "hub"

    def make_state(self) -> Path:
        """Make the state directory and its private part, and return the latter."""
        try:
            make_passable(self.state)
            self.state.chmod(0o711 if os.geteuid() == 0 else 0o700)
            self.private.mkdir(exist_ok=True)
            self.private.chmod(0o700)
            if not os.access(self.private, os.W_OK | os.X_OK):
                raise PermissionError(f"no right to write in {self.private}")
        except OSError as error:
            raise ConfigError(
                f"the hub cannot keep its state in {self.state}: {error.strerror or error}",
                where="c.GreyHub.state_dir",
                fix="name a directory that the hub's user can write to",
            ) from error
        return self.private

    def contributions(self) -> list[tuple[Origin, Contribution]]:
        """What the platform itself and each adapter tell JupyterHub, in order."""
        private = self.private
        page = Page(self.name, self.adapters, self.values)
        spawning = SpawnHooks(self.adapters, self.profiles)
        own = Contribution(
            config={
                "JupyterHub": {
                    "db_url": f"sqlite:///{private / 'jupyterhub.sqlite'}",
                    "cookie_secret_file": str(private / "cookie_secret"),
                    "template_paths": [str(Path(__file__).parent / "templates")],
                    "template_vars": {"platform": page},
                    "default_url": page.url,
                },
                "Spawner": {
                    "cmd": self._command(),
                    "pre_spawn_hook": spawning.prepare,
                    "post_stop_hook": spawning.finish,
                },
                "ConfigurableHTTPProxy": {"pid_file": str(private / "proxy.pid")},
            },
        )
        told = [
            (Origin("", "greyhub itself"), own),
            (Origin("", f"the variable {metrics_access.VARIABLE}"), metrics_access.contribution()),
        ]
        for slot, adapter in self.adapters.items():
            with self._collecting():
                told.append((Origin(slot, label(self.values[slot])), adapter.contribute()))
        return told

    def spawner_class(self) -> type | None:
        """The Spawner class that the hub runs; None where there is no adapter to make it of."""
        spawner = self.adapters.get("spawner")
        if not isinstance(spawner, SpawnerAdapter):
            return None
        deletes = any(adapter.deletes_with_user for adapter in self.adapters.values())
        delete_user = self.delete_user if deletes else None
        profiles = self.profiles
        offered = [each.name for each in profiles.profiles] if profiles else []
        show_nothing_yet(["", *offered])  # without a name: starts that fail before the choice
        return spawner_class(spawner.load_class(), delete_user, profiles, spawner.start_report)

    def authenticator_class(self, cls: type) -> type:
        """The Authenticator class that the hub runs, made of the one that was chosen."""
        from greyhub.identity.authenticator import identified
        from greyhub.identity.issuers import word_of

        return identified(cls, word_of(self.adapters.get("auth"), cls))

    @property
    def profiles(self) -> ProfileChoice | None:
        """What users choose between when a server starts, if there is anything."""
        spawner = self.adapters.get("spawner")
        return spawner.profile_choice() if isinstance(spawner, SpawnerAdapter) else None

    async def delete_user(self, user: Any) -> None:
        """A user is being deleted: tell the adapters that keep something of theirs.

        Raises
        ------
        greyhub.errors.GreyHubError, OSError
            Something of theirs is still there.
        """
        if busy := [each.name for each in user.spawners.values() if each.active]:
            raise HomeError(f"the home of {user.name} is in use by the servers {busy}: it stays")
        for adapter in self.adapters.values():
            if adapter.deletes_with_user:
                await adapter.delete_user(user.name)

    @property
    def servers_here(self) -> bool:
        """Whether servers are processes of the hub's own machine."""
        spawner = self.adapters.get("spawner")
        cls = spawner.load_class() if isinstance(spawner, SpawnerAdapter) else None
        return cls is None or made_from(cls, *ON_HUB)

    def _command(self) -> tuple[str, ...]:
        """How a server begins: on the hub's machine, with the hub's own interpreter."""
        if self.servers_here:
            return (sys.executable, "-m", "greyhub.singleuser")
        return ("greyhub-singleuser",)
