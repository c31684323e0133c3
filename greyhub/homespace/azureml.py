"""Homes on Azure Blob Storage or Data Lake Storage, with each user's own rights.

Neither the hub nor a server has an account key. A server asks the hub for its user's tokens
(`greyhub.credentials`) as long as it runs; what the hub does itself, it does by its own login.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from traitlets import Bool, Dict, TraitError, Unicode, default, validate

from greyhub.adapter import Contribution, Finding
from greyhub.azureml.storage import CONTAINER, is_account_url
from greyhub.azureml.storage_login import check_audience
from greyhub.errors import HomeError
from greyhub.homespace.adapter import HomespaceAdapter
from greyhub.homespace.azure_directories import make_home
from greyhub.homespace.secret_references import Secrets
from greyhub.names import filename, short_id
from greyhub.secret_references import HubReference
from greyhub.secrets import StorageOptions

HERE: Final = "{username}"
READABLE: Final = 20
"""Letters of a user's name in the name of their container; a digest makes it theirs alone."""


def container_part(username: str) -> str:
    """What stands for a user in a container's name: the same for good, and no one else's."""
    word = re.sub(r"[^a-z0-9]+", "-", username.lower())[:READABLE].strip("-")
    return f"{word}-{short_id(username, length=16)}".lstrip("-")


def directory(username: str) -> str:
    """The directory of a user: Azure drops a dot at a name's end."""
    name = filename(username)
    return f"{name[:-1]}%2E" if name.endswith(".") else name


