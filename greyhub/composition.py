"""`compose`: the administrator's config file becomes JupyterHub's configuration.

It runs once, at the end of the file: the adapters are chosen, each is asked for
its contribution, these are merged under what the file says, and everything is
checked. All that is wrong is said at once, before the hub makes or opens
anything.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from greyhub import proxy
from greyhub.adapter import Contribution, Finding
from greyhub.checks import access, examine, sort_findings
from greyhub.checks.classes import sections
from greyhub.checks.config_loader import Loader
from greyhub.checks.dry_instances import dry_instance
from greyhub.checks.platform import Platform
from greyhub.checks.traced_config import trace_of
from greyhub.deferred_secrets import defer_secrets
from greyhub.errors import ConfigConflict, ConfigError, ConfigErrors
from greyhub.hub import GreyHub
from greyhub.merge import Origin, merge
from greyhub.presets import VARIABLE, presets
from greyhub.slots import label
from greyhub.starts.metrics import count_servers


@dataclass(frozen=True)
class Composition:
    """A composed configuration, and everything that the checks found."""

    greyhub: GreyHub
    platform: Platform
    findings: Sequence[Finding]

    @property
    def errors(self) -> list[Finding]:
        """What keeps the hub from starting."""
        return [finding for finding in self.findings if finding.level == "error"]


_inspection: ContextVar[list[Composition] | None] = ContextVar("inspection", default=None)


@contextmanager
def inspecting() -> Iterator[list[Composition]]:
    """Let `compose` only report: it creates, opens, logs and refuses nothing.

    Yields
    ------
    list of Composition
        One is added for each call of `compose`.
    """
    seen: list[Composition] = []
    token = _inspection.set(seen)
    try:
        yield seen
    finally:
        _inspection.reset(token)


def inspected() -> bool:
    """Whether `compose` only reports."""
    return _inspection.get() is not None


def compose(c: Config, file: str | None = None) -> GreyHub:
    """Compose the platform into ``c``, which ``file`` wrote; see `greyhub.compose`."""
    app = _starting_hub()
    directory = Path(file).resolve().parent if file else Path.cwd()
    composition = _compose(c, app, directory)
    seen = _inspection.get()
    if seen is not None:
        seen.append(composition)
        return composition.greyhub
    if composition.errors:
        refused = ConfigErrors(composition.errors)
        if app is None:
            raise refused
        raise SystemExit(f"greyhub: {refused}")
    if app is not None:
        count_servers(lambda: app.users.count_active_users())  # it has no users yet
    if composition.platform.trace is None:
        act(composition, c)  # otherwise `greyhub.config_loading` does, when the file has been read
    return composition.greyhub


def _compose(c: Config, app: Any, directory: Path) -> Composition:
    trace = trace_of(c)
    found = list(_misuse(c))
    command_line: Config = app.cli_config if app is not None else Config()
    with trace.paused() if trace else nullcontext():
        c.merge(command_line)
        written = snapshot(c)
        problems: list[ConfigError] = list(_adopt_classes(written))
        preset: dict[str, dict[str, Any]] = {}
        try:
            preset = presets(written)
        except ConfigError as error:
            problems.append(error)
        known = snapshot(written)
        known.merge(Config(preset))
        dry = dry_instance(GreyHub, known)
        greyhub = GreyHub(
            directory=directory,
            config=dry.sound(known),
            **({"log": app.log} if app is not None else {}),
        )
        from_outside = (Origin("", f"the variable {VARIABLE}"), Contribution(config=preset))
        contributions = [from_outside, *greyhub.contributions()]
        merged = merge(c, contributions, _lineages(contributions))
        problems += (*greyhub.problems, *merged.conflicts)
        platform = Platform(
            written=written,
            config=c,
            offers=merged.offers,
            adapters=greyhub.adapters,
            greyhub=greyhub,
            hub_class=type(app) if app is not None else _jupyterhub(),
            application=app,
            command_line=command_line,
            trace=trace,
            dry_instances={GreyHub: dry, **greyhub.dry_instances},
            broken=set(greyhub.values) - {origin.slot for origin, _ in contributions},
        )
        found += [_finding(problem, platform) for problem in problems]
        found += examine(platform)
        if not problems and (spawner := greyhub.spawner_class()) is not None:
            c.JupyterHub.spawner_class = spawner
        proxy.choose(c, platform.config)
        if not problems and platform.authenticator is not None:
            c.JupyterHub.authenticator_class = greyhub.authenticator_class(platform.authenticator)
        _defer_secrets(c)
        c.GreyHub.composed = True
    composition = Composition(greyhub, platform, sort_findings(found))
    if trace:
        trace.composed = composition
    return composition


def act(composition: Composition, config: Config) -> None:
    """Create what the hub needs, and log the findings and the adapters.

    A command that only reads the file, such as ``jupyterhub token`` or ``--show-config``,
    needs no proxy and no free port, and its output is no hub's log.

    Raises
    ------
    greyhub.errors.ConfigError
        This machine does not give what the configuration asks for.
    """
    greyhub, platform = composition.greyhub, composition.platform
    greyhub.make_state()
    if not serves(platform.application):
        return
    proxy.prepare(config, config)
    for finding in composition.findings:
        say = greyhub.log.warning if finding.level == "warning" else greyhub.log.info
        say("greyhub: %s: %s", finding.level, finding)
    for adapter in greyhub.adapters.values():
        adapter.hub_starts(platform.application)
    for slot, adapter in greyhub.adapters.items():
        greyhub.log.info("greyhub: %s = %s: %s", slot, label(greyhub.values[slot]), adapter.label())
    greyhub.log.info("greyhub: %s", access.describe(platform))


def serves(app: Any) -> bool:
    """Whether an application, if there is one, goes on to be a hub once it has read its file."""
    ends = ("show_config", "show_config_json", "generate_config", "generate_certs")
    return app is not None and not any(getattr(app, name, False) for name in ends)


def _misuse(c: Config) -> Iterator[Finding]:
    """``compose`` called twice, or with another ``c`` than the file's own."""
    if "composed" in c.get("GreyHub", {}):
        yield Finding(
            "error",
            "greyhub.compose(c) is called twice",
            "call it once, as the last line of the file that is given to jupyterhub -f",
        )
    if Loader.reading and c is not Loader.reading[-1].config:
        yield Finding(
            "error",
            "greyhub.compose is given another configuration than the file's own: what this file "
            "sets would be ignored",
            "remove the line that makes c: the c that JupyterHub gives to the file is the right "
            "one, and so is get_config() without an import",
            place=Loader.reading[-1].full_filename,
        )


