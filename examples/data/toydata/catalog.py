"""A user's catalogue: a mapping from name to dataset."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from greyhub.errors import CatalogError

from .client import Client
from .dataset import ToyDataset
from .parameters import chosen

SHOWN = ("name", "description", "container", "parameters", "metadata")


class Unknown(CatalogError, KeyError):
    """There is no such dataset, or not for this user."""

    __str__ = Exception.__str__


class ToyCatalog(Mapping[str, Any]):
    """The datasets that the service shows to a user.

    Parameters
    ----------
    url : str
        Where the service is.
    token_file : str
        Where the user's token is.
    """

    def __init__(self, url: str, token_file: str) -> None:
        self.client = Client(url, token_file)
        self.entries = self.fetch()

    def fetch(self) -> dict[str, dict[str, Any]]:
        """The catalogue as it is now, in one answer."""
        found: dict[str, dict[str, Any]] = self.client.json("catalog")
        return found

    def reload(self) -> None:
        """Look again; what is open stays what it was."""
        self.entries = self.fetch()

    def entry(self, name: Any) -> dict[str, Any]:
        """What the service says of a dataset."""
        if not isinstance(name, str) or name not in self.entries:
            raise Unknown(f"there is no dataset {name!r}")
        return self.entries[name]

    def open(self, name: Any, /, **parameters: Any) -> ToyDataset:
        """A dataset, with values for its parameters; nothing of it is read yet."""
        entry = self.entry(name)
        values = chosen(entry["parameters"], parameters)
        place = entry["place"]
        for key, value in values.items():
            place = place.replace(f"{{{key}}}", str(value))
        return ToyDataset(self.client, name, entry["id"], entry["container"], place)

    def describe(self, name: str) -> dict[str, Any]:
        """What is known of a dataset, as JSON values."""
        entry = self.entry(name)
        return copy.deepcopy({key: entry[key] for key in SHOWN})

    def export(self) -> dict[str, Any]:
        """All that is known of all, as JSON values."""
        return copy.deepcopy(self.entries)

    def __getitem__(self, name: Any) -> ToyDataset:
        return self.open(name)

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"<{len(self)} datasets: {', '.join(self)}>"
