"""Leave security faults of somebody else's adapter out of a report that is published.

A fault by which one user could get at another's data, or become another, is told
to those who can mend it, and nobody else. Clauses that are missing from a list
are easily named, so all clauses of the kind are withheld together.
"""

from __future__ import annotations

import dataclasses

from greyhub.conformance.contract import MUST, SHOULD, Clause, contract
from greyhub.conformance.result import Outcome, Report, Result

WITHHELD = "withheld"
"""Stands where the ids of the clauses would."""

BETWEEN_USERS = {
    "SPAWNER": "038 041 047 048 049 051 052",
    "AUTH": "001 002 003 004 005 006 007 008 009 010 011 012 013 015 016 024 025 "
    "040 041 042 043 044 052 054",
    "CLUSTER": "016 025",
    "DATA": "008 031",
}
"""Clauses that stand between users, or between users and strangers, and guard no secret."""


def private(clause: Clause) -> bool:
    """Whether to break a clause may be to open a door."""
    slot, _, number = clause.id.rpartition("-")
    return clause.guards == "secrets" or number in BETWEEN_USERS.get(slot, "").split()


def of(report: Report) -> Report:
    """The report as it may be published: as it is, if no clause of the kind was broken.

    Else one result without details stands for all of them, also for those that
    were kept: it says that something was found, and neither what nor how often.
    """
    clauses = contract(report.contract.partition("/")[0]).clauses.values()
    closed = {clause.id for clause in clauses if private(clause)}
    inside = [result for result in report.results if result.id in closed]
    outcomes = {result.outcome for result in inside}
    worst = [each for each in (Outcome.FAILED, Outcome.WARNED) if each in outcomes]
    if not worst:
        return report
    doubt = {Outcome.ERROR, Outcome.UNPROVEN} & outcomes
    stands = Result(
        WITHHELD,
        MUST if worst[0] is Outcome.FAILED else SHOULD,
        f"{len(inside)} clauses on secrets, identity and isolation",
        worst[0] if worst[0] is Outcome.FAILED or not doubt else min(doubt),
        message="withheld, see maintainers",
    )
    left = [result for result in report.results if result.id not in closed]
    return dataclasses.replace(report, results=[*left, stands])
