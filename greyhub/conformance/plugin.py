"""The pytest plug-in: collects conformance suites, and nothing else.

It is loaded in every pytest run of an environment with greyhub, so it imports
nothing of the suite until a module that is collected has done so itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from greyhub.conformance.contract import Clause
    from greyhub.conformance.engine import Sitting
    from greyhub.conformance.result import Result
    from greyhub.conformance.suite import Suite

SUITE = "greyhub.conformance.suite"
RAN = pytest.StashKey[dict[str, set[str]]]()
HAVE = pytest.StashKey[dict[str, set[str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The plug-in's own options."""
    group = parser.getgroup("greyhub conformance")
    group.addoption(
        "--certify",
        action="store_true",
        help="fail unless every clause of every collected suite was run",
    )
    group.addoption("--conform-seed", type=int, default=0, help="decides every random choice")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> Judged | None:
    """Collect a class if it is a conformance suite with an adapter."""
    module = sys.modules.get(SUITE)
    if module is None or not (isinstance(obj, type) and issubclass(obj, module.Suite)):
        return None
    if obj.__module__.startswith("greyhub.conformance."):
        return None
    judged: Judged = Judged.from_parent(collector, name=name, suite=obj)
    return judged


class Judged(pytest.Collector):
    """One suite; its items are the clauses of its contract."""

    sitting: Sitting

    def __init__(self, *, suite: type[Suite], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.suite = suite

    def collect(self) -> Iterator[ClauseItem]:
        """One item a clause; a suite that does not say all that it must is an error."""
        from greyhub.conformance.suite import Misuse

        try:
            self.suite.check()
        except Misuse as error:
            raise self.CollectError(str(error)) from error
        have = self.config.stash.setdefault(HAVE, {})
        for clause in self.suite.contract.clauses.values():
            have.setdefault(self.nodeid, set()).add(clause.id)
            item: ClauseItem = ClauseItem.from_parent(self, name=clause.id, clause=clause)
            yield item

    def setup(self) -> None:
        """Make the suite ready, once for its clauses."""
        from greyhub.conformance.engine import Sitting

        seed = self.config.getoption("conform_seed")
        self.sitting = Sitting(self.suite, seed=seed)
        self.sitting.__enter__()

    def teardown(self) -> None:
        """Clear up after its clauses."""
        self.sitting.__exit__(None, None, None)


class NotKept(Exception):
    """A clause that did not pass; carries its result."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.message)
        self.result = result


class ClauseItem(pytest.Item):
    """One clause."""

    def __init__(self, *, clause: Clause, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clause = clause
        self.add_marker(clause.level.lower())
        self.user_properties.append(("clause", clause.id))

    def runtest(self) -> None:
        """Examine the clause."""
        from greyhub.conformance.result import Outcome

        assert isinstance(self.parent, Judged)
        self.config.stash.setdefault(RAN, {}).setdefault(self.parent.nodeid, set()).add(
            self.clause.id
        )
        result = self.parent.sitting.examine(self.clause)
        if result.outcome in (Outcome.DECLINED, Outcome.LISTED):
            pytest.skip(f"{result.outcome}: {result.message}")
        if result.outcome is Outcome.WARNED:
            pytest.xfail(f"SHOULD: {result.message}")
        if result.outcome is not Outcome.PASSED:
            raise NotKept(result)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The story of the failure instead of a traceback."""
        from greyhub.conformance.report.terminal import story

        if isinstance(excinfo.value, NotKept):
            return story(excinfo.value.result)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where the suite is, and the promise."""
        return self.path, None, f"{self.clause.id} {self.clause.promise}"


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers of the clauses' levels."""
    config.addinivalue_line("markers", "must: a conformance clause that binds")
    config.addinivalue_line("markers", "should: a conformance clause that advises")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With --certify, a run that left a clause out cannot succeed."""
    if session.config.getoption("certify") and exitstatus in (0, 5) and _left_out(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what keeps the run from a certificate."""
    if config.getoption("certify"):
        for line in _left_out(config):
            terminalreporter.write_line(f"not certified: {line}", red=True)


def _left_out(config: pytest.Config) -> list[str]:
    have, ran = config.stash.get(HAVE, {}), config.stash.get(RAN, {})
    if not have:
        return ["no conformance suite was collected"]
    return [
        f"{suite}: {len(left)} clauses were not run: {', '.join(sorted(left)[:5])}"
        + (" …" if len(left) > 5 else "")
        for suite, clauses in have.items()
        if (left := clauses - ran.get(suite, set()))
    ]
