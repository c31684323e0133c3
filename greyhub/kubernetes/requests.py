"""Requests to the API server, repeated while it is away or busy."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

T = TypeVar("T")

BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Answers after which the same request may be asked again."""

ATTEMPT: Final = 10.0
"""Seconds that one request may take."""

LONGEST_PAUSE: Final = 10.0
"""Seconds between two attempts, at most, unless the server asks for more."""


class Unreachable(Exception):
    """The API server did not answer, or only that it is busy."""


def status_of(error: BaseException) -> int:
    """The HTTP status that the API server answered; 0 where it did not."""
    status = getattr(error, "status", 0)
    return status if isinstance(status, int) else 0


async def patiently(call: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Ask the API server, again while it does not answer or is busy.

    Parameters
    ----------
    call : callable
        Makes one request. It may be made again although the server has done what it
        asks for: who creates something must be ready to find it there.
    seconds : float
        How long to go on asking.

    Raises
    ------
    Unreachable
        It did not answer in that time.
    kubernetes_asyncio.client.ApiException
        It answered, and asking again would not help.
    """
    from aiohttp import ClientError
    from kubernetes_asyncio.client import ApiException

    until, pause = time.monotonic() + seconds, 0.2
    while True:
        try:
            return await asyncio.wait_for(call(), ATTEMPT)
        except ApiException as error:
            if error.status not in BUSY:
                raise
            last: Exception = error
            wait = _asked_for(error)
        except (ClientError, TimeoutError, OSError) as problem:
            last, wait = problem, 0.0
        wait = max(wait, pause * random.uniform(0.5, 1.0))  # noqa: S311
        if time.monotonic() + wait > until:
            raise Unreachable(f"the Kubernetes API server: {_words(last)}") from last
        await asyncio.sleep(wait)
        pause = min(2 * pause, LONGEST_PAUSE)


def _asked_for(error: Any) -> float:
    """The seconds of a Retry-After header."""
    try:
        return float((error.headers or {}).get("Retry-After", 0))
    except ValueError:
        return 0.0


def _words(error: BaseException) -> str:
    status = status_of(error)
    return f"it answers {status}" if status else str(error) or "it does not answer"
