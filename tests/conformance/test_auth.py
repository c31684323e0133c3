"""The auth suite: those that must pass, the one that must not, and the mutants' fast part."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.conformance.result import Outcome
from greyhub.conformance.suite import SuiteError
from tests.conformance.auth import suites
from tests.support.conformance import broken, judged, kills

CAREFUL = suites.CarefulSuite.config


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize(
    "name", ["CarefulSuite", "TokenedSuite", "OpenID", "OpenIDByMail", "OpenIDGitHub", "Entra"]
)
def test_a_correct_authenticator_keeps_every_clause(tmp_path: Path, name: str) -> None:
    _, report = judged(tmp_path, f"{suites.__name__}:{name}", "--certify")
    assert broken(report) == []
    assert report.certified


@pytest.mark.slow
def test_the_lazy_one_earns_no_badge(tmp_path: Path) -> None:
    done, report = judged(tmp_path, f"{suites.__name__}:LazySuite")
    assert done.returncode == 2
    assert not report.certified
    assert "AUTH-001" in [each.id for each in report.having(Outcome.UNPROVEN)]


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize(
    "clause", ["AUTH-010", "AUTH-020", "AUTH-027", "AUTH-030", "AUTH-043", "AUTH-050"]
)
def test_mutants_fail_their_clause(clause: str) -> None:
    kills("auth", clause)


def test_an_option_that_the_clauses_set_is_refused() -> None:
    class Open(suites.CarefulSuite):
        config = {"ToyAuthenticator": {**CAREFUL["ToyAuthenticator"], "allow_all": True}}

    with pytest.raises(SuiteError, match=r"leave ToyAuthenticator\.allow_all out"):
        Open.check()
