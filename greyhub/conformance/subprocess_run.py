"""Run a suite in a process of its own, so that nothing it does ends the caller."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NoReturn

from greyhub.conformance.limits import PATIENCE
from greyhub.conformance.result import Report
from greyhub.conformance.run import Watcher, load, run
from greyhub.conformance.suite import Suite, SuiteError


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
        self._folder = tempfile.TemporaryDirectory(prefix="greyhub-conform-")
        self._path = Path(self._folder.name) / "report"
        self._deadline = time.monotonic() + limit
        self._status: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self._child = os.fork()
        if self._child == 0:
            if silent:
                _print_nowhere()
            _judge(
                self._path,
                target,
                lambda suite: run(
                    suite,
                    target=target,
                    clauses=clauses,
                    seed=seed,
                    patience=patience,
                    watch=watch,
                ),
            )

    def ended(self) -> bool:
        """Whether the child has ended; kills it when its time is over."""
        if self._status is None:
            if time.monotonic() > self._deadline:
                os.kill(self._child, signal.SIGKILL)
            child, status = os.waitpid(self._child, os.WNOHANG)
            if child:
                self._status = status
        return self._status is not None

    def wait(self) -> None:
        """Wait until the child has ended, also where the user interrupts it."""
        interrupted = False
        while self._status is None:
            try:
                _, self._status = os.waitpid(self._child, 0)
            except KeyboardInterrupt:
                # The child had it too, clears up and ends.
                interrupted = True
        if interrupted:
            raise KeyboardInterrupt

    def report(self) -> Report:
        """What the child reported.

        Raises
        ------
        SuiteError
            The target, a clause or the suite is not as it must be.
        RuntimeError
            It ended without a report, or broke.
        """
        self.wait()
        with self._folder:
            if not self._path.exists():
                code = os.waitstatus_to_exitcode(self._status or 0)
                raise RuntimeError(
                    f"the run of {self.target} ended without a report, with status {code}: "
                    "this proves nothing"
                )
            kind, text = json.loads(self._path.read_text())
        if kind == "misuse":
            raise SuiteError(text)
        if kind == "broke":
            raise RuntimeError(text)
        return Report.loads(text)


def run_in_subprocess(
    target: str,
    *,
    clauses: Collection[str] = (),
    seed: int | None = None,
    patience: float = PATIENCE,
    watch: Watcher = lambda result: None,
) -> Report:
    """Run a suite in a process of its own and wait for its report; raises as its `report`."""
    return SubprocessRun(
        target, clauses=clauses, seed=seed, patience=patience, watch=watch
    ).report()


def _print_nowhere() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _judge(path: Path, target: str, judge: Callable[[type[Suite]], Report]) -> NoReturn:
    said = ("broke", "interrupted")
    try:
        said = ("report", judge(load(target)).dumps())
    except SuiteError as error:
        said = ("misuse", str(error))
    except KeyboardInterrupt:
        pass
    except BaseException as error:
        said = ("broke", f"the run broke: {error!r}\n{traceback.format_exc()}")
    finally:
        # Nothing that the adapter has left to be run at exit is run: what a crash
        # has abandoned stays abandoned.
        try:
            building = path.with_suffix(".new")
            building.write_text(json.dumps(said))
            building.replace(path)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(0)
