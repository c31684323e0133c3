"""What is made of the values: the config file's lines, the chart's values, and what became of each.

A `Rule` says of one value what becomes of it. Rules stand in the tables of `Group`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from greyhub.cli.z2jh.defaults import DEFAULTS
from greyhub.cli.z2jh.secrets import Secrets, has_reference
from greyhub.cli.z2jh.text import python
from greyhub.cli.z2jh.values import Values, at, has, merge

Kind = Literal["moved", "unneeded", "left"]

EMPTY: Final[tuple[Any, ...]] = (None, "", {}, [])


@dataclass(frozen=True)
class Outcome:
    """What became of a value."""

    kind: Kind
    said: str
    """Where it is now, why it is not needed, or what to do instead."""

    review: str = ""
    """What somebody must look at."""

    path: str = ""
    section: str = ""
    given: bool = True
    """Whether the files say it; else it is z2jh's default."""


class Moving:
    """The state of a move."""

    def __init__(self, values: Values, version: str = "") -> None:
        self.values = values
        self.hub = deepcopy(merge(DEFAULTS, values.hub))
        """z2jh's values with its defaults."""

        self.version = version
        """z2jh's version, as far as it is known."""

        self.secrets = Secrets()
        self.chart: dict[str, Any] = {}
        self.lines: dict[str, list[str]] = {}
        self.outcomes: list[Outcome] = []
        self.services: list[tuple[str, Any]] = []
        """Services of the hub, and the value that each is from."""

        self.roles: list[tuple[str, Any]] = []
        self.files: dict[str, dict[str, Mapping[str, Any]]] = {}
        """Files in Secrets, by these and their keys."""

        self.volumes: list[Any] = []
        """Volumes of the hub's pod, and where they are mounted."""

        self.mounts: list[Any] = []
        self.variables: list[dict[str, Any]] = []
        """Variables of the hub's container."""

        self.pods: dict[str, Any] = {}
        """Settings of the pods of Dask clusters."""

        self.clusters: dict[str, Any] = {}
        """Options of Dask clusters."""

        self.code: list[tuple[str, str, list[str]]] = []
        """Blocks of code: the value that each is from, its text, what to look at."""

        self.asked: set[str] = set()
        """The values for which the code asks."""

        self.unknown: dict[str, str] = {}
        """Variables that the hub needs, and the keys of z2jh's own Secret that hold them."""

        self.section = ""

    def get(self, path: str, default: Any = None) -> Any:
        """One of z2jh's values, or its default."""
        return at(self.hub, path, default)

    def given(self, path: str) -> bool:
        """Whether the files say something there."""
        return has(self.values.hub, path)

    def write(self, *lines: str, section: str = "") -> None:
        """Add lines to the config file."""
        self.lines.setdefault(section or self.section, []).extend(lines)

    def option(self, path: str, option: str, value: Any, *, note: str = "") -> None:
        """Add ``c.option = value``, and where it is from."""
        clean = self.secrets.without(path, value, option.rpartition(".")[2])
        name = f"c.{option} = "
        said = f"{path}: {note}" if note else path
        default = ", z2jh's default" if has(DEFAULTS, path) and not self.given(path) else ""
        self.write(f"# {said}{default}", f"{name}{python(clean, used=len(name))}")

    def extend(self, path: str, option: str, entries: list[Any]) -> None:
        """Add entries to a list."""
        default = ", z2jh's default" if has(DEFAULTS, path) and not self.given(path) else ""
        name = f"c.{option}.extend("
        self.write(f"# {path}{default}", f"{name}{python(entries, used=len(name) + 1)})")

    def drop(self, path: str) -> None:
        """Go on without a value that is of no use."""
        into: Any = self.hub
        *above, last = path.split(".")
        for key in above:
            into = into.get(key, {})
        if isinstance(into, dict):
            into.pop(last, None)

    def note(self, path: str, outcome: Outcome, section: str) -> None:
        """Note what became of a value."""
        given = self.given(path) or not has(DEFAULTS, path)
        self.outcomes.append(replace(outcome, path=path, section=section, given=given))

    def assign(self, path: str, target: str, value: Any) -> None:
        """Add ``target = value``, of which no secret was taken out."""
        self.write(f"# {path}", f"{target} = {python(value, used=len(target) + 3)}")

    def volume_of(self, secret: str) -> dict[str, Any]:
        """The volume with the files of a Secret."""
        items = [
            {"key": key, "path": key} | ({"mode": each["mode"]} if "mode" in each else {})
            for key, each in self.files[secret].items()
        ]
        return {"name": "files", "secret": {"secretName": secret, "items": items}}

    def value(self, path: str, to: str, value: Any) -> bool:
        """Set one of the chart's values; False where it holds a secret, and is not set."""
        if has_reference(Secrets().without(path, value, to.rpartition(".")[2])):
            return False
        into = self.chart
        *above, last = to.split(".")
        for key in above:
            into = into.setdefault(key, {})
        into[last] = value
        return True


