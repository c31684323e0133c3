"""The store's API as this adapter uses it: patient, and with errors that a file system has."""

from __future__ import annotations

import errno
import http.client
import json
import os
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

TRANSIENT = (429, 500, 502, 503, 504)
"""Answers after which the same request may succeed."""

TRIES, PAUSE = 5, 0.01


class Client:
    """Asks the store.

    Parameters
    ----------
    url : str
        Where it is.
    token_file : str
        Where the user's token stands. It is read for each request: it may be renewed.
    """

    def __init__(self, url: str, token_file: str) -> None:
        self.url, self.token_file = urlsplit(url), token_file

    def ask(self, method: str, key: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Ask until there is an answer, and return its status and body.

        Raises
        ------
        OSError
            The store refuses, has no such file, or gives no answer.
        """
        problem = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(PAUSE * 2**attempt)
            try:
                status, content = self.once(method, key, body, headers)
            except (OSError, http.client.HTTPException) as error:
                problem = f"no answer: {type(error).__name__}"
                continue
            if status not in TRANSIENT:
                return self.understood(status, key), content
            problem = f"status {status}"
        raise OSError(errno.EIO, f"the store is away ({problem})", key)

    def once(
        self, method: str, key: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        """One request."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.url.netloc, timeout=10)
        try:
            connection.request(
                method, key, body, {**sent, "Authorization": f"Bearer {self.token()}"}
            )
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def token(self) -> str:
        """The token as it is now."""
        return Path(self.token_file).expanduser().read_text().strip()

    def understood(self, status: int, key: str) -> int:
        """The status, unless it is an error."""
        if status in (401, 403):
            raise PermissionError(errno.EACCES, f"the store answered {status}", key)
        if status == 404:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), key)
        if status >= 400 and status != 412:
            raise OSError(errno.EIO, f"the store answered {status}", key)
        return status

    def list(self, prefix: str) -> list[dict[str, Any]]:
        """Every file whose key begins so."""
        _, answer = self.ask("GET", f"/?{urlencode({'prefix': prefix})}")
        found: list[dict[str, Any]] = json.loads(answer)
        return found

    def get(self, key: str) -> bytes:
        """A file's content."""
        return self.ask("GET", f"/{quote(key)}")[1]

    def put(self, key: str, content: bytes, *, new: bool = False, over: str | None = None) -> bool:
        """Put a whole file, under a condition; whether it held."""
        version = uuid.uuid4().hex
        condition = {"If_None_Match": "*"} if new else {"If_Match": over} if over else {}
        status, _ = self.ask("PUT", f"/{quote(key)}", content, Version=version, **condition)
        # If the answer to a first request was lost, the second finds its own work.
        return status != 412 or any(each["version"] == version for each in self.list(key))

    def copy(self, source: str, target: str) -> None:
        """Copy a file."""
        where = f"/{quote(target)}?{urlencode({'from': source})}"
        self.ask("POST", where, Version=uuid.uuid4().hex)

    def delete(self, key: str) -> None:
        """Remove a file."""
        self.ask("DELETE", f"/{quote(key)}")
