"""The one way in which tests wait: for a condition, with a limit that a slow machine keeps, too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

PATIENCE = float(os.environ.get("GREYHUB_TEST_PATIENCE", "3"))
"""Multiplies every time limit of the tests, and of the conformance suites that they run."""

MINUTE = 60 * PATIENCE
"""Seconds that may pass before something that is expected soon is taken to hang."""


def until(
    ready: Callable[[], Value],
    limit: float = 60,
    what: str = "it",
    *,
    every: float = 0.05,
) -> Value:
    """Poll until ``ready`` returns something true; its value.

    Parameters
    ----------
    ready : callable
        The condition.
    limit : float
        Seconds, times `PATIENCE`.
    what : str
        What is waited for, for the message.
    every : float
        Seconds between two looks.

    Raises
    ------
    TimeoutError
        It did not come true.
    """
    deadline = time.monotonic() + limit * PATIENCE
    while not (value := ready()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come true within {limit * PATIENCE:g} s")
        time.sleep(every)
    return value
