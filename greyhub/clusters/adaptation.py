"""Numbers of workers, as ``scale`` and ``adapt`` take and return them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Adaptation:
    """The bounds that ``adapt`` was given. It may be awaited, and need not be."""

    minimum: int
    maximum: float
    _request: Any = field(repr=False)

    def __await__(self) -> Generator[Any, None, Adaptation]:
        if self._request is not None:
            yield from self._request.__await__()
        return self


def count(name: str, value: Any) -> int:
    """A number of workers, if it is one."""
    if isinstance(value, bool) or int(value) != value:
        raise TypeError(f"{name}={value!r}: a number of workers is a whole number")
    if value < 0:
        raise ValueError(f"{name}={value}: a cluster has no fewer than 0 workers")
    return int(value)
