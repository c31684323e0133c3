"""The quota of a home in a store: what may still come, and when its user is warned."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

QUOTA: Final = "the home's quota"
"""How the reason begins for which a path is not saved: there is no room for it."""


class Full(Exception):
    """The quota does not allow the store to grow by this."""


@dataclass(frozen=True)
class Quota:
    """What the store may hold of one home; 0 means no limit."""

    bytes: int = 0
    files: int = 0

    warn: float = 0.9
    """The part of it from which on the user is warned."""


class Usage:
    """What the store holds, and what is on its way.

    Parameters
    ----------
    quota : Quota
        Its limits.
    """

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.files = self.bytes = 0
        self._lock = threading.Lock()

    def count(self, files: int, size: int) -> None:
        """What the store holds now; nothing is on its way."""
        with self._lock:
            self.files, self.bytes = files, size

    @contextmanager
    def growing(self, files: int, size: int) -> Iterator[None]:
        """Count a change that is being made; less than there was is always allowed.

        Raises
        ------
        Full
            There is no room for it.
        """
        with self._lock:
            self._admit(files, size)
            self.files += files
            self.bytes += size
        try:
            yield
        except BaseException:
            with self._lock:
                self.files -= files
                self.bytes -= size
            raise

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return bool(self.quota.bytes or self.quota.files)

    def _admit(self, files: int, size: int) -> None:
        limit = self.quota
        if limit.files and files > 0 and self.files + files > limit.files:
            raise Full(f"{QUOTA} of {limit.files:,} files is used up")
        if limit.bytes and size > 0 and self.bytes + size > limit.bytes:
            free = max(0, limit.bytes - self.bytes)
            raise Full(
                f"{QUOTA} of {limit.bytes:,} bytes has {free:,} left, and this needs {size:,}"
            )

    @property
    def warning(self) -> str:
        """A sentence for the user when little is left."""
        limit = self.quota
        if limit.bytes and self.bytes >= limit.warn * limit.bytes:
            return f"{self.bytes:,} of the home's {limit.bytes:,} bytes are used"
        if limit.files and self.files >= limit.warn * limit.files:
            return f"{self.files:,} of the home's {limit.files:,} files are used"
        return ""
