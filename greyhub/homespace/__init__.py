"""The homespace slot: an fsspec filesystem rooted at the user's home.

The slot's base adapts any fsspec URL: ``s3://homes/{username}``. The name is
filled in so that no user's name can reach another's home.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from traitlets import Dict, TraitError, Unicode, validate

from greyhub.adapter import Adapter
from greyhub.errors import HomeError
from greyhub.homespace.references import Secrets, check_url
from greyhub.homespace.table import Table
from greyhub.names import filename

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

URL = re.compile(r"^[a-z][a-z0-9+.-]*(::[a-z][a-z0-9+.-]*)*://", re.IGNORECASE)


class HomeAdapter(Adapter):
    """Fills the slot with a fsspec URL for each user."""

    slot = "homespace"

    url = Unicode(
        help="The home's URL; ``{username}`` is replaced by the user's name, made safe.",
    )

    storage_options = Dict(
        help="Options of the URL's filesystem, as plain JSON values. Users can read them, so a "
        'secret stands here as a reference, ``{"env": "NAME"}`` or ``{"file": "/path"}``, which '
        "is read in the user's server: it is the user's credential, never the platform's.",
    ).tag(config=True, seen=True, example={"anon": False})

    @validate("url")
    def _names_the_user(self, proposal: Any) -> str:
        url: str = proposal.value
        if "{username}" not in url:
            raise TraitError(
                f"the home {url!r} would be one for all: put {{username}} where their names go"
            )
        if "?" in url or "#" in url or ".." in url.split("/"):
            raise TraitError(
                f"the home {url!r} holds '?', '#' or '..': names would not be safe there"
            )
        try:
            check_url(url)
        except ValueError as error:
            raise TraitError(str(error)) from None
        return url

    @validate("storage_options")
    def _holds_no_secret(self, proposal: Any) -> Any:
        try:
            Secrets(proposal.value)
        except ValueError as error:
            raise TraitError(str(error)) from None
        return proposal.value

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """A URL of any protocol that fsspec knows."""
        return {"url": value} if isinstance(value, str) and URL.match(value) else None

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """The home's URL for this user, the same for good."""
        name = spawner.user.name
        url = self.url.replace("{username}", filename(name))
        table = Table(self.parent.make_state() / "homes.json")
        url = await asyncio.to_thread(table.remember, name, url)
        return {"url": url, "storage_options": self.storage_options}

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> AbstractFileSystem:
        """A filesystem whose root is the home; the home is made if it is not there."""
        from greyhub.homespace.filesystem import Home

        try:
            home = Home(ticket["url"], {**ticket["storage_options"], **options})
            home.makedirs("", exist_ok=True)
        except ImportError as error:
            raise HomeError(
                f"the home {ticket['url']} needs {error.name or error}, which is not installed.\n"
                "  to mend: pip install 'greyhub[s3]', [azure], [sftp] or [webdav] in this "
                "server's environment, or the package that brings this kind of store"
            ) from error
        return home

    def label(self) -> str:
        """The URL, with the place for the name."""
        return self.url
