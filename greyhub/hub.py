"""The hub's half: from ``c.GreyHub`` to JupyterHub's configuration.

`compose` runs once, at the end of the administrator's config file: it chooses
the five adapters, asks each for its contribution and merges them under what
the file says. It leaves a `GreyHub`, which is asked again at every spawn.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Dict, Instance, TraitError, Unicode
from traitlets.config import Config, LoggingConfigurable

from greyhub import proxy
from greyhub.adapter import Adapter, Contribution
from greyhub.errors import AdapterError, ConfigConflict, ConfigError
from greyhub.merge import Origin, merge
from greyhub.page import Page
from greyhub.slots import SLOTS, Slot, choose, flavour
from greyhub.spawning import Spawning

_SLOT_HELP = (
    "The adapter that fills this slot: the name of an installed adapter, an import string, "
    "a class, or {opens}. None leaves the slot empty. By default, the flavour decides."
)


class GreyHub(LoggingConfigurable):
    """The platform: one adapter for each slot."""

    flavour = Unicode(
        "local", help="Names an adapter for every slot; each slot can be set alone, too."
    ).tag(config=True)

    spawner = AnyTrait(
        help=_SLOT_HELP.format(opens="any JupyterHub Spawner, also by its entry point's name")
    ).tag(config=True)
    cluster = AnyTrait(
        help=_SLOT_HELP.format(opens="any class that keeps Dask's cluster protocol")
    ).tag(config=True)
    auth = AnyTrait(
        help=_SLOT_HELP.format(opens="any JupyterHub Authenticator, also by its entry point's name")
    ).tag(config=True)
    homespace = AnyTrait(
        help=_SLOT_HELP.format(opens="any fsspec URL with ``{username}`` in it")
    ).tag(config=True)
    data = AnyTrait(help=_SLOT_HELP.format(opens="the path or URL of an Intake catalogue")).tag(
        config=True
    )

    state_dir = Unicode(
        "greyhub-state",
        help="What the hub must remember: its database, its keys, the servers' logs and, with "
        "local adapters, the homes. A relative path stands beside the config file.",
    ).tag(config=True)

    name = Unicode("greyhub", help="What the platform calls itself on its pages.").tag(config=True)

    adapters = Dict(help="The adapter of each slot that is not empty.")
    values = Dict(help="The value that chose each adapter.")
    directory = Instance(Path, help="Where the config file is.")

    def __init__(self, *, directory: Path, **kwargs: Any) -> None:
        super().__init__(directory=directory, **kwargs)
        named = flavour(self.flavour)
        section = self.config.get("GreyHub", {})
        for slot in SLOTS.values():
            value = getattr(self, slot.name) if slot.name in section else named.get(slot.name)
            if value is not None:
                self.values[slot.name] = value
                self.adapters[slot.name] = self._fill(slot, value)

    def _fill(self, slot: Slot, value: object) -> Adapter:
        cls, options = choose(slot, value)
        missing = [module for module in cls.modules if find_spec(module) is None]
        if missing:
            raise AdapterError(
                f"{_shown(value)!r} needs {', '.join(missing)}",
                where=f"c.GreyHub.{slot.name}",
                mend=f"pip install '{cls.extra or missing[0]}' in the hub's environment",
            )
        try:
            return cls(parent=self, **options)
        except TraitError as error:
            raise ConfigError(str(error), where=f"c.GreyHub.{slot.name}") from error

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
            self.state.mkdir(parents=True, exist_ok=True)
            self.state.chmod(0o711 if os.geteuid() == 0 else 0o700)
            self.private.mkdir(exist_ok=True)
            self.private.chmod(0o700)
            if not os.access(self.private, os.W_OK | os.X_OK):
                raise PermissionError(f"no right to write in {self.private}")
        except OSError as error:
            raise ConfigError(
                f"the hub cannot keep its state in {self.state}: {error.strerror or error}",
                where="c.GreyHub.state_dir",
                mend="name a directory that the hub's user can write to",
            ) from error
        return self.private

    def contributions(self) -> list[tuple[Origin, Contribution]]:
        """What the platform itself and each adapter tell JupyterHub, in order."""
        private = self.make_state()
        page, spawning = Page(self), Spawning(self)
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
                    "cmd": (sys.executable, "-m", "greyhub.singleuser"),
                    "pre_spawn_hook": spawning.prepare,
                    "post_stop_hook": spawning.revoke,
                },
                "ConfigurableHTTPProxy": {"pid_file": str(private / "proxy.pid")},
            },
        )
        platform = (Origin("", "greyhub itself"), own)
        slots = [
            (Origin(slot, _shown(self.values[slot])), adapter.contribute())
            for slot, adapter in self.adapters.items()
        ]
        return [platform, *slots]


def _shown(value: object) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", repr(value))


def compose(c: Config, file: str | None = None) -> GreyHub:
    """Compose the platform into ``c``, which ``file`` wrote; see `greyhub.compose`."""
    app = _starting_hub()
    directory = Path(file).resolve().parent if file else Path.cwd()
    try:
        return _compose(c, app, directory)
    except ConfigError as error:
        if app is None:
            raise
        raise SystemExit(f"greyhub: {error}") from error


def _compose(c: Config, app: Any, directory: Path) -> GreyHub:
    written = Config(c)
    if app is not None:
        written.merge(app.cli_config)
    _adopt_classes(written)
    hub = GreyHub(directory=directory, config=written, log=app.log if app is not None else None)
    contributions = hub.contributions()
    merge(c, contributions, lineages(written, contributions))
    if app is not None:
        proxy.prepare(c, written)
    for slot, adapter in hub.adapters.items():
        hub.log.info("greyhub: %s = %s: %s", slot, _shown(hub.values[slot]), adapter.label())
    c.GreyHub.composed = True
    return hub


def _starting_hub() -> Any:
    """The JupyterHub application that is reading its config file, if one is."""
    if "jupyterhub.app" not in sys.modules:
        return None
    from jupyterhub.app import JupyterHub

    return JupyterHub.instance() if JupyterHub.initialized() else None


def _adopt_classes(written: Config) -> None:
    """Let ``c.JupyterHub.spawner_class`` fill its slot, as JupyterHub's users expect."""
    for slot, trait in (("spawner", "spawner_class"), ("auth", "authenticator_class")):
        if trait not in written.JupyterHub:
            continue
        if slot in written.GreyHub:
            raise ConfigConflict(
                f"this slot is filled twice: by c.GreyHub.{slot} and by c.JupyterHub.{trait}",
                where=f"c.GreyHub.{slot}",
                mend="keep one of the two lines",
            )
        written.GreyHub[slot] = written.JupyterHub[trait]


def lineages(
    written: Config, contributions: Sequence[tuple[Origin, Contribution]]
) -> list[list[str]]:
    """The sections in which options of the classes in use may be set, as `merge` takes them."""
    chosen = {
        trait: value
        for _, contribution in contributions
        for trait, value in contribution.config.get("JupyterHub", {}).items()
    }
    classes = [chosen.get(f"{kind}_class") for kind in ("spawner", "authenticator")]
    return [
        [cls.__name__ for cls in chosen_class.__mro__ if issubclass(cls, LoggingConfigurable)]
        for chosen_class in classes
        if isinstance(chosen_class, type)
    ]
