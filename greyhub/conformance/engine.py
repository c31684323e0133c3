"""Runs the clauses of a suite one by one, each with its own case, seed and time limit.

It knows nothing of pytest, and judges who is at fault: what the adapter raised
is a failure of the adapter, what a hook or the suite raised is an error.
"""

from __future__ import annotations

import gc
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from greyhub.conformance.case import Broken, Case, HookError, TimedOut, Unproven
from greyhub.conformance.contract import Clause, Level
from greyhub.conformance.limits import PATIENCE
from greyhub.conformance.record import shorten
from greyhub.conformance.result import Outcome, Result
from greyhub.conformance.suite import Suite
from greyhub.conformance.testkit.fork import Fork, ProcessGone

GRACE = 5.0
"""Seconds that a clause may take to clear up after its time was over."""


class Runner:
    """One suite, made ready, whose clauses are examined one by one.

    Parameters
    ----------
    suite : type of Suite
        The author's class.
    target : str
        How it is named on the command line: ``module:Class``.
    seed : int
        Decides every random choice.
    patience : float
        Multiplies the suite's own, for a machine that is slow or busy.

    Raises
    ------
    greyhub.conformance.suite.SuiteError
        The suite does not say all that it must.
    """

    def __init__(
        self, suite: type[Suite], *, target: str = "", seed: int = 0, patience: float = PATIENCE
    ) -> None:
        suite.check()
        self.suite_class, self.seed = suite, seed
        self.target = target or f"{suite.__module__}:{suite.__qualname__}"
        self.suite = suite()
        self.suite.patience *= patience
        self._scratch = tempfile.TemporaryDirectory(
            prefix="greyhub-conformance-", ignore_cleanup_errors=True
        )

    def __enter__(self) -> Runner:
        gc.freeze()  # what is there already is none of a clause's
        self.suite.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.suite.sweep()
        finally:
            self.suite.end()
            self._scratch.cleanup()
            gc.unfreeze()

    def run_clause(self, clause: Clause) -> Result:
        """One clause's result. Raises nothing but KeyboardInterrupt."""
        if (result := self._without_running(clause)) is not None:
            return result
        return (
            self._run_forked(clause) if self.suite.forks_each_clause else self._run_clause(clause)
        )

    def _run_clause(self, clause: Clause) -> Result:
        directory = Path(self._scratch.name) / clause.id.lower()
        directory.mkdir(exist_ok=True)
        case: Case = self.suite.contract.case_class(self.suite, clause, self.seed, directory)
        began = time.monotonic()
        outcome, message, trace = self._run_test(clause, case)
        slow = outcome is Outcome.PASSED and bool(case.slow)
        if slow:
            outcome, message = Outcome.WARNED, "; ".join(case.slow)
        record = case.record
        return Result.of(
            clause,
            outcome,
            message,
            seconds=round(time.monotonic() - began, 3),
            done=record.done,
            said=record.said,
            saw=record.saw,
            repeat=self.repeat(clause) if outcome is not Outcome.PASSED else "",
            trace=trace,
            slow=slow,
        )

    def _run_forked(self, clause: Clause) -> Result:
        """Examine it in a process of its own, and clear up what that has left."""
        limit = (clause.budget + 2 * GRACE) * self.suite.patience
        try:
            with Fork(lambda: self._run_clause(clause), leader=True) as fork:
                result: Result = fork.result(limit)
        except ProcessGone as error:
            result = Result.of(clause, Outcome.ERROR, f"the clause's process is gone: {error}")
        try:
            with _limit(GRACE * self.suite.patience):
                self.suite.sweep()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            if result.outcome in (Outcome.PASSED, Outcome.WARNED):
                result.outcome, result.trace = Outcome.ERROR, _trace(error)
                result.message = f"clearing up failed: {error!r}"
        return result

    def repeat(self, clause: Clause) -> str:
        """The command that runs a clause again."""
        return f"greyhub conform run {self.target} --clause {clause.id} --seed {self.seed}"

    def _without_running(self, clause: Clause) -> Result | None:
        if clause.listed:
            return Result.of(clause, Outcome.LISTED, clause.listed)
        declined = [name for name in clause.needs if name in self.suite.declines]
        if declined and not clause.refusal:
            reason = "; ".join(f"{name}: {self.suite.declines[name]}" for name in declined)
            return Result.of(clause, Outcome.DECLINED, reason)
        missing = [name for name in clause.hooks if not self.suite_class.has(name)]
        if missing:
            calls = " and ".join(f"{name}()" for name in missing)
            return Result.of(
                clause,
                Outcome.UNPROVEN,
                f"the suite has no {calls}: write it, and the clause can be proven",
                repeat=self.repeat(clause),
            )
        return None

    def _run_test(self, clause: Clause, case: Case) -> tuple[Outcome, str, str]:
        assert clause.test is not None
        verdict: tuple[Outcome, str, str] = (Outcome.PASSED, "", "")
        try:
            with _limit(clause.budget * self.suite.patience):
                clause.test(case)
        except KeyboardInterrupt:
            _clear_up(case, self.suite)
            raise
        except BaseException as error:
            verdict = self._judge(error, clause, case)
        else:
            if case.warnings:
                verdict = (Outcome.WARNED, "; ".join(case.warnings), "")
        try:
            _clear_up(case, self.suite)
        except BaseException as error:
            if verdict[0] in (Outcome.PASSED, Outcome.WARNED):
                verdict = (Outcome.ERROR, f"clearing up failed: {error!r}", _trace(error))
        return verdict

    def _judge(self, error: BaseException, clause: Clause, case: Case) -> tuple[Outcome, str, str]:
        broken = (
            Outcome.WARNED
            if clause.level is Level.SHOULD or self.suite.contract.provisional(clause)
            else Outcome.FAILED
        )
        if isinstance(error, Broken):
            return broken, str(error), ""
        if isinstance(error, Unproven):
            return Outcome.UNPROVEN, str(error), ""
        if isinstance(error, HookError):
            return Outcome.ERROR, str(error), _trace(error)
        calling = ", ".join(case.record.calling)
        if isinstance(error, TimedOut):
            if calling:
                return broken, f"{calling} did not return: {error}", ""
            return Outcome.ERROR, f"the suite hung: {error}", _trace(error)
        raised = {id(each) for each in case.record.raised}
        for link in _chain(error):
            if id(link) in raised:
                return broken, f"the adapter raised {type(link).__name__}: {shorten(str(link))}", ""
        return Outcome.ERROR, f"the suite broke: {error!r}", _trace(error)


def _clear_up(case: Case, suite: Suite) -> None:
    with _limit(GRACE * suite.patience):
        try:
            case.close()
        finally:
            if not suite.forks_each_clause:
                suite.sweep()
    # What a case leaves to the collector must not reach the next one: there, the server's or
    # the proxy's own thread may be the one that ends it, and wait for itself.
    gc.collect()
    gc.freeze()  # what stays is looked at once


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Raise `TimedOut` in this thread when the time is over, if it is the main one.

    Again and again: an adapter with a bare ``except:`` takes the first for its own.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(number: int, frame: FrameType | None) -> None:
        raise TimedOut(f"over {seconds:g} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds, GRACE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
