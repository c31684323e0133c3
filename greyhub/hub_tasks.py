"""Tasks that run in the hub's event loop, beside its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

_tasks: set[asyncio.Task[None]] = set()
"""What is going on: a loop holds no task of its own."""


def run_in_hub(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine beside the hub; not where a hub only shows its options."""
    try:
        task = asyncio.get_running_loop().create_task(coroutine)
    except RuntimeError:
        coroutine.close()
        return
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
