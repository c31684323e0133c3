"""What greyhub is told: how a user's home is found, on the hub and in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traitlets import Unicode

from greyhub.homespace import HomespaceAdapter

from .filesystem import ToyHome


class ToyHomespace(HomespaceAdapter):
    """Homes on the toy store."""

    distribution = "toyhomespace"

    store = Unicode(help="Where the store is.").tag(config=True)

    token_file = Unicode(
        "~/.toy-token", help="Where a user's server finds the token, which never passes the hub."
    ).tag(config=True)

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Whose home it is, and where."""
        return {"user": spawner.user.name, "url": self.store, "token_file": self.token_file}

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> ToyHome:
        """The home."""
        return ToyHome(**ticket)

    def label(self) -> str:
        """The store."""
        return f"homes on {self.store}"
