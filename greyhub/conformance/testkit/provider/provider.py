"""The OpenID Connect provider, served in a thread."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from greyhub.conformance.testkit.certificates import Authority
from greyhub.conformance.testkit.provider.accounts import Accounts
from greyhub.conformance.testkit.provider.endpoints import Reply, answer
from greyhub.conformance.testkit.provider.records import Seen
from greyhub.conformance.testkit.provider.server import Server


class Provider(Accounts):
    """An identity provider in a thread of its own; takes what `Accounts` takes.

    Parameters
    ----------
    tls : bool
        Speak TLS, with a certificate of the authority in the file `ca`.
    """

    def __init__(self, *args: Any, tls: bool = False) -> None:
        super().__init__(*args)
        self._folder = tempfile.TemporaryDirectory(prefix="greyhub-provider-")
        authority = Authority(Path(self._folder.name))
        self.ca = authority.ca
        self._server = Server(self, self.answer, authority.serving() if tls else None)
        self.url = self._server.url

    async def answer(self, seen: Seen) -> Reply:
        """The reply to a request."""
        return await answer(self, seen)

    def close(self) -> None:
        """End it."""
        self._server.close()
        self._folder.cleanup()
