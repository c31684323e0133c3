"""How often somebody may ask."""

from __future__ import annotations

import time
from collections import OrderedDict

MANY = 10_000
"""Callers that are remembered at a time."""


class Limit:
    """A number of requests for each caller, which fills up again within a period.

    Parameters
    ----------
    number : int
        Requests.
    period : float
        Seconds.
    """

    def __init__(self, number: int, period: float) -> None:
        self.number, self.period = number, period
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> bool:
        """Count a request; whether it is within the limit."""
        now = time.monotonic()
        left, then = self._left.pop(caller, (float(self.number), now))
        left = min(self.number, left + (now - then) * self.number / self.period)
        self._left[caller] = max(0.0, left - 1), now
        while len(self._left) > MANY:
            self._left.popitem(last=False)
        return left >= 1
