"""Await what may be a coroutine or a plain value, as JupyterHub's hooks may return."""

from __future__ import annotations

import inspect
from typing import Any


async def awaited(answer: Any) -> Any:
    """The value, once it is there."""
    return await answer if inspect.isawaitable(answer) else answer
