"""A clause's result and a run's report, as plain values that are kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from greyhub.conformance.contract import Clause, Level

FORMAT = 1
"""The version of the JSON report."""


class Outcome(StrEnum):
    """How one clause ended."""

    PASSED = "passed"
    FAILED = "failed"
    """A MUST is broken."""
    WARNED = "warned"
    """A SHOULD is broken, or a clause that is still provisional."""
    UNPROVEN = "unproven"
    """A hook is missing: neither kept nor broken."""
    DECLINED = "declined"
    """The adapter has not the capability, and says why."""
    LISTED = "listed"
    """The contract holds it, the suite cannot execute it."""
    ERROR = "error"
    """The suite itself broke, or a hook of the author's."""
    NOT_RUN = "not run"
    """It was left out of this run."""


@dataclass
class Result:
    """One clause's result."""

    id: str
    level: Level
    promise: str
    outcome: Outcome
    seconds: float = 0.0
    message: str = ""
    """How it was broken, why it was declined, what the suite lacks."""
    done: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    saw: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    """The real faults behind the clause."""
    repeat: str = ""
    """The command that runs it again with the same seed."""
    trace: str = ""
    """The traceback of an error."""
    slow: bool = False
    """Whether all that it is warned of is that something took long."""

    @classmethod
    def of(cls, clause: Clause, outcome: Outcome, message: str = "", **values: Any) -> Result:
        """A result for a clause."""
        return cls(
            clause.id,
            clause.level,
            clause.promise,
            outcome,
            message=message,
            seen=list(clause.seen),
            **values,
        )


@dataclass
class Report:
    """One run of one suite."""

    target: str
    """``module:Class`` of the author's suite."""
    adapter: str
    version: str
    contract: str
    mode: str
    claims: dict[str, Any]
    declines: dict[str, str]
    seed: int
    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0
    started: str = ""
    platform: dict[str, str] = field(default_factory=dict)
    """The versions it ran with."""
    leftovers: list[str] = field(default_factory=list)
    """What the run could not clear from the backend."""
    format: int = FORMAT

    def having(self, *outcomes: Outcome) -> list[Result]:
        """The results with one of these outcomes."""
        return [result for result in self.results if result.outcome in outcomes]

    @property
    def counts(self) -> dict[str, int]:
        """How many results have each outcome that occurs."""
        counts = {outcome: len(self.having(outcome)) for outcome in Outcome}
        return {str(outcome): number for outcome, number in counts.items() if number}

    @property
    def kept(self) -> int:
        """How many MUST clauses were executed and kept."""
        return sum(result.level is Level.MUST for result in self.having(Outcome.PASSED))

    @property
    def complete(self) -> bool:
        """Whether no clause was left out."""
        return bool(self.results) and not self.having(Outcome.NOT_RUN)

    @property
    def exit_code(self) -> int:
        """0 conformant, 1 a MUST failed, 2 unproven or the suite broke."""
        if self.having(Outcome.FAILED):
            return 1
        doubt = self.having(Outcome.UNPROVEN, Outcome.ERROR) or self.leftovers
        # A run of chosen clauses may hold no MUST at all; a whole run may not.
        nothing = not (self.having(Outcome.PASSED, Outcome.WARNED))
        return 2 if doubt or nothing or (self.complete and not self.kept) else 0

    @property
    def certified(self) -> bool:
        """Whether the badge is earned: every clause had its turn, and nothing is in doubt."""
        return self.exit_code == 0 and self.complete

    @property
    def verdict(self) -> str:
        """The verdict in a few words."""
        if self.exit_code == 1:
            return "not conformant"
        if self.exit_code == 2:
            return "the suite broke" if self.having(Outcome.ERROR) else "not proven"
        if not self.complete:
            return "the chosen clauses are kept"
        warned = self.having(Outcome.WARNED)
        return f"conformant, {len(warned)} warned" if warned else "conformant"

    def slowest(self, number: int = 5) -> list[Result]:
        """The clauses that took longest."""
        ran = [result for result in self.results if result.seconds]
        return sorted(ran, key=lambda result: -result.seconds)[:number]

    def dumps(self) -> str:
        """The report as JSON."""
        verdict = {
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "certified": self.certified,
            "counts": self.counts,
        }
        return json.dumps({**verdict, **asdict(self)}, indent=1, ensure_ascii=False, default=str)

    @classmethod
    def loads(cls, text: str) -> Report:
        """A report from its JSON.

        Raises
        ------
        ValueError
            It is not a report of this format.
        """
        values = json.loads(text)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError("this is no conformance report, or one of another version")
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        known["results"] = list(_results(known.get("results", ())))
        return cls(**known)


def _results(values: Iterable[dict[str, Any]]) -> Iterable[Result]:
    for each in values:
        yield Result(**{**each, "level": Level(each["level"]), "outcome": Outcome(each["outcome"])})
