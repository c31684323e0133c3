"""Errors in the shape of Azure's resource manager."""

from __future__ import annotations

from typing import Any


class ArmError(Exception):
    """A request is refused.

    Parameters
    ----------
    status : int
        The HTTP status.
    code : str
        Azure's word for it.
    message : str
        The words for people.
    headers : mapping
        More headers of the answer.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, code, message, headers)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}

    def __str__(self) -> str:
        return self.message

    def body(self) -> dict[str, Any]:
        """What the answer says."""
        return {"error": {"code": self.code, "message": self.message}}


def not_found(what: str, name: str) -> ArmError:
    """There is no such thing."""
    return ArmError(404, "NotFound", f"The {what} '{name}' was not found.")


def conflict(message: str) -> ArmError:
    """The thing is in a state in which this cannot be done."""
    return ArmError(409, "Conflict", message)


def bad_request(message: str) -> ArmError:
    """The request is not what the official types allow, or asks for what is not there."""
    return ArmError(400, "BadRequest", message)
