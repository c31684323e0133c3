"""Say in words what happens to a pod that starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORDS: Mapping[str, str] = {
    "Scheduled": "There is room for the server.",
    "Pulling": "Fetching the server's image…",
    "Pulled": "The server's image is there.",
    "Created": "The server's container is made.",
    "Started": "The server starts…",
    "SuccessfulAttachVolume": "The home's volume is there.",
    "FailedScheduling": "Waiting for room: {message}",
    "TriggeredScaleUp": "A new node comes for the server: this takes minutes.",
    "Killing": "An earlier server ends.",
}


def words(event: Mapping[str, Any]) -> str:
    """One line about an event of Kubernetes, for the page that shows a start."""
    message = str(event.get("message") or event.get("reason") or "")
    return WORDS.get(str(event.get("reason")), "{message}").format(message=message)
