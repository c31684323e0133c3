"""Run a suite in a process of its own, so that nothing it does ends the caller."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Collection

from greyhub.conformance.limits import PATIENCE
from greyhub.conformance.result import Report
from greyhub.conformance.run import Watcher, load, run
from greyhub.conformance.suite import SuiteError
from greyhub.conformance.testkit.fork import Fork, ProcessGone


class SubprocessRun:
    """A run that goes on in a child of this process.

    Fork only from a process without threads: what they hold would stay held.

    Parameters
    ----------
    target : str
        ``module:Class`` of the suite; imported in the child.
    limit : float
        Seconds after which the child is killed.
    silent : bool
        Whether what the adapter and its servers print is nobody's business.
    """

    def __init__(
        self,
        target: str,
        *,
        clauses: Collection[str] = (),
        seed: int | None = None,
        patience: float = PATIENCE,
        watch: Watcher = lambda result: None,
        limit: float = float("inf"),
        silent: bool = False,
    ) -> None:
        self.target = target
        self._deadline = time.monotonic() + limit

        def judge() -> Report:
            if silent:
                _print_nowhere()
            try:
                suite = load(target)
                return run(
                    suite, target=target, clauses=clauses, seed=seed, patience=patience, watch=watch
                )
            except (SuiteError, KeyboardInterrupt):
                raise
            except BaseException as error:
                told = f"the run broke: {error!r}\n{traceback.format_exc()}"
                raise RuntimeError(told) from None
            finally:
                sys.stdout.flush()
                sys.stderr.flush()

        # When it has answered it is killed: nothing that the adapter has left to be run at
        # exit is run, and what a crash has abandoned stays abandoned.
        self._fork = Fork(judge)

    def ended(self) -> bool:
        """Whether there is a report, or will be none; kills the child when its time is over."""
        if time.monotonic() > self._deadline:
            self._fork.kill()
        return self._fork.answered() or self._fork.wait(0) is not None

    def report(self) -> Report:
        """What the child reported, once it has.

        Raises
        ------
        SuiteError
            The target, a clause or the suite is not as it must be.
        RuntimeError
            It ended without a report, or broke.
        """
        while not self.ended():
            time.sleep(0.01)
        with self._fork:
            try:
                found: Report = self._fork.result(0)
            except ProcessGone:
                raise RuntimeError(
                    f"the run of {self.target} ended without a report, with status "
                    f"{self._fork.wait(PATIENCE)}: this proves nothing"
                ) from None
        return found


def run_in_subprocess(
    target: str,
    *,
    clauses: Collection[str] = (),
    seed: int | None = None,
    patience: float = PATIENCE,
    watch: Watcher = lambda result: None,
) -> Report:
    """Run a suite in a process of its own and wait for its report; raises as its `report`."""
    running = SubprocessRun(target, clauses=clauses, seed=seed, patience=patience, watch=watch)
    try:
        return running.report()
    except KeyboardInterrupt:
        running.report()  # the child was interrupted too, clears up and ends
        raise


def _print_nowhere() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
