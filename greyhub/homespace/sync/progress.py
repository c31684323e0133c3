"""The progress of a large piece of work."""

from __future__ import annotations

from collections.abc import Callable


class Progress:
    """Counts what was done since `begin`.

    Parameters
    ----------
    clock : Callable[[], float]
        A clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.begin(0)

    def begin(self, files: int, size: int = 0) -> None:
        """So much is to be done."""
        self.files, self.size = files, size
        self.done = self.bytes = 0
        self.began = self.clock()

    def add(self, path: str, size: int) -> None:
        """One path is done."""
        self.done += 1
        self.bytes += size

    @property
    def rate(self) -> float:
        """Bytes per second."""
        return self.bytes / max(self.clock() - self.began, 1e-3)

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take, or None if that cannot be told yet."""
        spent = self.clock() - self.began
        part = self.bytes / self.size if self.size else self.done / max(self.files, 1)
        return spent / part - spent if part > 0 else None

    def __str__(self) -> str:
        parts = [f"{self.done:,} of {max(self.files, self.done):,} files"]
        if self.bytes:
            parts.append(f"{human(self.bytes)}, {human(self.rate)}/s")
        if self.left is not None and self.done < self.files:
            parts.append(f"{self.left:.0f} s left")
        return ", ".join(parts)


def human(size: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