def _finding(error: ConfigError, platform: Platform) -> Finding:
    named = re.match(r"c\.(\w+)\.(\w+)", error.where)
    place = platform.where(*named.groups()) if named else ""
    return Finding("error", error.what, error.fix, error.where, place)


def snapshot(config: Config) -> Config:
    """A copy whose sections and additions are its own; what was only looked at is left out."""
    copy = Config()
    for key, value in config.items():
        if isinstance(value, Config):
            dict.__setitem__(copy, key, snapshot(value))
        elif isinstance(value, LazyConfigValue):
            if value.to_dict() or any(not name.startswith("_") for name in vars(value)):
                copy[key] = value
        else:
            dict.__setitem__(copy, key, value)
    return copy


def _defer_secrets(config: Config) -> None:
    for key, value in config.items():
        if isinstance(value, Config):
            _defer_secrets(value)
        elif (deferred := defer_secrets(value)) is not value:
            config[key] = deferred


def _jupyterhub() -> type:
    from jupyterhub.app import JupyterHub

    found: type = JupyterHub
    return found


def _starting_hub() -> Any:
    """The JupyterHub application that is reading its config file, if one is."""
    if "jupyterhub.app" not in sys.modules:
        return None
    from jupyterhub.app import JupyterHub

    return JupyterHub.instance() if JupyterHub.initialized() else None


def _adopt_classes(written: Config) -> Iterator[ConfigConflict]:
    """Let ``c.JupyterHub.spawner_class`` fill its slot, as JupyterHub's users expect."""
    for slot, trait in (("spawner", "spawner_class"), ("auth", "authenticator_class")):
        if trait not in written.JupyterHub:
            continue
        if slot in written.GreyHub:
            yield ConfigConflict(
                f"this slot is filled twice: by c.GreyHub.{slot} and by c.JupyterHub.{trait}",
                where=f"c.GreyHub.{slot}",
                fix="keep one of the two lines",
            )
        else:
            written.GreyHub[slot] = written.JupyterHub[trait]


def _lineages(contributions: Sequence[tuple[Origin, Contribution]]) -> list[list[str]]:
    """The sections in which options of the classes in use may be set, as `merge` takes them."""
    return [
        sections(cls)[::-1]
        for _, contribution in contributions
        for name in ("spawner_class", "authenticator_class")
        if isinstance(cls := contribution.config.get("JupyterHub", {}).get(name), type)
    ]
