"""What can go wrong between the hub and an identity provider.

Tornado's error keeps no arguments, so a copy is made without any: each has a default.
"""

from __future__ import annotations

from tornado.web import HTTPError


class Refused(HTTPError):
    """This login, or this user, is refused; the message is shown to the user."""

    def __init__(self, message: str = "", status: int = 403) -> None:
        super().__init__(status, message)


class ProviderUnavailable(HTTPError):
    """The provider did not answer, or not with what the standard says: nothing is known."""

    def __init__(self, message: str = "") -> None:
        super().__init__(502, message)


class Throttled(ProviderUnavailable):
    """The provider has no time now, and says when it will have some."""

    def __init__(self, message: str = "", seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class GrantRefused(Exception):
    """The provider refused a code or a token; the message is OAuth's word for why."""

    words = ""
    """What the user is told, where more is known than the word: what is wrong, and ``fix:``."""

    claims = ""
    """What the next login has to ask for, so that it is not refused again: a claims request."""
