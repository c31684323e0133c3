"""The data assets as the hub lists them to this server; a worker's copy has what was listed."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from greyhub.data.azureml_assets.uris import Blob, URIs
from greyhub.data.document import Fault
from greyhub.data.fetching import FIRST, Unread
from greyhub.hub_api import Answer, NoAnswer, ask, can_ask

PATH: Final = "greyhub/data/azureml"
"""Where in the hub's API assets are asked for."""

Row = Mapping[str, Any]
"""One asset or datastore: its ``name``, ``type``, ``description`` and ``tags``; of an asset the
``latest`` version; of a datastore ``account``, ``container``, ``endpoint`` and ``credentials``."""


class Rows(NamedTuple):
    """What the hub lists."""

    assets: list[Row]
    datastores: list[Row]


class Gone(Unread):
    """An asset that was listed is there no more, or not for users."""


class AssetListing:
    """The assets, by the hub's API, and by which login their data is read.

    Parameters
    ----------
    ticket : mapping
        The adapter's own part of it.
    """

    def __init__(self, ticket: Mapping[str, Any]) -> None:
        self._ticket = ticket
        self._rows, self._tag = Rows([], []), ""
        self.changes = 0
        """How often the rows were others than before."""
        self.stale = ""
        """Why the rows are not those of now, while Azure does not answer the hub."""
        self._known: dict[str, tuple[Row, Mapping[str, Any]]] = {}

    @property
    def workspace(self) -> str:
        """The workspace, for people."""
        return f"Azure ML workspace {str(self._ticket['workspace']).rpartition('/')[2]}"

    @property
    def can_ask(self) -> bool:
        """Whether this process has the hub's token."""
        return can_ask()

    def rows(self, timeout: float) -> Rows:
        """All that the hub lists; it sends it again only if it is other than before."""
        answer = self._ask(PATH, timeout, {"If-None-Match": self._tag} if self._tag else {})
        if answer.status != HTTPStatus.NOT_MODIFIED:
            rows = Rows(list(answer.body["assets"]), list(answer.body["datastores"]))
            self.stale = str(answer.body["stale"])
            self._tag = answer.tag
            if rows != self._rows:
                self._rows, self.changes = rows, self.changes + 1
        return self._rows

    def forget(self) -> None:
        """Ask for the versions of each asset again."""
        self._known.clear()

    def versions(self, row: Row) -> Mapping[str, Any]:
        """The ``versions`` of an asset, the newest first, and the ``datastores`` that they name."""
        name = row["name"]
        known = self._known.get(name)
        if known is None or (known[0] != row and self.can_ask):
            answer = self._ask(f"{PATH}/{quote(name, safe='')}", FIRST)
            known = self._known[name] = row, answer.body
        return known[1]

    def uris(self, datastores: Mapping[str, Mapping[str, Any]]) -> URIs:
        """Where the data of URIs is."""
        ticket = self._ticket
        return URIs(ticket["workspace"], ticket["storage"], ticket["accounts"], datastores)

    def storage_options(self, blob: Blob) -> dict[str, Any]:
        """The options of fsspec's by which a blob is opened with the user's login."""
        from greyhub.credentials import HubCredential

        credential = HubCredential(self._ticket["user"], self._ticket["audience"])
        bundle = {"ca_bundle": self._ticket["ca_bundle"]} if self._ticket["ca_bundle"] else {}
        how = {"use_listings_cache": False}
        return {"account_url": blob.account_url, "credential": credential, **bundle, **how}

    def _ask(self, path: str, timeout: float, headers: Mapping[str, str] | None = None) -> Answer:
        if not self.can_ask:
            raise Unread(
                "this process cannot ask the hub what data assets there are",
                self.workspace,
                "open the dataset in the notebook, and send it from there",
            )
        try:
            answer = ask(path, timeout, headers)
        except NoAnswer as error:
            raise Unread(
                f"the hub does not answer about data assets: {error}",
                self.workspace,
                "try again in a moment",
            ) from None
        if answer.status not in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            raise self._refusal(answer.status, str(answer.body))
        return answer

    def _refusal(self, status: int, told: str) -> Fault:
        """The hub's answer, as it says it."""
        what, _, fix = told.partition("\n  fix: ")
        what = what or f"the hub gives no data assets: status {status}"
        kind = Gone if status == HTTPStatus.NOT_FOUND else Unread
        return kind(what.rstrip("."), self.workspace, fix or "try again in a moment")
