"""The data slot: datasets by name, from Intake catalogues.

The slot's base adapts any catalogue that Intake can open, by path or URL, of
Intake's first or second format; what a notebook gets is a
`greyhub.data.catalog.Catalog` over all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from traitlets import Dict, List, Unicode, Union

from greyhub.adapter import Adapter

if TYPE_CHECKING:
    from greyhub.data.catalog import Catalog


class DataAdapter(Adapter):
    """Fills the slot with Intake catalogues, merged into one."""

    slot = "data"
    modules = ("intake",)
    extra = "greyhub[local]"

    catalogs = Union(
        [List(Unicode()), Dict(value_trait=Unicode(), key_trait=Unicode())],
        help="Catalogues by path or URL. In a list, every entry keeps its own name. In a "
        "mapping, an entry is named after its catalogue too: ``ocean.sst``.",
    ).tag(config=True)

    parameters = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="Values for ``{NAME}`` in the catalogues, so that one catalogue serves every "
        "platform: ``{'ARCHIVE': '/data/era5'}`` here, ``'s3://era5'`` there.",
    ).tag(config=True)

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """The path or URL of a YAML file."""
        suffixes = (".yaml", ".yml")
        return (
            {"catalogs": [value]} if isinstance(value, str) and value.endswith(suffixes) else None
        )

    def sources(self) -> list[tuple[str, str]]:
        """The catalogues as (prefix, location); the prefix is empty in a list."""
        named = (
            self.catalogs.items()
            if isinstance(self.catalogs, dict)
            else (("", location) for location in self.catalogs)
        )
        return [
            (prefix, location if "://" in location else str(self.resolve(location)))
            for prefix, location in named
        ]

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Where the catalogues are, and the platform's parameters."""
        return {"catalogs": self.sources(), "parameters": self.parameters}

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> Catalog:
        """All catalogues as one read-only mapping from name to dataset."""
        from greyhub.data.catalog import open_catalogs

        sources = [(str(prefix), str(location)) for prefix, location in ticket["catalogs"]]
        return open_catalogs(sources, ticket["parameters"])

    def label(self) -> str:
        """How many catalogues there are."""
        count = len(self.catalogs)
        return f"{count} Intake {'catalogue' if count == 1 else 'catalogues'}"
