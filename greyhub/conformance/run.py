"""Run a suite, or chosen clauses of it, in this process, and make its report."""

from __future__ import annotations

import os
import platform
import secrets
import sys
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from greyhub.conformance.contract import Clause
from greyhub.conformance.engine import Runner
from greyhub.conformance.limits import PATIENCE
from greyhub.conformance.result import Outcome, Report, Result
from greyhub.conformance.suite import Suite, SuiteError
from greyhub.imports import import_object

Watcher = Callable[[Result], None]

WITH = ("greyhub", "jupyterhub", "distributed", "fsspec", "intake")
"""The distributions whose versions a report names."""


def load(target: str) -> type[Suite]:
    """The suite that ``module:Class`` names; modules of the working directory count.

    Raises
    ------
    SuiteError
        There is none; says why.
    """
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    if ":" not in target:
        raise SuiteError(
            f"{target!r} names no suite: give MODULE:CLASS, as in my_tests:TestMySpawner"
        )
    try:
        found = import_object(target)
    except AttributeError as error:
        raise SuiteError(f"{target} could not be found: {error}") from error
    except Exception as error:
        raise SuiteError(
            f"{target} could not be imported: {type(error).__name__}: {error}"
        ) from error
    # A mutant holds its suite: see `mutation`.
    found = getattr(found, "suite", found)
    if not (isinstance(found, type) and issubclass(found, Suite)):
        raise SuiteError(f"{target} is no conformance suite: subclass the suite of a slot")
    return found


def choose(suite: type[Suite], names: Collection[str] = ()) -> list[Clause]:
    """The clauses to run: all of the contract, or those named.

    Raises
    ------
    SuiteError
        A name is no clause of the contract.
    """
    clauses = suite.contract.clauses
    for name in names:
        if name not in clauses:
            raise SuiteError(
                f"{name} is no clause of {suite.contract.name}: it has "
                f"{next(iter(clauses))} to {next(reversed(clauses))}"
            )
    return [each for each in clauses.values() if not names or each.id in names]


def report(suite: type[Suite], *, target: str, seed: int) -> Report:
    """An empty report that names everything but results."""
    name, distribution = suite.origin()
    claims = suite.claims
    return Report(
        target=target,
        adapter=name,
        version=distribution,
        contract=suite.contract.name,
        mode=suite.mode,
        claims=dict(claims) if isinstance(claims, Mapping) else dict.fromkeys(sorted(claims), True),
        declines=dict(suite.declines),
        seed=seed,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        platform={"python": platform.python_version(), **_versions(suite.parts)},
    )


def run(
    suite: type[Suite],
    *,
    target: str = "",
    clauses: Collection[str] = (),
    seed: int | None = None,
    patience: float = PATIENCE,
    watch: Watcher = lambda result: None,
) -> Report:
    """Examine a suite in this process; `watch` is called with each result as it comes."""
    seed = secrets.randbelow(10**6) if seed is None else seed
    target = target or f"{suite.__module__}:{suite.__qualname__}"
    suite.check()
    chosen = {clause.id for clause in choose(suite, clauses)}
    made = report(suite, target=target, seed=seed)
    began = time.monotonic()
    with Runner(suite, target=target, seed=seed, patience=patience) as runner:
        for clause in suite.contract.clauses.values():
            if clause.id in chosen:
                result = runner.run_clause(clause)
                watch(result)
            else:
                result = Result.of(clause, Outcome.NOT_RUN)
            made.results.append(result)
    made.seconds = round(time.monotonic() - began, 2)
    return made


def _versions(parts: Collection[str]) -> dict[str, str]:
    found = {}
    for part in (*WITH, *parts):
        name, _, known = part.partition(" ")
        try:
            found[name] = known or version(name)
        except PackageNotFoundError:
            continue
    return found
