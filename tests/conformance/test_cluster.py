"""The contract of clusters: a part of it, on a toy cloud, and on those broken on purpose.

The whole of it takes a minute: ``greyhub conform run tests.conformance.cluster.suites:Toy``.
"""

import pytest

from greyhub.conformance import proof
from greyhub.conformance.apart import run_apart
from greyhub.conformance.cluster import CONTRACT
from greyhub.conformance.result import Outcome

SUITES = "tests.conformance.cluster.suites"
FAST = ("CLUSTER-001", "CLUSTER-008", "CLUSTER-013", "CLUSTER-014", "CLUSTER-024", "CLUSTER-025")


@pytest.mark.timeout(120)
def test_a_correct_cluster_keeps_what_it_promises():
    report = run_apart(f"{SUITES}:Toy", clauses=FAST, seed=1)
    wrong = [f"{r.id}: {r.message}" for r in report.having(Outcome.FAILED, Outcome.ERROR)]
    assert not wrong
    assert len(report.having(Outcome.PASSED)) == len(FAST)
    assert not report.certified


def test_a_suite_without_hooks_proves_nothing():
    report = run_apart(f"{SUITES}:Lazy", clauses=["CLUSTER-008"], seed=1)
    assert report.exit_code == 2
    assert [result.id for result in report.having(Outcome.UNPROVEN)] == ["CLUSTER-008"]


@pytest.mark.timeout(120)
def test_broken_clusters_fail_by_their_clause():
    found = list(proof.collect(["tests.conformance.cluster.mutants"]))
    astray = [trial for trial in proof.trials(found, alone=True) if trial.fate != "killed"]
    assert found
    assert not astray


def test_every_clause_is_executed():
    assert len(CONTRACT.clauses) == 34
    assert not [clause.id for clause in CONTRACT.clauses.values() if clause.listed]
