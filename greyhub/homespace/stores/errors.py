"""The errors of stores: what may be asked again, and what may not."""

from __future__ import annotations

import errno
import math
import os
from typing import Any


class FileChanged(OSError):
    """A file is no longer in the version that was asked for."""

    def __init__(self, message: str = "the file was changed meanwhile", path: str = "") -> None:
        super().__init__(errno.ESTALE, message, path)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.strerror, self.filename), vars(self)


class Unavailable(OSError):
    """The store is busy, cannot be reached or did not answer: worth asking again.

    Parameters
    ----------
    message : str
        What it answered.
    tries : int, optional
        How often to ask, if the answer may mean that it will never work.
    """

    def __init__(self, message: str, path: str = "", *, tries: float = math.inf) -> None:
        super().__init__(errno.EAGAIN, message, path)
        self.tries = tries

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.strerror, self.filename), vars(self)


class Denied(PermissionError):
    """The store refuses the credentials, or what they may do: worth asking with newer ones."""


def refusal(number: int, path: str, text: str = "") -> OSError:
    """The `OSError` of an error number, about a path."""
    return OSError(number, text or os.strerror(number), path)
