"""The audiences that an administrator has named, and who may have what for them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from greyhub.auth.credentials import CredentialSource
from greyhub.class_names import made_from
from greyhub.errors import ConfigError, CredentialRefused
from greyhub.imports import import_object, points

SOURCES: Final = "greyhub.credentials"
"""The group of entry points of sources."""

NAME: Final = re.compile(r"[A-Za-z0-9][\w.:@~+-]*")
"""What an audience may be called: it stands in an address."""


@dataclass(frozen=True)
class Audience:
    """One audience: where its credentials come from, and the groups that may have them."""

    source: CredentialSource
    groups: Collection[str] | None = None
    """Any of these; None for every user."""


def read(given: Mapping[str, Any], authenticator: type, where: str) -> dict[str, Audience]:
    """The audiences that an option names.

    Parameters
    ----------
    given : mapping
        By audience, ``source``, ``groups`` and the options of the source.
    authenticator : type
        The Authenticator class of the hub.
    where : str
        The option, for errors.

    Raises
    ------
    greyhub.errors.ConfigError
        One of them cannot be: says which, and why.
    """
    found = {}
    for name, options in given.items():
        try:
            found[name] = _audience(name, options, authenticator)
        except ConfigError as wrong:
            raise ConfigError(f"{name!r}: {wrong.what}", where=where, fix=wrong.fix) from None
    return found


def _audience(name: object, given: object, authenticator: type) -> Audience:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(
            "an audience cannot be called so", fix="use letters, digits and . : @ ~ + - _"
        )
    if not isinstance(given, Mapping):
        raise ConfigError(
            "this says nothing of a source", fix='write {"source": …} and its options'
        )
    options = dict(given)
    groups = options.pop("groups", None)
    if groups is not None and (
        not isinstance(groups, list | tuple | set | frozenset)
        or not all(isinstance(each, str) for each in groups)
    ):
        raise ConfigError("groups is no list of names", fix='write such as "groups": ["staff"]')
    source = _source(options.pop("source", "oidc"))
    needed = getattr(source, "authenticator", "")
    if needed and not made_from(authenticator, needed):
        raise ConfigError(
            f"its source needs logins by {needed}, and these are by {authenticator.__name__}",
            fix='set c.GreyHub.auth = "oidc", or choose another source',
        )
    try:
        made: CredentialSource = source(**options)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            str(error).replace(f"{source.__name__}.__init__() ", ""),
            fix="look at the options of this source",
        ) from None
    return Audience(made, None if groups is None else frozenset(groups))


def _source(value: object) -> Any:
    """The class of a source, by its name, its import string or itself."""
    if not isinstance(value, str):
        if callable(value):
            return value
        raise ConfigError("source is no name of one", fix="write such as 'oidc'")
    installed = {point.name: point for point in points(SOURCES)}
    try:
        if value in installed:
            return installed[value].load()
        if "." in value or ":" in value:
            return import_object(value)
    except Exception as error:
        raise ConfigError(
            f"the source {value!r} cannot be imported: {error}", fix="install what brings it"
        ) from error
    raise ConfigError(
        f"there is no source {value!r}",
        fix=f"choose one of: {', '.join(sorted(installed))}, or an import string",
    )


def allowed(audiences: Mapping[str, Audience], user: Any, name: str) -> Audience:
    """The audience of this name, if the user may have credentials for it.

    Raises
    ------
    greyhub.errors.CredentialRefused
        There is none, or not for this user.
    """
    mine = {group.name for group in user.groups}
    may = [each for each, one in audiences.items() if one.groups is None or mine & set(one.groups)]
    if name in may:
        return audiences[name]
    have = f"you can have some for {', '.join(sorted(may))}; " if may else ""
    if name in audiences:
        raise CredentialRefused(
            f"credentials for {name!r} are for members of some groups, and {user.name} is in none "
            f"of these\n  fix: {have}or ask the hub's administrator"
        )
    raise CredentialRefused(
        f"this hub gives no credentials for {name!r}\n"
        f"  fix: {have}its administrator can name others in c.AuthAdapter.audiences"
    )
