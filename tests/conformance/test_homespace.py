"""The contract of homes: those that keep it, those that do not, and those broken on purpose."""

import pytest

from greyhub.conformance.homespace import CONTRACT
from greyhub.conformance.result import Outcome
from tests.support.conformance import judged, kills

SUITES = "tests.conformance.homespace.suites"


@pytest.mark.slow
def test_a_home_that_declines_everything_earns_nothing(tmp_path):
    done, report = judged(tmp_path, f"{SUITES}:Lazy")
    assert done.returncode == 1
    assert not report.certified
    failed = {result.id for result in report.having(Outcome.FAILED)}
    assert {"HOME-010", "HOME-011", "HOME-045"} <= failed


def test_every_clause_is_executed():
    assert len(CONTRACT.clauses) == 43
    assert not [clause.id for clause in CONTRACT.clauses.values() if clause.listed]


@pytest.mark.slow
@pytest.mark.processes
def test_broken_homes_fail_by_their_clause():
    kills("homespace", "HOME-006", "HOME-010", "HOME-013", "HOME-031", "HOME-045")
