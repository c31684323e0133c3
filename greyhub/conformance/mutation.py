"""Mutation testing: broken adapters, each of which a suite must catch.

A mutant names the clause that it must fail. It is killed if that clause fails
and no other does, but for those it says cannot but fail with it. A clause that
no mutant fails is a clause that may test nothing.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from greyhub.conformance.contract import Contract, Level
from greyhub.conformance.limits import PATIENCE
from greyhub.conformance.result import Outcome, Report
from greyhub.conformance.subprocess_run import SubprocessRun
from greyhub.conformance.suite import Suite

LIMIT = 300.0
"""Seconds after which a mutant's run is ended: that is an error, not a kill."""


@dataclass(frozen=True)
class Mutant:
    """An adapter that is broken on purpose."""

    name: str
    """``module:Class`` of its suite."""

    suite: type[Suite]
    fails: str
    """The clause that it must fail."""

    also: tuple[str, ...] = ()
    """Clauses that cannot but fail with it."""

    about: str = ""
    """What is wrong with it."""


def mutant(
    fails: str, suite: type[Suite], *, also: str = "", **declared: Any
) -> Callable[[Any], Mutant]:
    """Make a mutant of an adapter, judged by a subclass of `suite` that differs as `declared`."""

    def make(adapter: Any) -> Mutant:
        name = adapter.__name__
        held = adapter if isinstance(adapter, type) else staticmethod(adapter)
        made = type(name, (suite,), {"adapter": held, "__module__": adapter.__module__, **declared})
        about = " ".join((adapter.__doc__ or "").split())
        return Mutant(f"{adapter.__module__}:{name}", made, fails, tuple(also.split()), about)

    return make


class Status(StrEnum):
    """Whether a suite caught a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    WRONG_CLAUSE = "failed by others"
    ERROR = "error"
    """The suite broke, or hung: that is no kill."""


@dataclass
class MutantResult:
    """What came of one mutant."""

    mutant: str
    fails: str
    status: Status
    by: list[str] = field(default_factory=list)
    """The clauses that it failed."""
    message: str = ""
    seconds: float = 0.0


def collect(modules: Iterable[str]) -> Iterator[Mutant]:
    """The mutants that these modules define, each once; of a package, all named ``mutants…``."""
    seen: set[str] = set()
    for name in (found for module in modules for found in _within(module)):
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, Mutant) and value.name not in seen:
                seen.add(value.name)
                yield value


def _within(name: str) -> Iterator[str]:
    """A module's own name; of a package, those of its modules and its packages' with mutants."""
    module = importlib.import_module(name)
    if not hasattr(module, "__path__"):
        yield name
        return
    for each in pkgutil.iter_modules(module.__path__, f"{name}."):
        if each.ispkg:
            yield from _within(each.name)
        elif each.name.rpartition(".")[2].startswith("mutants"):
            yield each.name


def judge(each: Mutant, *, alone: bool = False) -> MutantResult:
    """Run a mutant by the whole contract, or by the clauses alone that it is to fail."""
    return run_mutants([each], jobs=1, alone=alone)[0]


def run_mutants(
    mutants: Sequence[Mutant],
    *,
    jobs: int = 0,
    alone: bool = False,
    patience: float = PATIENCE,
    watch: Callable[[MutantResult], None] = lambda trial: None,
) -> list[MutantResult]:
    """The results of many mutants, each in a process of its own, several at a time."""
    jobs = jobs or 6 * len(os.sched_getaffinity(0))
    for suite in {each.suite for each in mutants}:
        suite.preload()
    # Some slots wait, others compute: mixed, they take turns.
    mixed = random.Random(0).sample(mutants, len(mutants))  # noqa: S311
    waiting, done = mixed, list[MutantResult]()
    running: list[tuple[Mutant, SubprocessRun]] = []
    while waiting or running:
        while waiting and len(running) < jobs:
            each = waiting.pop(0)
            clauses = _clauses(each, alone)
            run = SubprocessRun(
                each.name,
                clauses=clauses,
                seed=0,
                patience=patience,
                limit=LIMIT * patience,
                silent=True,
            )
            running.append((each, run))
        for pair in [pair for pair in running if pair[1].ended()]:
            running.remove(pair)
            done.append(_trial(*pair))
            watch(done[-1])
        time.sleep(0.02)
    return done


def _clauses(each: Mutant, alone: bool) -> set[str]:
    """Those that can catch it: a SHOULD warns, and so kills only whom it is to kill."""
    others = () if alone else each.suite.contract.clauses.values()
    return {each.fails, *each.also, *(one.id for one in others if one.level is Level.MUST)}


def _trial(each: Mutant, run: SubprocessRun) -> MutantResult:
    expected = {each.fails, *each.also}
    try:
        report = run.report()
    except Exception as error:
        return MutantResult(each.name, each.fails, Status.ERROR, message=str(error))
    status, by = _status(each, report)
    told = {result.id: result.message for result in report.results}
    message = told.get(each.fails, "")
    if status is Status.WRONG_CLAUSE:
        message = "; ".join(f"{name}: {told[name]}" for name in by if name not in expected)
    if status is Status.ERROR:
        errors = report.having(Outcome.ERROR, Outcome.UNPROVEN)
        message = "; ".join(f"{result.id}: {result.message}" for result in errors)
    return MutantResult(each.name, each.fails, status, by, message, report.seconds)


def _status(each: Mutant, report: Report) -> tuple[Status, list[str]]:
    failed = [result.id for result in report.having(Outcome.FAILED)]
    warned = [result.id for result in report.having(Outcome.WARNED)]
    if report.having(Outcome.ERROR, Outcome.UNPROVEN):
        return Status.ERROR, failed
    if each.fails not in (*failed, *warned):
        return (Status.WRONG_CLAUSE if failed else Status.SURVIVED), failed
    if set(failed) - {each.fails, *each.also}:
        return Status.WRONG_CLAUSE, failed
    return Status.KILLED, [*failed, *(name for name in warned if name == each.fails)]


def gaps(contract: Contract, mutants: Sequence[Mutant]) -> list[str]:
    """The executable MUST clauses with too few mutants: one each, two where much is at stake."""
    found = []
    for clause in contract.clauses.values():
        if clause.level is not Level.MUST or clause.listed:
            continue
        have = sum(each.fails == clause.id for each in mutants)
        want = 2 if clause.guards else 1
        if have < want:
            stake = f" (it guards {clause.guards})" if clause.guards else ""
            found.append(f"{clause.id} has {have} mutants, wants {want}{stake}")
    return found
