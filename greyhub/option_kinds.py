"""Kinds of options that are written as text: an address, a size, a duration.

Each is judged where it is set: by ``greyhub check``, and by whatever makes the object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, ClassVar

from traitlets import TraitError, Unicode

from greyhub.addresses import check_address
from greyhub.durations import iso_seconds_of, seconds_of
from greyhub.sizes import size_of


class Address(Unicode[str, str | bytes]):
    """A URL; nothing written is none.

    Parameters
    ----------
    protocols : collection of str
        Those that may be.
    """

    info_text = "a URL"

    def __init__(self, *args: Any, protocols: Collection[str] = (), **kwargs: Any) -> None:
        self.protocols = protocols
        super().__init__(*args, **kwargs)

    def validate(self, obj: Any, value: Any) -> str:
        """The address."""
        text = str(super().validate(obj, value))
        if text:
            check_address(text, self.protocols)
        return text


class _Amount(Unicode[str, str | bytes]):
    """A number with its unit; nothing is one only where that is the default.

    Parameters
    ----------
    also : str
        A pattern of what may stand there, too.
    """

    read: ClassVar[Callable[[str], float]]

    def __init__(self, *args: Any, also: str = "(?!)", **kwargs: Any) -> None:
        self.also = re.compile(also)
        super().__init__(*args, **kwargs)

    def validate(self, obj: Any, value: Any) -> str:
        """The text."""
        text = str(super().validate(obj, value))
        if not self.also.fullmatch(text) and (text or self.default_value):
            try:
                amount = type(self).read(text)
            except ValueError as error:
                raise TraitError(str(error)) from None
            if amount <= 0:
                raise TraitError(f"{text!r} is {'zero' if text.strip() else 'empty'}")
        return text


class Size(_Amount):
    """A size in bytes."""

    info_text = 'a size, such as "10 GB" or "512 MiB"'
    read = size_of


class Duration(_Amount):
    """A duration."""

    info_text = 'a duration, such as "20 minutes"'
    read = seconds_of


class IsoDuration(Unicode[str, str | bytes]):
    """A duration as ISO 8601 has it; nothing written is none.

    Parameters
    ----------
    shortest, longest : int
        Seconds that it may be.
    """

    info_text = "a duration of ISO 8601, such as 'PT3H'"

    def __init__(self, *args: Any, shortest: int, longest: int, **kwargs: Any) -> None:
        self.shortest, self.longest = shortest, longest
        super().__init__(*args, **kwargs)

    def validate(self, obj: Any, value: Any) -> str:
        """The text."""
        text = str(super().validate(obj, value))
        if text:
            try:
                seconds = iso_seconds_of(text)
            except ValueError as error:
                raise TraitError(str(error)) from None
            if not self.shortest <= seconds <= self.longest:
                raise TraitError(
                    f"{text!r} is {seconds} seconds, and {self.shortest} to {self.longest} may be"
                )
        return text
