"""The errors of greyhub: one small tree, each written for its reader."""

from __future__ import annotations


class GreyHubError(Exception):
    """The root of everything that greyhub raises on purpose."""


class ConfigError(GreyHubError):
    """The configuration cannot work as it is written.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence.
    mend : str
        What to do about it.
    where : str
        The option, file or line that it is about.
    """

    def __init__(self, what: str, *, mend: str = "", where: str = "") -> None:
        self.what, self.mend, self.where = what, mend, where
        super().__init__(what)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.mend:
            lines.append(f"  to mend: {self.mend}")
        return "\n".join(lines)


class ConfigConflict(ConfigError):
    """Two adapters ask for different values of one option."""


class AdapterError(ConfigError):
    """The adapter named in a slot cannot be found, imported or used."""


class NotOnPlatform(GreyHubError):
    """``greyhub.connect()`` was called outside a server of a greyhub."""


class TicketError(GreyHubError):
    """A ticket that this version of greyhub cannot read."""


class SlotEmpty(GreyHubError):
    """The platform fills this slot with nothing that a notebook can use."""


class HomeError(GreyHubError):
    """A home that cannot be made ready or reached."""


class CatalogError(GreyHubError):
    """A catalogue file, or an entry of one, that cannot be read."""
