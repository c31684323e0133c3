"""Retry with back-off and renewed credentials, for copies that take hours."""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from greyhub.errors import HomeError
from greyhub.homespace.migrate.endpoint import Unexpected
from greyhub.homespace.sync.source import LocalTrouble, Unstable

T = TypeVar("T")

PATIENCE: Final = 60.0
"""Seconds to go on asking a store that does not do what it is asked."""

SETTLED: Final = (
    Unexpected,
    HomeError,
    Unstable,
    LocalTrouble,
    TypeError,
    LookupError,
    AttributeError,
)
"""What asking again does not change."""

HOPELESS: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENAMETOOLONG, errno.ENOENT, errno.ELOOP}
)


def with_retry(work: Callable[[], T], renew: Callable[[], None], patience: float = PATIENCE) -> T:
    """Do it, again and again for as long as there is hope.

    Parameters
    ----------
    work : callable
        May be called any number of times.
    renew : callable
        Called once if rights are missing: credentials may have been renewed.
    """
    end, pause, renewed = time.monotonic() + patience, 0.1, False
    while True:
        try:
            return work()
        except SETTLED:
            raise
        except PermissionError:
            if renewed:
                raise
            renewed = True
            renew()
        except Exception as error:
            wait = pause * random.uniform(0.5, 1.0)  # noqa: S311
            if getattr(error, "errno", None) in HOPELESS or time.monotonic() + wait > end:
                raise
            pause = min(2 * pause, 5.0)
            time.sleep(wait)


def reason(error: BaseException) -> str:
    """An error as a line for people."""
    if isinstance(error, Unexpected):
        return "it was changed meanwhile: stop the server, and run the same command again"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())[:300]
