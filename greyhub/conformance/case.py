"""What a clause is given: the suite, a seed, a directory, and a record of what happened."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from greyhub.conformance.contract import Clause
from greyhub.conformance.record import Record, shorten
from greyhub.conformance.suite import Suite

Value = TypeVar("Value")
Raised = TypeVar("Raised", bound=BaseException)

WORKER = """
import os, sys, traceback
import cloudpickle, pickle
with open(sys.argv[1], "rb") as file:
    path, function, args = pickle.load(file)
sys.path[:] = path
try:
    function, args = pickle.loads(function), pickle.loads(args)
    answer = ("value", function(*args))
except BaseException as error:
    traceback.print_exc()
    answer = ("raised", repr(error))
with open(sys.argv[1] + ".answer", "wb") as file:
    pickle.dump(answer, file)
"""
"""What a worker's process does: see `Case.in_worker`."""


class Broken(Exception):
    """The adapter has broken the promise; the message says how."""


class Unproven(Exception):
    """What is needed to see whether the promise is kept is missing."""


class HookError(Exception):
    """A hook of the suite raised: the author's file is at fault, not the adapter."""


class TimedOut(BaseException):
    """The time of the clause is over; raised in the main thread, wherever it is."""


class Case:
    """What a clause is given. Each slot has its own kind, with the slot's helpers.

    Parameters
    ----------
    suite : Suite
        The author's suite, made ready.
    clause : Clause
        The clause at work.
    seed : int
        Of the run; with the clause's id it makes every random choice the same again.
    directory : Path
        An empty directory of this case's own.
    """

    def __init__(self, suite: Suite, clause: Clause, seed: int, directory: Path) -> None:
        self.suite, self.clause, self.seed, self.directory = suite, clause, seed, directory
        self.random = random.Random(f"{seed}:{clause.id}")  # noqa: S311
        self.record = Record()
        self.warnings: list[str] = []
        self.slow: list[str] = []
        self._exit = ExitStack()

    # what a clause says

    def did(self, what: str) -> None:
        """Note what the clause does to the adapter."""
        self.record.done.append(what)

    def said(self, what: str) -> None:
        """Note what the adapter answered."""
        self.record.said.append(what)

    def saw(self, what: str) -> None:
        """Note what was seen in the backend, once while it stays the same."""
        if self.record.saw[-1:] != [what]:
            self.record.saw.append(what)

    def require(self, holds: object, otherwise: str) -> None:
        """The promise is broken unless this holds; the sentence says how."""
        if not holds:
            raise Broken(otherwise)

    def equal(self, found: object, expected: object, what: str) -> None:
        """The promise is broken unless the two are equal: "WHAT found, not expected"."""
        if found != expected:
            raise Broken(f"{what} {shorten(found)}, not {shorten(expected)}")

    def advise(self, holds: object, otherwise: str) -> None:
        """The part of a MUST that is only a SHOULD: a warning unless it holds."""
        if not holds:
            self.warnings.append(otherwise)

    def within(self, took: float, limit: float, what: str) -> None:
        """A limit in seconds is a SHOULD, since a machine may be slow: beyond it is a warning."""
        limit *= self.patience
        if took > limit:
            self.slow.append(f"{what} {took:.1f} s, more than {limit:.1f} s")

    def fail(self, how: str) -> NoReturn:
        """The promise is broken."""
        raise Broken(how)

    # what a clause can use

    @property
    def patience(self) -> float:
        """What every time limit is multiplied by."""
        return self.suite.patience

    def claims(self, capability: str) -> Any:
        """The value claimed with a capability, True if it has none; None if it is declined."""
        claims = self.suite.claims
        if capability not in claims:
            return None
        return claims[capability] if isinstance(claims, dict) else True

    def hook(self, name: str, *args: Any, quietly: bool = False, **how: Any) -> Any:
        """Call a hook of the suite; what it returns is what the backend showed.

        `quietly` keeps it out of the record: what is long, or looked at all the time.
        """
        if not self.suite.has(name):
            raise Unproven(f"the suite has no {name}(): write it, and the clause can be proven")
        try:
            found = getattr(self.suite, name)(*args, **how)
        except (TimedOut, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise HookError(f"{name}() of the suite raised {error!r}") from error
        if not quietly:
            self.saw(f"{name}({', '.join(map(shorten, args))}) = {shorten(found)}")
        return found

    def call(self, name: str, function: Callable[..., Value], *args: Any, **kwargs: Any) -> Value:
        """Call the adapter; its answer or its exception is noted as what it said."""
        self.record.calling.append(name)
        try:
            answer = function(*args, **kwargs)
        except TimedOut:
            # It stays among the calls that have not returned.
            raise
        except BaseException as error:
            self.record.calling.remove(name)
            self.record.raised.append(error)
            self.said(f"{name} raised {shorten(error)}")
            raise
        self.record.calling.remove(name)
        self.said(f"{name} = {shorten(answer)}")
        return answer

    def raises(
        self,
        kind: type[Raised] | tuple[type[Raised], ...],
        call: Callable[..., Any],
        *args: Any,
        what: str = "",
        **kwargs: Any,
    ) -> Raised:
        """What a call raises; the promise is broken if it is another error, or none."""
        kinds = kind if isinstance(kind, tuple) else (kind,)
        wanted = " or ".join(each.__name__ for each in kinds)
        named = what or f"{getattr(call, '__name__', 'it')}({', '.join(map(shorten, args))})"
        try:
            answer = call(*args, **kwargs)
        except kinds as error:
            return error
        except Exception as error:
            told = f"{named} raised {type(error).__name__}, not {wanted}: {shorten(error)}"
            raise Broken(told) from error
        raise Broken(f"{named} did not raise {wanted}, but answered {shorten(answer)}")

    def in_worker(
        self,
        name: str,
        function: Callable[..., Any],
        *args: Any,
        env: Mapping[str, str] = MappingProxyType({}),
        cwd: Path | None = None,
    ) -> Any:
        """What a function returns in a worker: a new process, with this environment alone.

        What goes there is pickled as Dask does it; what it raises there, or in
        being pickled, breaks the promise.
        """
        import cloudpickle  # type: ignore[import-untyped,unused-ignore]

        pickled = self.call(f"pickle of {name}", cloudpickle.dumps, args)
        path = self.directory / "task"
        places = [os.getcwd(), *map(os.path.abspath, filter(None, sys.path))]
        path.write_bytes(pickle.dumps((places, cloudpickle.dumps(function), pickled)))
        self.did(f"{name} in a worker")
        done = subprocess.run(
            [sys.executable, "-c", WORKER, str(path)],
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.directory), **env},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=15 * self.patience,
            check=False,
        )
        answer = path.with_name("task.answer")
        if not answer.exists():
            last = (done.stderr.strip().splitlines() or [""])[-1]
            raise Broken(f"{name} cannot be used in a worker, whose process ended: {last}")
        kind, value = pickle.loads(answer.read_bytes())  # noqa: S301
        if kind == "raised":
            raise Broken(f"{name} cannot be used in a worker: {value}")
        return value

    def until(
        self, condition: Callable[[], Value], seconds: float, otherwise: str, *, every: float = 0.02
    ) -> Value:
        """Wait until the condition is true, and return what it was; else the promise is broken."""
        deadline = time.monotonic() + seconds * self.patience
        try:
            while not (value := condition()):
                if time.monotonic() > deadline:
                    raise Broken(f"{otherwise} within {seconds * self.patience:g} s")
                time.sleep(every)
        except TimedOut as error:
            raise Broken(f"{otherwise} within the time of the clause") from error
        return value

    def enter(self, manager: AbstractContextManager[Value]) -> Value:
        """Enter a context that is left after the clause."""
        return self._exit.enter_context(manager)

    def finally_(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function after the clause, last one first."""
        self._exit.callback(function, *args)

    def close(self) -> None:
        """Leave everything that was entered."""
        self._exit.close()
