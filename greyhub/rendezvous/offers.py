"""What a Spawner and an agent are told by way of a machine's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from greyhub.errors import GreyHubError


class MachineFailed(GreyHubError):
    """The server does not come up on its machine, and why."""

    @property
    def jupyterhub_message(self) -> str:
        """What JupyterHub shows to the user."""
        return str(self)


class Refused(GreyHubError):
    """An agent is not given what it asks for."""


@dataclass(frozen=True)
class Offer:
    """What the agent starts."""

    environment: Mapping[str, str]
    """The server's environment. A port 0 in ``JUPYTERHUB_SERVICE_URL`` becomes a free one."""

    command: Sequence[str]
    directory: str = ""
    """The working directory; by default, the account's home."""

    account: str = ""
    """Who the server runs as; by default, who the agent runs as."""

    files: Mapping[str, str] = field(default_factory=dict)
    """Names to contents, in the agent's directory ``files``, readable by the server alone."""

    tunnel: str = ""
    """Where the agent dials, if the server is reached by a tunnel."""

    grace: float = 10.0
    """Seconds from the signal to end until the one that kills."""


@dataclass(frozen=True)
class Registration:
    """An agent that has registered."""

    remote: str
    """Where its request came from, as far as the hub can see."""

    machine: Mapping[str, str]
    """What it says of its machine. It may say anything."""
