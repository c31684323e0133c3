"""The contract of catalogues: who keeps it, who does not, and who is broken on purpose."""

import pytest

from greyhub.conformance.data import CONTRACT
from greyhub.conformance.result import Outcome
from tests.support.conformance import broken, judged, kills

SUITES = "tests.conformance.data.suites"


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("name", ["LocalFirst", "Remote", "Toy"])
def test_correct_catalogues_keep_the_contract(name, tmp_path):
    _, report = judged(tmp_path, f"{SUITES}:{name}", "--certify")
    assert broken(report) == []
    assert report.certified


@pytest.mark.slow
def test_a_catalogue_that_declines_everything_earns_nothing(tmp_path):
    done, report = judged(tmp_path, f"{SUITES}:Lazy")
    assert done.returncode == 1
    assert not report.certified
    failed = {result.id for result in report.having(Outcome.FAILED)}
    assert {"DATA-013", "DATA-030", "DATA-032"} <= failed


def test_every_clause_is_executed():
    assert len(CONTRACT.clauses) == 25
    assert not [clause.id for clause in CONTRACT.clauses.values() if clause.listed]


@pytest.mark.slow
@pytest.mark.processes
def test_broken_catalogues_fail_by_their_clause():
    kills("data", "DATA-004", "DATA-008", "DATA-021", "DATA-022", "DATA-031", "DATA-033")
