"""What asking Azure ML may end in: it refuses, something is not there, or nothing is known."""

from __future__ import annotations

from typing import Literal

from greyhub.errors import GreyHubError

Reason = Literal[
    "authentication",
    "busy",
    "capacity",
    "environment",
    "invalid",
    "lock",
    "name-taken",
    "other",
    "policy",
    "quota",
    "right",
    "size",
    "workspace",
]
"""Why Azure refuses: what a caller may do depends on it."""


class AzureMLError(GreyHubError):
    """Azure ML did not do what it was asked for.

    Parameters
    ----------
    what : str
        What happened, in one sentence without a full stop.
    fix : str
        What to do about it.
    """

    def __init__(self, what: str, fix: str = "") -> None:
        self.what, self.fix = what, fix
        super().__init__(what)

    def __str__(self) -> str:
        return f"{self.what}.\n  fix: {self.fix}" if self.fix else f"{self.what}."


class NotFound(AzureMLError):
    """The resource itself is not there; its workspace is. No other error says so."""


class Refused(AzureMLError):
    """Azure answered, and asking the same again does not help.

    It does not say that something is gone: a right that was taken away, or a
    workspace that is missing, tells nothing of what runs.
    """

    def __init__(self, reason: Reason, what: str, fix: str = "", code: str = "") -> None:
        super().__init__(what, fix)
        self.args = reason, what, fix, code
        self.reason: Reason = reason
        self.code = code
        """Azure's own code of the error."""


class Unavailable(AzureMLError):
    """Nothing is known: no answer came, or only that Azure is busy or throttles.

    Parameters
    ----------
    retry_after : float
        Seconds after which to ask again, if Azure says so.
    age : float or None
        How old the last answer to the same question is, in seconds.
    """

    def __init__(
        self, what: str, fix: str = "", *, retry_after: float = 0.0, age: float | None = None
    ) -> None:
        super().__init__(what, fix)
        self.retry_after, self.age = retry_after, age
