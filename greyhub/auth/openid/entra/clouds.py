"""Microsoft's clouds: where each has its logins and its Graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

PERSONAL: Final = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The directory that Microsoft's personal accounts are of:
https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference"""


@dataclass(frozen=True)
class Cloud:
    """The addresses of one cloud."""

    authority: str
    """Where people log in."""

    graph: str
    """Microsoft Graph."""

    def issuer(self, directory: str) -> str:
        """What the v2.0 endpoints of a directory call themselves."""
        return f"{self.authority}/{directory}/v2.0"


# https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
# https://learn.microsoft.com/graph/deployments
CLOUDS: Final[Mapping[str, Cloud]] = {
    "public": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "usgov": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "china": Cloud(
        "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"
    ),
}
"""Every cloud by its name."""


def cloud_of(value: Any) -> Cloud:
    """A cloud by its name, or by its addresses.

    Raises
    ------
    ValueError
        There is no such cloud, or its addresses are not all there.
    """
    if isinstance(value, Mapping):
        missing = {"authority", "graph"} - value.keys()
        if missing or not all(isinstance(each, str) for each in value.values()):
            raise ValueError(
                "the cloud's addresses are not all said: write "
                '{"authority": "https://…", "graph": "https://…"}'
            )
        return Cloud(value["authority"].rstrip("/"), value["graph"].rstrip("/"))
    if value not in CLOUDS:
        raise ValueError(f"there is no cloud {value!r}: choose one of {', '.join(CLOUDS)}")
    return CLOUDS[value]
