"""``hub.data`` with the data assets and the datastores of an Azure ML workspace in it."""

from __future__ import annotations

from collections.abc import Sequence

from greyhub.data.azureml_assets.datastore import PREFIX, DatastoreEntry
from greyhub.data.azureml_assets.entry import AssetEntry
from greyhub.data.azureml_assets.listing import AssetListing, Rows
from greyhub.data.catalog import Catalog, UnknownDataset
from greyhub.data.document import Document
from greyhub.data.entries import Entry
from greyhub.data.fetching import AGAIN, FIRST, Reader, Unread
from greyhub.data.loading import Found, Source
from greyhub.data.policy import Policy


class AssetCatalog(Catalog):
    """The data assets and the datastores of a workspace, and the datasets of catalogues.

    ``sst`` and ``sst@latest`` are the latest version of an asset, ``sst@3`` is its version 3.
    ``datastores/lake`` is the datastore ``lake``.
    """

    def __init__(self, sources: Sequence[Source], listing: AssetListing, policy: Policy) -> None:
        self._listing, self._azure = listing, Rows([], [])
        super().__init__(sources, policy)

    def reload(self) -> None:
        """Ask the hub again, now, and read the catalogues again."""
        self._listing.forget()
        self._timeout = FIRST
        try:
            super().reload()
        finally:
            self._timeout = AGAIN

    def _listed(self) -> Sequence[Source]:
        if not self._listing.can_ask and self._read_from:
            return self._read_from  # a worker's copy stays as it was sent
        rows = self._listing.rows(self._timeout)
        if self._listing.stale and self._read_from:
            raise Unread(self._listing.stale, self._listing.workspace, "try again in a moment")
        self._azure = rows
        return [*super()._listed(), ("", f"azureml:{self._listing.changes}")]

    def _read(self, sources: Sequence[Source], reader: Reader) -> Found:
        found = super()._read(sources[:-1], reader)
        document = Document(self._listing.workspace, "", 2, {}, {})
        listing, rows = self._listing, self._azure
        entries: list[Entry] = [
            *(AssetEntry(row["name"], document, "", row, listing) for row in rows.assets),
            *(
                DatastoreEntry(PREFIX + row["name"], document, "", row, listing)
                for row in rows.datastores
            ),
        ]
        for entry in entries:
            if entry.name in found.entries or entry.name in found.broken:
                # Administrators write catalogues, and others make assets: theirs never stand in.
                found.broken[entry.name] = entry.fault(
                    "is also the name of a dataset in a catalogue, which is shown alone",
                    "give that catalogue a prefix: c.AzureMLData.catalogs = {'ocean': …}",
                )
            elif fault := entry.misshapen(self._policy):
                found.broken[entry.name] = fault
            else:
                found.entries[entry.name] = entry
        return found

    def _entry(self, name: str) -> Entry:
        try:
            return super()._entry(name)
        except UnknownDataset:
            asset, version = self._asset(name)
            if asset is None:
                raise
            if (found := asset.of_version(version)) is None:
                known = ", ".join(asset.versions())
                raise UnknownDataset(
                    f"there is no version {version!r} of {asset.name!r}: there are {known}"
                ) from None
            return found

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        asset, version = self._asset(name)
        return asset is not None and asset.of_version(version) is not None

    def _asset(self, name: object) -> tuple[AssetEntry | None, str]:
        """The asset and the version that a name with an ``@`` names."""
        text, _, version = name.rpartition("@") if isinstance(name, str) else ("", "", "")
        found = self._now().entries.get(text)
        return (found if isinstance(found, AssetEntry) else None), version
