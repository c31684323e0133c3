"""What greyhub is told: where the service is, on the hub and in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from traitlets import Unicode

from greyhub.adapter import Contribution, Finding
from greyhub.data import DataAdapter

from .catalog import ToyCatalog


class ToyData(DataAdapter):
    """Datasets of the toy service."""

    distribution = "toydata"
    modules = ()
    extra = "toydata"

    service = Unicode(help="Where the service is.").tag(config=True, seen=True)

    token_file = Unicode(
        "~/.toy-token", help="Where a user's server finds the token, which never passes the hub."
    ).tag(config=True)

    def contribute(self) -> Contribution:
        """Nothing: the service is asked when a notebook asks."""
        return Contribution()

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Where the service is, and where the token."""
        return {"url": self.service, "token_file": self.token_file}

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> Any:
        """The user's catalogue."""
        return ToyCatalog(**ticket)

    async def check(self) -> Sequence[Finding]:
        """Nothing that the hub could know: it has no token."""
        return ()

    def label(self) -> str:
        """The service."""
        return f"datasets of {self.service}"
