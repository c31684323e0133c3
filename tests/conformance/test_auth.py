"""The auth suite: those that must pass, the one that must not, and the mutants' fast part."""

from __future__ import annotations

import pytest

from greyhub.conformance import proof
from greyhub.conformance.apart import run_apart
from greyhub.conformance.result import Outcome
from greyhub.conformance.suite import Misuse
from tests.conformance.auth.suites import CarefulSuite

SUITES = "tests.conformance.auth.suites"
PLACE = "tests.conformance.auth.mutants_"
MODULES = [f"{PLACE}{name}" for name in ("admission", "names", "exchange", "keeping", "session")]

FAST = ("AUTH-001", "AUTH-010", "AUTH-020", "AUTH-027", "AUTH-030", "AUTH-043", "AUTH-050")
"""Clauses whose mutants are tried in every run; ``make mutants`` tries all, by all clauses."""


@pytest.mark.parametrize("name", ["Local", "TokenedSuite"])
def test_a_correct_authenticator_keeps_every_clause(name: str) -> None:
    report = run_apart(f"{SUITES}:{name}", seed=1, patience=3)
    wrong = report.having(Outcome.FAILED, Outcome.WARNED, Outcome.ERROR, Outcome.UNPROVEN)
    assert [(each.id, each.message) for each in wrong] == []
    assert report.certified


def test_the_lazy_one_earns_no_badge() -> None:
    report = run_apart(f"{SUITES}:LazySuite", seed=1)
    assert report.exit_code == 2
    assert not report.certified
    assert "AUTH-001" in [each.id for each in report.having(Outcome.UNPROVEN)]


def test_every_executable_must_has_its_mutants() -> None:
    assert proof.gaps(CarefulSuite.contract, list(proof.collect(MODULES))) == []


@pytest.mark.parametrize("name", FAST)
def test_mutants_fail_their_clause(name: str) -> None:
    mutants = [each for each in proof.collect(MODULES) if each.fails == name]
    trials = proof.trials(mutants, alone=True)
    assert {trial.mutant: trial.fate for trial in trials} == {
        each.name: proof.Fate.KILLED for each in mutants
    }


def test_an_option_that_the_clauses_set_is_refused() -> None:
    class Open(CarefulSuite):
        config = {
            "ToyAuthenticator": {**CarefulSuite.config["ToyAuthenticator"], "allow_all": True}
        }

    with pytest.raises(Misuse, match=r"leave ToyAuthenticator\.allow_all out"):
        Open.check()
