"""Why a start failed, in a word that may be counted: never the message, which may name a user."""

from __future__ import annotations

from typing import Any


def failure_reason(error: BaseException) -> str:
    """The word.

    It is the ``kind`` that a Spawner of greyhub gives its error, ``timeout``, the reason of
    JupyterHub's own ``SpawnException``, ``refused`` for another error that is the request's, or
    else the name of the exception's class.
    """
    if kind := getattr(error, "kind", ""):
        return str(kind)
    if isinstance(error, TimeoutError) or getattr(error, "reason", None) == "timeout":
        return "timeout"
    if type(error).__name__ == "SpawnException":
        return str(getattr(error, "reason", "") or "refused")
    status: Any = getattr(error, "status_code", None)
    if isinstance(status, int) and status < 500:
        return "refused"
    return type(error).__name__
