"""The exceptions that greyhub raises."""

from __future__ import annotations

import warnings
from collections.abc import Sequence


def warn_renamed(old: str, new: str) -> None:
    """Warn that a name is another one now; the old one works in this version still."""
    warnings.warn(f"{old} is called {new} now", DeprecationWarning, stacklevel=4)


class GreyHubError(Exception):
    """The root of everything that greyhub raises on purpose."""


class ConfigError(GreyHubError):
    """The configuration cannot work as it is written.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence.
    fix : str
        What to do about it.
    where : str
        The option, file or line that it is about.
    """

    def __init__(self, what: str, *, fix: str = "", where: str = "", mend: str = "") -> None:
        if mend:
            warn_renamed("mend", "fix")
            fix = mend
        self.what, self.fix, self.where = what, fix, where
        super().__init__(what)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


class ConfigErrors(ConfigError):
    """Everything that keeps a configuration from working, at once.

    Parameters
    ----------
    findings : sequence
        What was found, each for people as its ``str``.
    """

    def __init__(self, findings: Sequence[object]) -> None:
        self.findings = findings
        count = len(findings)
        super().__init__(
            "one thing is wrong with the configuration"
            if count == 1
            else f"{count} things are wrong with the configuration"
        )

    def __str__(self) -> str:
        return "\n\n".join([f"{self.what}; nothing was started", *map(str, self.findings)])


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


class ClusterError(GreyHubError):
    """A cluster cannot be started from where it was asked for."""


class HomeError(GreyHubError):
    """A home that cannot be made ready or reached."""


class CatalogError(GreyHubError):
    """A catalogue file, or an entry of one, that cannot be read."""


class CredentialError(GreyHubError):
    """A credential that cannot be had, or that has ended."""


class CredentialRefused(CredentialError):
    """There is no such credential, or not for this user."""


class CredentialUnavailable(CredentialError):
    """It is not known whether there is one: who would give it does not answer."""
