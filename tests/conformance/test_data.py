"""The contract of catalogues: who keeps it, who does not, and who is broken on purpose."""

import pytest

from greyhub.conformance import proof
from greyhub.conformance.apart import run_apart
from greyhub.conformance.data import CONTRACT
from greyhub.conformance.result import Outcome

SUITES = "tests.conformance.data.suites"
MUTANTS = "tests.conformance.data.mutants"
FAST = ("DATA-004", "DATA-008", "DATA-020", "DATA-021", "DATA-022", "DATA-031", "DATA-033")
"""Clauses whose mutants are judged each time; ``make mutants`` judges all."""


@pytest.mark.parametrize("name", ["Local", "LocalFirst", "Remote", "Toy"])
def test_correct_catalogues_keep_the_contract(name):
    report = run_apart(f"{SUITES}:{name}", seed=1, patience=3)
    kept = (Outcome.PASSED, Outcome.DECLINED)
    wrong = [f"{r.id}: {r.message}" for r in report.results if r.outcome not in kept]
    assert not wrong
    assert report.certified


def test_a_catalogue_that_declines_everything_earns_nothing():
    report = run_apart(f"{SUITES}:Lazy", seed=1)
    assert report.exit_code == 1
    assert not report.certified
    failed = {result.id for result in report.having(Outcome.FAILED)}
    assert {"DATA-013", "DATA-030", "DATA-032"} <= failed


def test_every_clause_is_executed():
    assert len(CONTRACT.clauses) == 25
    assert not [clause.id for clause in CONTRACT.clauses.values() if clause.listed]


def test_every_clause_that_binds_has_its_mutants():
    assert not proof.gaps(CONTRACT, list(proof.collect([MUTANTS])))


def test_broken_catalogues_fail_by_their_clause():
    chosen = [each for each in proof.collect([MUTANTS]) if each.fails in FAST]
    astray = [trial for trial in proof.trials(chosen, alone=True) if trial.fate != "killed"]
    assert not astray
