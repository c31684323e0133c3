"""Wait for a store, and give up when the process is to end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

Until = Callable[[], bool]
"""Asked while a store is waited for; true to give up."""

OFTEN: Final = 0.2
"""Seconds after which that is asked again."""


class GivenUp(Exception):
    """Whoever waited for a store waits no longer."""


class Asked(Generic[T]):
    """A question that is on its way, in a thread that keeps no process from ending.

    Parameters
    ----------
    ask : Callable[[], T]
        Asks the store. If nobody waits for it any more it may still come to its end: it must
        do no harm then.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._answers: list[T] = []
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answers.append(self._ask())
        except BaseException as error:
            self._failed.append(error)

    def waits(self, seconds: float) -> bool:
        """Wait so long for the answer; whether it is still to come."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def result(self) -> T:
        """The answer, when it has come, or what went wrong."""
        self._thread.join()
        for error in self._failed:
            raise error
        return self._answers[0]


def answer(ask: Callable[[], T], until: Until | None, what: str) -> T:
    """What a store answers, which may take long, or never come.

    Parameters
    ----------
    ask : Callable[[], T]
        As in `Asked`.
    until : Until | None
        None to wait for as long as it takes.
    what : str
        What is waited for, for the error.

    Raises
    ------
    GivenUp
        It was given up.
    """
    if until is None:
        return ask()
    asked = Asked(ask)
    while asked.waits(OFTEN):
        if until():
            raise GivenUp(f"{what} has not come yet")
    return asked.result()
