"""What assets and datastores have in common as datasets of ``hub.data``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from greyhub.data.azureml_assets.listing import AssetListing, Row
from greyhub.data.document import Fault
from greyhub.data.entries import Entry
from greyhub.data.policy import Policy


@dataclass(frozen=True)
class ListedEntry(Entry):
    """One thing that the hub lists of the workspace.

    Parameters
    ----------
    row : mapping
        What the list says of it.
    listing : AssetListing
        Where more is asked for, and what makes URIs places.
    """

    row: Row
    listing: AssetListing

    @property
    def where(self) -> str:
        """The workspace."""
        return self.document.location

    @property
    def description(self) -> str:
        """Its description, on one line."""
        return " ".join(str(self.row["description"]).split())

    @property
    def driver(self) -> str:
        """Its type."""
        return f"azureml:{self.row['type']}"

    @property
    def templated(self) -> Any:
        """Nothing: braces mean nothing in it."""
        return []

    def missing(self, policy: Policy) -> Fault | None:
        """Nothing that is known before it is opened."""
        return None

    def nested(self, policy: Policy) -> str | None:
        """None is a catalogue."""
        return None
