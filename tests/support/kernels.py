"""What a kernel is asked by its WebSocket."""

from __future__ import annotations

from typing import Any
from uuid import uuid4


def execute_request(code: str) -> dict[str, Any]:
    """Jupyter's message that has a kernel run code."""
    return {
        "header": {
            "msg_id": uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": uuid4().hex,
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False},
        "channel": "shell",
    }