class AzureMLHomespace(HomespaceAdapter):
    """A container or a directory of a storage account for each user."""

    modules = ("adlfs", "azure.identity", "aiohttp")
    extra = "greyhub[azureml]"

    # The user's own rights, and nothing else: there is nothing to be said here.
    storage_options = Dict()

    account_url = Unicode(
        help="The storage account, by the address that its page calls Blob service; in a national "
        "cloud, the address has that cloud's name.",
    ).tag(config=True, required=True, example="https://science.blob.core.windows.net")

    container = Unicode(
        "homes",
        help="The container in which each user has a directory. With ``{username}`` in it, each "
        "user has a container: what stands there instead is made of the name and a digest of it.",
    ).tag(config=True, example="home-{username}")

    hierarchical = Bool(
        help="The account has a hierarchical namespace (Data Lake Storage Gen2), so that access "
        "control lists of directories say whose they are.",
    ).tag(config=True)

    audience = Unicode(
        "storage",
        help="The audience of ``c.AuthAdapter.audiences`` by which servers get tokens for the "
        "account.",
    ).tag(config=True)

    make = Bool(
        help="Before a server starts, the hub makes the container and, on a hierarchical account, "
        "the user's directory, with an access control list for them. Its own login needs the role "
        "Storage Blob Data Owner. Without it, the administrator makes them beforehand.",
    ).tag(config=True)

    owner_claim = Unicode(
        "oid",
        help="With ``make`` on a hierarchical account: the claim of a user's login that is their "
        "object id in the account's tenant.",
    ).tag(config=True)

    hub_options = StorageOptions(
        help="Options of adlfs for what is done by the hub itself, or by ``greyhub home``: "
        "``make``, ``deletion``, copies. Without any, azure-identity finds a login: of variables, "
        "a workload or managed identity, or of ``az login``. No server sees them.",
    ).tag(
        config=True,
        example={"tenant_id": "…", "client_id": "…", "client_secret": {"env": "HUB_SECRET"}},
    )

    ca_bundle = Unicode(
        help="A file of certificates that vouch for the account's, in place of the system's: at "
        "this path where the hub runs, and where servers do.",
    ).tag(config=True, example="/etc/ssl/certs/science.pem")

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a URL is the base class's."""
        return None

    @default("url")
    def _of_the_account(self) -> str:
        return f"abfs://{self.container}/{HERE}"

    @validate("account_url")
    def _is_an_address(self, proposal: Any) -> str:
        url = str(proposal.value).rstrip("/")
        if not is_account_url(url):
            raise TraitError(f"{url!r} is no address of an account, such as https://NAME.blob.…")
        if ".dfs." in (urlsplit(url).hostname or ""):
            raise TraitError(f"{url!r} is for directories: give the address with .blob. in it")
        return url

    @validate("container")
    def _can_be_one(self, proposal: Any) -> str:
        name = str(proposal.value)
        longest = name.replace(HERE, container_part("x" * READABLE))
        if name.count(HERE) > 1 or not CONTAINER.fullmatch(longest):
            raise TraitError(
                f"{name!r} cannot name containers: small letters, digits and single hyphens, 3 to "
                f"63 in all, of which {HERE} takes 37"
            )
        return name

    def contribute(self) -> Contribution:
        """As any home on a store.

        Raises
        ------
        greyhub.errors.ConfigError
            Servers would get no tokens for the account.
        """
        check_audience(self, self.audience, "homes")
        return super().contribute()

    @property
    def _account(self) -> dict[str, Any]:
        bundle = {"ca_bundle": str(self.resolve(self.ca_bundle))} if self.ca_bundle else {}
        return {"account_url": self.account_url, **bundle}

    @property
    def own_options(self) -> Mapping[str, Any]:
        """The account, by the hub's own login."""
        return {**self._account, **self.hub_options}

    def options_of(self, username: str) -> Mapping[str, Any]:
        """The account, by what the hub gives this user's servers."""
        return {**self._account, "credential": HubReference(self.audience, username).mapping}

    def container_of(self, username: str) -> str:
        """The container that a user's home is in."""
        return self.container.replace(HERE, container_part(username))

    def home_of(self, username: str, *, remembered: bool = True) -> str:
        """The URL of a user's home: the one that is remembered, or what it would be now."""
        known = self.registry.read() if remembered else {}
        own = f"abfs://{self.container_of(username)}/{directory(username)}"
        return known.get(username) or own

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """The home's URL, and by which audience its server gets tokens.

        Raises
        ------
        greyhub.errors.HomeError
            The user's login has ended, or the home could not be made.
        """
        state = await self._login(spawner.user)
        if "access_token" in state and not state["access_token"]:
            raise HomeError(
                f"the home of {spawner.user.name} is opened by their login, which has ended\n"
                "  fix: log in again on the hub's page"
            )
        ticket = await super().ticket(spawner)
        if not ticket["url"].startswith("abfs://"):
            raise HomeError(
                f"the home of {spawner.user.name} is {ticket['url']}, and not in {self.account_url}"
                "\n  fix: copy it, with greyhub home copy --switch, or set c.GreyHub.homespace as "
                "it was"
            )
        if self.make:
            container, _, path = ticket["url"].removeprefix("abfs://").partition("/")
            owner = self._owner(spawner.user.name, state) if self.hierarchical else ""
            await make_home(Secrets(self.own_options).read(), container, path, owner)
        return ticket

    @staticmethod
    async def _login(user: Any) -> Mapping[str, Any]:
        """What the hub keeps of a user's login."""
        asked = getattr(user, "get_auth_state", None)
        return (await asked() if asked else None) or {}

    def _owner(self, username: str, state: Mapping[str, Any]) -> str:
        owner = str((state.get("id_token_claims") or {}).get(self.owner_claim) or "")
        if not re.fullmatch(r"[0-9a-fA-F-]{36}", owner):
            raise HomeError(
                f"the login of {username} says no object id in {self.owner_claim!r}, so the hub "
                "cannot give them a directory\n"
                "  fix: log in again; if that does not help, the administrator names another "
                "c.AzureMLHomespace.owner_claim, or makes the directory by hand"
            )
        return owner

    async def check(self) -> Sequence[Finding]:
        """Does the account answer, is its certificate trusted, do the clocks agree?"""
        from greyhub.homespace.azure_check import account, versions

        return [*versions(), *self._shared(), *await account(self._account)]

    def _shared(self) -> Iterator[Finding]:
        if not self.hierarchical and HERE not in self.container:
            yield Finding(
                "warning",
                "all homes are in one container without access control lists: whoever has a role "
                "on the container reads all of them, unless each assignment has a condition",
                "put {username} into c.AzureMLHomespace.container, or use a hierarchical account",
                option="c.AzureMLHomespace.container",
            )

    def label(self) -> str:
        """The account and the container."""
        kind = "Data Lake Storage" if self.hierarchical else "Blob Storage"
        return f"{kind}, {urlsplit(self.account_url).hostname}: {self.url}, by users' own rights"
