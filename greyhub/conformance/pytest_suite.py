"""A suite as a test class of pytest: one test for each clause, without a plug-in."""

from __future__ import annotations

from typing import Any, ClassVar

import click

from greyhub.conformance.engine import Runner
from greyhub.conformance.report.terminal import details
from greyhub.conformance.result import Outcome
from greyhub.conformance.suite import Suite, SuiteError


class PytestSuite(Suite):
    """What every slot's suite is based on: pytest finds its subclasses, whatever they are called.

    What pytest brings is imported in its own run alone, and all that it is asked
    for is what any test class may ask for.
    """

    __test__ = False
    _runner: ClassVar[Runner]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # An author's base class that is not to be judged says __test__ = False itself.
        if "__test__" not in vars(cls):
            cls.__test__ = not cls.__module__.startswith("greyhub.conformance.")

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test a clause; a suite that does not say all that it must is not collected."""
        import pytest

        if "clause" not in metafunc.fixturenames:
            return  # a test that the author has put into the class
        try:
            self.check()
        except SuiteError as error:
            raise pytest.Collector.CollectError(str(error)) from error
        metafunc.parametrize("clause", list(self.contract.clauses))

    @classmethod
    def setup_class(cls) -> None:
        """Make the suite ready, once for its clauses."""
        cls._runner = Runner(cls)
        cls._runner.__enter__()

    @classmethod
    def teardown_class(cls) -> None:
        """Clear up after its clauses."""
        cls._runner.__exit__(None, None, None)

    def test_clause(self, clause: str) -> None:
        """Examine one clause."""
        import pytest

        result = self._runner.run_clause(self.contract.clauses[clause])
        if result.outcome in (Outcome.DECLINED, Outcome.LISTED):
            pytest.skip(f"{result.outcome}: {result.message}")
        if result.outcome is Outcome.WARNED:
            pytest.xfail(f"SHOULD: {result.message}")
        if result.outcome is not Outcome.PASSED:
            pytest.fail(click.unstyle(details(result)), pytrace=False)
