"""The way to the service: one request a call, with the user's token."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greyhub.errors import CatalogError


@dataclass(frozen=True)
class Client:
    """Where the service is, and where the token: both can be pickled, the token is not."""

    url: str
    token_file: str

    def get(self, path: str) -> bytes:
        """What is at a path.

        Raises
        ------
        PermissionError, FileNotFoundError
            The service says so.
        CatalogError
            It cannot be reached, or its answer breaks off.
        """
        token = Path(self.token_file).expanduser().read_text()
        headers = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"{self.url}/{path}", headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                found: bytes = answer.read()
                return found
        except urllib.error.HTTPError as error:
            kind = {401: PermissionError, 403: PermissionError, 404: FileNotFoundError}
            raise kind.get(error.code, CatalogError)(f"{path}: {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            raise CatalogError(f"{path}: the service does not answer: {error}") from None

    def json(self, path: str) -> Any:
        """What is at a path, as JSON."""
        return json.loads(self.get(path))
