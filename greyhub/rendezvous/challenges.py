"""Texts that a request must contain, each good for one request of one key: nothing is replayed.

Unlike times, they need no clocks that agree. A hub that starts again knows none of those
before; an agent that shows one is given another.
"""

from __future__ import annotations

import hmac
import secrets
import time

LIFETIME = 300.0
"""Seconds for which a challenge is good."""


class Challenges:
    """Those of one hub."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._used: dict[str, float] = {}
        self._swept = time.monotonic()

    def make(self, key: str) -> str:
        """A challenge for the owner of a key."""
        until = f"{time.monotonic() + LIFETIME:.3f}"
        number = secrets.token_hex(12)
        return f"{until}.{number}.{self._proof(key, until, number)}"

    def use(self, key: str, challenge: str) -> bool:
        """Whether it was given to this key, and is good still; from now on it is not."""
        now = time.monotonic()
        if now - self._swept > LIFETIME / 10:
            self._swept = now
            self._used = {each: until for each, until in self._used.items() if until > now}
        rest, _, proof = challenge.rpartition(".")
        seconds, _, number = rest.rpartition(".")
        if not hmac.compare_digest(proof.encode(), self._proof(key, seconds, number).encode()):
            return False
        if float(seconds) < now or challenge in self._used:
            return False
        self._used[challenge] = float(seconds)
        return True

    def _proof(self, key: str, until: str, number: str) -> str:
        return hmac.new(self._secret, f"{key} {until} {number}".encode(), "sha256").hexdigest()
