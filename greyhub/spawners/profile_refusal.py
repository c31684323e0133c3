"""Refuse a start for which no Spawner is to blame."""

from __future__ import annotations

from typing import Any


def refusal(status: int, words: str) -> Exception:
    """The error of a start that is refused, for which no Spawner is to blame."""
    import jupyterhub.spawner

    from greyhub.spawners.failed import ServerRefused

    words = f"{words[0].upper()}{words[1:]}."
    if _counts_refusals():
        return ServerRefused(words, status, kind="profile")
    error: Any = jupyterhub.spawner.SpawnException(words, reason="profile", status_code=status)
    error.jupyterhub_message = words
    refused: Exception = error
    return refused


def count_no_failure(spawner: Any) -> None:
    """JupyterHub 5 ends itself after some failures in a row, and would count this as one."""
    if _counts_refusals() and spawner.handler:
        settings = spawner.handler.settings
        settings["failure_count"] = settings.get("failure_count", 0) - 1


def _counts_refusals() -> bool:
    import jupyterhub.spawner

    return not hasattr(jupyterhub.spawner, "SpawnException")
