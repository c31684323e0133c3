"""Tickets: all that crosses from the hub to the notebook.

A ticket is versioned JSON in one environment variable for each slot. The user
can read it, so it never holds a secret. Servers outlive upgrades of the hub:
a newer greyhub reads the tickets of every older version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from greyhub.errors import TicketError

VERSION = 1


def variable(slot: str) -> str:
    """The environment variable that carries the ticket of a slot."""
    return f"GREYHUB_{slot.upper()}"


@dataclass(frozen=True)
class Ticket:
    """What one slot tells a notebook.

    Parameters
    ----------
    slot : str
        One of the five slots.
    adapter : str
        Import string of the adapter whose ``connect`` reads this ticket.
    data : Mapping[str, Any]
        The adapter's own part, JSON values only.
    label : str
        One line for people: what fills the slot.
    version : int
        The version of this format.
    """

    slot: str
    adapter: str
    data: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    version: int = VERSION

    def dumps(self) -> str:
        """This ticket as one line of JSON."""
        return json.dumps(
            {
                "version": self.version,
                "adapter": self.adapter,
                "label": self.label,
                "data": dict(self.data),
            },
            separators=(",", ":"),
        )

    @classmethod
    def loads(cls, slot: str, text: str) -> Ticket:
        """Read a ticket; `TicketError` says which one cannot be read and why."""
        name = variable(slot)
        try:
            fields = json.loads(text)
            version = fields["version"]
            if not isinstance(version, int) or version < 1:
                raise ValueError(f"version {version!r}")
            if version > VERSION:
                raise TicketError(
                    f"{name} has version {version}; this greyhub reads up to {VERSION}.\n"
                    "  to mend: upgrade greyhub in this environment: pip install -U greyhub"
                )
            return cls(
                slot=slot,
                adapter=fields["adapter"],
                data=fields.get("data", {}),
                label=fields.get("label", ""),
                version=version,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise TicketError(
                f"{name} is not a ticket: {error!r}.\n"
                "  to mend: stop this server and start it again from the hub's page"
            ) from error
