"""The homespace slot: an fsspec filesystem rooted at the user's home.

The slot's base adapts any fsspec URL: ``s3://homes/{username}``. The name is
filled in so that no user's name can reach another's home.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from traitlets import Dict, TraitError, Unicode, validate

from greyhub.adapter import Adapter
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
        help="Options of the URL's filesystem, as plain JSON values. Users can read them: "
        "no secret belongs here.",
    ).tag(config=True, seen=True, example={"anon": False})

    @validate("url")
    def _names_the_user(self, proposal: Any) -> str:
        url: str = proposal.value
        if "{username}" not in url:
            raise TraitError(
                f"the home {url!r} would be one for all: put {{username}} where their names go"
            )
        return url

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """A URL of any protocol that fsspec knows."""
        return {"url": value} if isinstance(value, str) and URL.match(value) else None

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """The home's URL for this user."""
        url = self.url.replace("{username}", filename(spawner.user.name))
        return {"url": url, "storage_options": self.storage_options}

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> AbstractFileSystem:
        """A filesystem whose root is the home; the home is made if it is not there."""
        from fsspec.core import url_to_fs
        from fsspec.implementations.dirfs import DirFileSystem

        filesystem, path = url_to_fs(ticket["url"], **{**ticket["storage_options"], **options})
        filesystem.makedirs(path, exist_ok=True)
        return DirFileSystem(path=path, fs=filesystem)

    def label(self) -> str:
        """The URL, with the place for the name."""
        return self.url
