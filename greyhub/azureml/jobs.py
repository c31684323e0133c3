"""The states of a job, and how long it may run.

Source: ``JobStatus`` of the Azure ML REST API, 2025-12-01.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ENDED: Final = frozenset({"Completed", "Failed", "Canceled"})
"""It does not run, and will not."""

ENDING: Final = ENDED | {"CancelRequested"}
"""It does not run, or will not."""

LONGEST: Final = 21 * 86400
"""Seconds for which Azure ML lets a job run, at most."""


def status(job: Mapping[str, Any]) -> str:
    """A job's state; "Unknown" where Azure does not tell."""
    return str((job.get("properties") or {}).get("status") or "Unknown")
