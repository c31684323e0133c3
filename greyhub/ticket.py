"""Tickets: what the hub tells a user's server, one for each slot.

A ticket is versioned JSON in one environment variable for each slot, written as one
word of base64url, since spawners format, quote and split an environment on its way.
The user can read it, with ``python -m greyhub.ticket``, so it never holds a secret.
Servers outlive upgrades of the hub: a newer greyhub reads the tickets of every older
version.
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from greyhub.errors import TicketError

VERSION = 1

_BEGINNINGS = ("{", "eyJ")
"""Of a ticket, as JSON and in base64."""


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
        """This ticket as one word of letters, digits, ``-`` and ``_``: JSON in base64url.

        Nothing else comes through every spawner: KubeSpawner formats what has braces,
        ``sbatch --export`` splits at commas, unit files expand percent signs.
        """
        fields = {
            "version": self.version,
            "adapter": self.adapter,
            "label": self.label,
            "data": dict(self.data),
        }
        text = json.dumps(fields, separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def loads(cls, slot: str, text: str) -> Ticket:
        """Read a ticket; `greyhub.errors.TicketError` says which one cannot be read and why."""
        name = variable(slot)
        try:
            fields = json.loads(_json(text))
            version = fields["version"]
            if not isinstance(version, int) or version < 1:
                raise ValueError(f"version {version!r}")
            if version > VERSION:
                raise TicketError(
                    f"{name} has version {version}; this greyhub reads up to {VERSION}.\n"
                    "  fix: upgrade greyhub in this environment: pip install -U greyhub"
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
                "  fix: stop this server and start it again from the hub's page"
            ) from error


def _json(text: str) -> str:
    """The JSON of a ticket; the first ones were JSON as it is."""
    if not text or text.startswith("{"):
        return text
    return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def main() -> None:
    """Print the tickets of this environment, for people."""
    prefix = variable("")
    for name, text in sorted(os.environ.items()):
        if name.startswith(prefix) and text.startswith(_BEGINNINGS):
            slot = name.removeprefix(prefix).lower()
            ticket = Ticket.loads(slot, text)
            print(f"{slot}: {ticket.label}\n  {ticket.adapter}")
            print(f"  {json.dumps(dict(ticket.data), indent=2, ensure_ascii=False)}")


if __name__ == "__main__":
    main()
