"""The way to the cloud: JSON over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any


class Refused(OSError):
    """The cloud says no."""


def ask(method: str, url: str, body: Any = None, timeout: float = 3.0) -> Any:
    """A request to the cloud; raises OSError with its message if it says no."""
    content = json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310
        url, content if body is not None else None, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        message = (json.loads(error.read() or b"{}") or {}).get("message", error.reason)
        raise Refused(error.code, str(message)) from None
