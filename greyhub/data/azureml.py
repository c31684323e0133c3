"""The data assets and datastores of an Azure ML workspace, read with each user's own rights.

The hub lists them, and a server asks the hub. If the notebook asked Azure itself, it would
hold a token by which its code could do all that its user may do in Azure; of the hub it
learns no more than names, which every reader of the workspace sees. The data is read by a
token for storage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Dict, Float, List, TraitError, Unicode, validate

from greyhub.adapter import Contribution, Finding
from greyhub.azureml.storage import is_account_url
from greyhub.data import DataAdapter
from greyhub.data.policy import Policy
from greyhub.imports import import_object

if TYPE_CHECKING:
    from greyhub.azureml.settings import AzureML
    from greyhub.data.catalog import Catalog


class AzureMLData(DataAdapter):
    """Fills the slot with the assets and datastores of a workspace, and catalogues beside them."""

    modules: ClassVar[Sequence[str]] = (
        *DataAdapter.modules, "azure.mgmt.core", "azure.identity", "aiohttp",
    )  # fmt: skip
    extra = "greyhub[azureml]"
    reads = ("greyhub.azureml.settings.AzureML",)

    assets = List(
        Unicode(),
        help="Which data assets users see, by their names, as in ``sst-*``; ``*`` is all. Names, "
        "descriptions, tags, properties and URIs of these are shown to every user of the hub. "
        "Their data is read with each user's own rights.",
    ).tag(config=True, required=True, example=["*"])

    datastores = List(
        Unicode(),
        help="Which datastores users see beside the assets, as ``datastores/NAME``; ``*`` is "
        "all. Names, descriptions, tags, accounts and containers of these are shown to "
        "every user of the hub. Their data is read with each user's own rights, and never with a "
        "datastore's own key or signature.",
    ).tag(config=True, example=["*"])

    audience = Unicode(
        "storage",
        help="By which of ``c.AuthAdapter.audiences`` servers get tokens for storage accounts.",
    ).tag(config=True)

    account_urls = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="Addresses of storage accounts, by their names, where they are not the usual "
        "``https://NAME.blob.…`` of the workspace's cloud. Users' tokens are sent there.",
    ).tag(config=True, example={"science": "https://science.blob.internal.example.org"})

    ca_bundle = Unicode(
        help="A file of certificates that vouch for storage accounts', in place of the system's: "
        "at this path where servers run.",
    ).tag(config=True, example="/etc/ssl/certs/science.pem")

    refresh = Float(
        60.0,
        min=0.0,
        help="Seconds for which one list of Azure's serves all users: a new asset or version may "
        "take so long to be seen.",
    ).tag(config=True)

    @validate("account_urls")
    def _are_addresses(self, proposal: Any) -> Any:
        for name, url in proposal.value.items():
            if not is_account_url(url):
                raise TraitError(
                    f"{url!r} is no address of the account {name}, such as https://{name}.blob.…"
                )
        return {name: url.rstrip("/") for name, url in proposal.value.items()}

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a catalogue's path is the base class's."""
        return None

    @property
    def settings(self) -> AzureML:
        """The workspace."""
        from greyhub.azureml.settings import AzureML

        return AzureML(config=self.config)

    def contribute(self) -> Contribution:
        """As of any catalogues.

        Raises
        ------
        greyhub.errors.ConfigError
            The workspace cannot be asked, or servers would get no tokens for storage.
        """
        from greyhub.azureml.storage_login import check_audience

        self.settings.check()
        check_audience(self, self.audience, "data assets")
        return super().contribute()

    def listing(self) -> Any:
        """What the hub answers servers."""
        from greyhub.azureml.data_listing import DataListing

        return DataListing(self.settings, self.assets, self.refresh, self.datastores)

    def hub_starts(self, app: Any) -> None:
        """Answer servers that ask what assets there are."""
        from greyhub.data.azureml_assets.listing import PATH

        # By their names: this module is the notebook's, too, and the handlers are JupyterHub's.
        attach = import_object("greyhub.azureml.data_handler:attach")
        attach(app, PATH, self.listing(), import_object("greyhub.auth.credentials.handler:SCOPE"))
        super().hub_starts(app)

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Where the assets are asked for, and by which login their data is read."""
        settings = self.settings
        return {
            **await super().ticket(spawner),
            "user": spawner.user.name,
            "audience": self.audience,
            "workspace": settings.scope,
            "storage": settings.endpoints.storage,
            "accounts": self.account_urls,
            "ca_bundle": str(self.resolve(self.ca_bundle)) if self.ca_bundle else "",
        }

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> Catalog:
        """The assets and the datasets of catalogues as one read-only mapping."""
        from greyhub.data.azureml_assets.catalog import AssetCatalog
        from greyhub.data.azureml_assets.listing import AssetListing

        sources = [(str(prefix), str(location)) for prefix, location in ticket["catalogs"]]
        policy = Policy.of_ticket(ticket, cls.__name__)
        return AssetCatalog(sources, AssetListing(ticket), policy)

    async def check(self) -> Sequence[Finding]:
        """Is the workspace there, may the hub list its assets, and are the catalogues right?"""
        from greyhub.azureml.live_check import DATA, workspace

        found = await workspace(self.settings, DATA, "list data assets")
        return [*found, *await super().check()]

    def label(self) -> str:
        """The workspace, and the catalogues beside it."""
        beside = f", and {super().label()}" if self.catalogs else ""
        what = "data assets and datastores" if self.datastores else "data assets"
        return f"{what} of {self.settings.workspace}, by users' own rights{beside}"
