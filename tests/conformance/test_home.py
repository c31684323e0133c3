"""The contract of homes: those that keep it, those that do not, and those broken on purpose."""

from greyhub.conformance import proof
from greyhub.conformance.apart import run_apart
from greyhub.conformance.home import CONTRACT
from greyhub.conformance.result import Outcome

SUITES = "tests.conformance.home.suites"
FAST = ("HOME-006", "HOME-010", "HOME-013", "HOME-022", "HOME-031", "HOME-045")
"""Clauses whose mutants are judged each time; ``make mutants`` judges all."""


def test_greyhubs_own_homes_keep_the_contract():
    report = run_apart(f"{SUITES}:Local", seed=1, patience=3)
    kept = (Outcome.PASSED, Outcome.DECLINED)
    wrong = [f"{r.id}: {r.message}" for r in report.results if r.outcome not in kept]
    assert not wrong
    assert report.certified


def test_a_home_that_declines_everything_earns_nothing():
    report = run_apart(f"{SUITES}:Lazy", seed=1)
    assert report.exit_code == 1
    assert not report.certified
    failed = {result.id for result in report.having(Outcome.FAILED)}
    assert {"HOME-010", "HOME-011", "HOME-045"} <= failed


def test_every_clause_is_executed():
    assert len(CONTRACT.clauses) == 43
    assert not [clause.id for clause in CONTRACT.clauses.values() if clause.listed]


def test_every_clause_that_binds_has_its_mutants():
    found = list(proof.collect(["tests.conformance.home.mutants"]))
    assert not proof.gaps(CONTRACT, found)


def test_broken_homes_fail_by_their_clause():
    chosen = [
        each for each in proof.collect(["tests.conformance.home.mutants"]) if each.fails in FAST
    ]
    astray = [trial for trial in proof.trials(chosen, alone=True) if trial.fate != "killed"]
    assert not astray
