"""Contracts: what an adapter of a slot promises, clause by clause.

A clause is written where it is tested: a function that takes a case, whose
docstring's first paragraph is the promise. What cannot be executed is `listed`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any


class Level(StrEnum):
    """How binding a clause is."""

    MUST = "MUST"
    """An adapter that breaks it is not conformant."""

    SHOULD = "SHOULD"
    """An adapter that breaks it is conformant, with a warning."""


MUST, SHOULD = Level.MUST, Level.SHOULD


@dataclass(frozen=True)
class Clause:
    """One promise, and the test that holds an adapter to it."""

    id: str
    level: Level
    promise: str
    """One sentence: the first paragraph of the test's docstring."""

    test: Callable[[Any], None] | None = None
    """Takes a case. None if the clause is only listed."""

    needs: tuple[str, ...] = ()
    """Capabilities without which the clause does not apply; empty for the core."""

    hooks: tuple[str, ...] = ()
    """Hooks of the suite that the test looks through; without one it proves nothing."""

    seen: tuple[str, ...] = ()
    """The real faults behind it: links, or a name and a version."""

    since: str = "1.0"
    """The version of the contract that brought it."""

    refusal: bool = False
    """Whether it also runs where its capability is declined: that must be refused cleanly."""

    guards: str = ""
    """``data``, ``money`` or ``secrets``, where breaking it costs one of these."""

    budget: float = 10.0
    """Seconds after which the test is ended, times the suite's patience."""

    listed: str = ""
    """Why it is not executed, if it is not."""

    about: str = ""
    """The rest of the docstring: how it is tested."""

    @property
    def slot(self) -> str:
        """The part of the id before the number: ``SPAWNER``."""
        return self.id.rpartition("-")[0]


def clause(
    name: str,
    level: Level,
    *,
    needs: str = "",
    hooks: str = "",
    since: str = "1.0",
    refusal: bool = False,
    guards: str = "",
    budget: float = 20.0,
) -> Callable[[Callable[[Any], None]], Clause]:
    """Make a clause of a test function; `needs` and `hooks` are names with spaces between.

    The function takes a case, calls the adapter, looks through the hooks, and
    says ``case.require(what holds, "sentence if it does not")``. Its docstring is
    the promise, how it is tested, and the real faults behind it: ``Seen: name link``.
    """

    def make(test: Callable[[Any], None]) -> Clause:
        text, *seen = re.split(r"\nSeen: ", inspect.cleandoc(test.__doc__ or ""))
        promise, _, about = text.strip().partition("\n\n")
        if not promise:
            raise ValueError(f"{name}: the docstring of {test.__name__} must state the promise")
        return Clause(
            id=name,
            level=level,
            promise=" ".join(promise.split()),
            test=test,
            needs=tuple(needs.split()),
            hooks=tuple(hooks.split()),
            seen=tuple(" ".join(each.split()) for each in seen),
            since=since,
            refusal=refusal,
            guards=guards,
            budget=budget,
            about=about,
        )

    return make


def listed(
    name: str,
    level: Level,
    promise: str,
    *,
    because: str,
    needs: str = "",
    seen: str | Sequence[str] = (),
    since: str = "1.0",
) -> Clause:
    """A clause that stands in the contract and is not executed, with the reason."""
    return Clause(
        id=name,
        level=level,
        promise=promise,
        needs=tuple(needs.split()),
        seen=(seen,) if isinstance(seen, str) else tuple(seen),
        since=since,
        listed=because,
    )


@dataclass(frozen=True)
class Capability:
    """Something that an adapter of the slot may do, and must claim or decline."""

    name: str
    help: str
    value: str = ""
    """What is claimed with it, if more than its name: ``seconds``."""


@dataclass
class Contract:
    """All clauses of one slot, and the names that its suites use."""

    slot: str
    version: str
    case: str
    """The slot's kind of `Case`, as ``module:Class`` in its package: what a clause is given."""

    capabilities: dict[str, Capability] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """The slot's package, whose modules hold the clauses."""
        return f"{__package__}.{self.slot}"

    @property
    def name(self) -> str:
        """What the report names: ``spawner/1.0``."""
        return f"{self.slot}/{self.version}"

    @property
    def clauses(self) -> dict[str, Clause]:
        """The clauses by id, in order."""
        return _collect(self.package)

    @property
    def case_class(self) -> type[Any]:
        """What a clause of the slot is given, imported when it is asked for."""
        module, _, name = self.case.partition(":")
        found: type[Any] = getattr(importlib.import_module(f"{self.package}.{module}"), name)
        return found

    def provisional(self, clause: Clause) -> bool:
        """Whether a clause is so new that breaking it is only a warning yet."""
        return clause.since == self.version and not self.version.endswith(".0")


@cache
def _collect(package: str) -> dict[str, Clause]:
    found: dict[str, Clause] = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        for clause in _clauses(importlib.import_module(module.name)):
            if clause.id in found:
                raise ValueError(f"{clause.id} stands twice in {package}")
            found[clause.id] = clause
    return dict(sorted(found.items()))


def _clauses(module: object) -> Iterator[Clause]:
    for value in vars(module).values():
        if isinstance(value, Clause):
            yield value
        elif isinstance(value, tuple):
            yield from (each for each in value if isinstance(each, Clause))


SLOTS = ("spawner", "auth", "cluster", "homespace", "data")
"""The slots that have a contract; each is a subpackage with a ``CONTRACT``."""

FORMER = {"home": "homespace"}
"""What slots were called before, and are called now."""


def contract(slot: str) -> Contract:
    """The contract of a slot; imports its clauses."""
    found: Contract = importlib.import_module(f"greyhub.conformance.{slot}").CONTRACT
    return found


def contracts() -> list[Contract]:
    """The contracts that are written, in order."""
    found = []
    for slot in SLOTS:
        try:
            found.append(contract(slot))
        except ModuleNotFoundError as error:
            if error.name != f"greyhub.conformance.{slot}":
                raise
    return found


def find(name: str) -> tuple[Contract, Clause]:
    """A clause by its id.

    Raises
    ------
    KeyError
        There is no such clause.
    """
    for each in contracts():
        if name in each.clauses:
            return each, each.clauses[name]
    raise KeyError(name)
