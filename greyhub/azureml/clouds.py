"""The endpoints of Azure's clouds.

Source: the lists of endpoints that Microsoft publishes for Azure, for Azure operated
by 21Vianet in China, and for Azure Government.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit


class Cloud(NamedTuple):
    """Where one of Azure's clouds is asked."""

    resource_manager: str
    """Azure Resource Manager, by which everything is made."""

    authority: str
    """Entra ID, which gives tokens."""

    storage: str
    """What the names of storage accounts end in."""

    @property
    def scope(self) -> str:
        """What a token is asked for, so that Azure Resource Manager takes it."""
        return f"{self.resource_manager}/.default"

    def owns(self, url: str) -> bool:
        """Whether a URL is the resource manager's: a token may be sent there."""
        told, own = urlsplit(url), urlsplit(self.resource_manager)
        host, base = told.hostname or "", own.hostname or ""
        same = told.scheme == "https" and (told.port or 443) == (own.port or 443)
        return same and (host == base or host.endswith(f".{base}"))


CLOUDS: Final[Mapping[str, Cloud]] = {
    "public": Cloud(
        "https://management.azure.com",
        "https://login.microsoftonline.com",
        "core.windows.net",
    ),
    "china": Cloud(
        "https://management.chinacloudapi.cn",
        "https://login.chinacloudapi.cn",
        "core.chinacloudapi.cn",
    ),
    "usgov": Cloud(
        "https://management.usgovcloudapi.net",
        "https://login.microsoftonline.us",
        "core.usgovcloudapi.net",
    ),
}

NEEDED: Final = ("resource_manager", "authority")
"""The endpoints that a cloud of another name must have."""


def cloud_of(value: str | Mapping[str, str]) -> Cloud:
    """The cloud of this name, or with these endpoints.

    Raises
    ------
    ValueError
        There is none of this name, an endpoint is missing, or is no https URL.
    """
    if isinstance(value, str):
        if value not in CLOUDS:
            raise ValueError(
                f"there is no cloud {value!r}: write one of {', '.join(CLOUDS)}, or its endpoints"
            )
        return CLOUDS[value]
    if unknown := set(value) - set(Cloud._fields):
        raise ValueError(f"a cloud has no endpoint {', '.join(sorted(unknown))}")
    for name in NEEDED:
        if urlsplit(value.get(name, "")).scheme != "https":
            raise ValueError(f"the endpoint {name} is no https URL")
    return Cloud(
        value["resource_manager"].rstrip("/"),
        value["authority"].rstrip("/"),
        value.get("storage", CLOUDS["public"].storage),
    )
