"""The contract of clusters: who keeps it, who proves nothing, and who is broken on purpose."""

import pytest

from greyhub.conformance import proof
from greyhub.conformance.apart import run_apart
from greyhub.conformance.cluster import CONTRACT
from greyhub.conformance.result import Outcome

SUITES = "tests.conformance.cluster.suites"
FAST = ("CLUSTER-013", "CLUSTER-015", "CLUSTER-031")
"""Clauses whose mutants are judged each time; ``make mutants`` judges all."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["Local", "Toy"])
def test_correct_clusters_keep_the_contract(name):
    report = run_apart(f"{SUITES}:{name}", seed=1, patience=3)
    kept = (Outcome.PASSED, Outcome.DECLINED)
    wrong = [f"{r.id}: {r.message}" for r in report.results if r.outcome not in kept]
    assert not wrong
    assert report.certified


def test_a_suite_without_hooks_proves_nothing():
    report = run_apart(f"{SUITES}:Lazy", clauses=["CLUSTER-008"], seed=1)
    assert report.exit_code == 2
    assert [result.id for result in report.having(Outcome.UNPROVEN)] == ["CLUSTER-008"]


@pytest.mark.timeout(240)
def test_broken_clusters_fail_by_their_clause():
    mutants = proof.collect(["tests.conformance.cluster.mutants"])
    found = [each for each in mutants if each.fails in FAST]
    astray = [trial for trial in proof.trials(found, alone=True) if trial.fate != "killed"]
    assert found
    assert not astray


def test_every_clause_is_executed():
    assert len(CONTRACT.clauses) == 34
    assert not [clause.id for clause in CONTRACT.clauses.values() if clause.listed]
