"""The contract of clusters: who keeps it, who proves nothing, and who is broken on purpose."""

import pytest

from greyhub.conformance.cluster import CONTRACT
from greyhub.conformance.result import Outcome
from tests.support.conformance import broken, judged, kills

SUITES = "tests.conformance.cluster.suites"


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.timeout(300)
def test_a_correct_cluster_keeps_the_contract(tmp_path):
    _, report = judged(tmp_path, f"{SUITES}:Toy", "--certify")
    assert broken(report) == []
    assert report.certified


def test_a_suite_without_hooks_proves_nothing(tmp_path):
    done, report = judged(tmp_path, f"{SUITES}:Lazy", "--clause", "CLUSTER-008")
    assert done.returncode == 2
    assert [result.id for result in report.having(Outcome.UNPROVEN)] == ["CLUSTER-008"]


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.timeout(300)
def test_broken_clusters_fail_by_their_clause():
    kills("cluster", "CLUSTER-013", "CLUSTER-031")


def test_every_clause_is_executed():
    assert len(CONTRACT.clauses) == 34
    assert not [clause.id for clause in CONTRACT.clauses.values() if clause.listed]