Act = Callable[[Moving, str, Any], Outcome]


@dataclass(frozen=True)
class Rule:
    """What becomes of a value."""

    act: Act
    empty: bool = False
    """Whether one that is empty, or taken away by null, says something, too."""

    takes: tuple[type, ...] = ()
    """What z2jh takes; by default, whatever the rule goes on with."""


@dataclass(frozen=True)
class Group:
    """The values of one part of z2jh."""

    section: str
    table: Mapping[str, Rule]
    """From a path to its rule, which is for all below it. ``*`` is any key."""

    chart: bool = False
    """Whether they are rather about the chart than about the hub's configuration."""

    finish: Callable[[Moving], None] = field(default=lambda _: None)
    """Writes what is made of several values, after all rules."""


def moved(to: str, review: str = "") -> Outcome:
    """It is taken over."""
    return Outcome("moved", to, review)


def unneeded(why: str) -> Outcome:
    """It is not needed here."""
    return Outcome("unneeded", why)


def left(instead: str) -> Outcome:
    """It could not be taken over."""
    return Outcome("left", instead)


def option(name: str, *, empty: bool = False, none: Any = None, review: str = "") -> Rule:
    """It is an option; with ``empty``, a value that was taken away is ``none``."""

    def act(moving: Moving, path: str, value: Any) -> Outcome:
        moving.option(path, name, none if value is None else value)
        return moved(f"c.{name}", review)

    return Rule(act, empty)


def value(to: str, *, review: str = "") -> Rule:
    """It is a value of greyhub's chart."""

    def act(moving: Moving, path: str, value: Any) -> Outcome:
        if not moving.value(path, to, value):
            return left(f"it holds a secret, which a value of the chart would show: {to}")
        return moved(f"the chart's {to}", review)

    return Rule(act)


def joined(to: str, *takes: type) -> Rule:
    """It is joined with other values, when all are known."""
    return Rule(lambda *_: moved(to), takes=takes)


def kept_file(secret: str, named: str) -> Rule:
    """A file, which a Secret holds and a volume brings."""

    def act(moving: Moving, path: str, value: Any) -> Outcome:
        key = path.split(".", 2)[2]
        if not moving.secrets.put_file(secret, key, value):
            return left("it is neither stringData, binaryData, nor data for .json or .yaml")
        moving.files.setdefault(secret, {})[key] = value
        return moved(f"the Secret {secret}, which {named}")

    return Rule(act)


def not_needed(why: str) -> Rule:
    """It says nothing that greyhub must be told."""
    return Rule(lambda *_: unneeded(why))


def not_taken(instead: str, *, but: object = None) -> Rule:
    """It could not be taken over, unless it is what is so without it."""

    def act(moving: Moving, path: str, value: Any) -> Outcome:
        if but is not None and value == but:
            return unneeded("it is so without it")
        return left(instead)

    return Rule(act)


def tables(section: str, keys: str, rule: Rule) -> dict[str, Rule]:
    """One rule for several keys of a section."""
    return {f"{section}.{key}": rule for key in keys.split()}


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all that is not a mapping with something in it."""
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path else key)
    else:
        yield path
