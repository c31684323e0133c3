"""What is wrong with the options of Entra, before a hub starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from greyhub.auth.openid.entra.authenticator import ID, EntraAuthenticator
from greyhub.auth.openid.http import is_safe
from greyhub.errors import ConfigError

PROOFS: Final = ("client_secret", "client_certificate", "federated_token_file")
"""Options by which the hub proves who it is: one of them."""

OPENID: Final = frozenset({"openid", "profile", "email", "offline_access"})
"""Scopes that are of no resource."""


def problems(made: EntraAuthenticator) -> Iterator[ConfigError]:
    """What no login would work with, or with what it would be the wrong one."""
    own = made.option
    try:
        cloud = made.at
    except ValueError as error:
        what, _, fix = str(error).partition(": ")
        yield ConfigError(what, where=own("cloud"), fix=fix)
        return
    if not made.tenants:
        yield ConfigError(
            "no directory is named",
            where=own("tenant"),
            fix="set it to the directory's id, which its overview page shows as Tenant ID",
        )
    for name, given in (("tenant", [made.tenant]), ("allowed_tenants", made.allowed_tenants)):
        for each in filter(None, given):
            if not ID.fullmatch(each):
                yield ConfigError(
                    f"{each!r} is no directory's id",
                    where=own(name),
                    fix="write the id, which the directory's overview page shows as Tenant ID; "
                    "several directories are named one by one in allowed_tenants",
                )
    if not all(map(is_safe, (cloud.authority, cloud.graph))):
        yield ConfigError(
            "an address of the cloud is none that tokens may be sent to",
            where=own("cloud"),
            fix="use addresses that begin with https://",
        )
    if len(made.tenants) > 1 and not made.tenant:
        for name in ("allowed_users", "admin_users"):
            if getattr(made, name):
                yield ConfigError(
                    f"{name} does not say of which directory",
                    where=own(name),
                    fix="set tenant to the directory whose members these are",
                )
    if made.username_domain and not made.tenant:
        yield ConfigError(
            "it is not said of which directory the domain is",
            where=own("username_domain"),
            fix="set tenant",
        )
    for group in made.group_names:
        if not ID.fullmatch(group.lower()):
            yield ConfigError(
                f"{group!r} is no group's object id",
                where=own("group_names"),
                fix='write {"OBJECT-ID": "name in the hub"}',
            )
    given = [name for name in PROOFS if getattr(made, name)]
    if len(given) != 1:
        yield ConfigError(
            f"the hub proves who it is by {' and '.join(given) or 'nothing'}",
            where=own(given[1] if given else "client_secret"),
            fix=f"set one of {', '.join(PROOFS)}",
        )


def audiences(given: Mapping[str, Any], where: str) -> Iterator[ConfigError]:
    """What Entra gives no token for."""
    for name, options in given.items():
        if not isinstance(options, Mapping) or options.get("source", "oidc") != "oidc":
            continue
        if options.get("resource") or options.get("audience") or options.get("exchange"):
            yield ConfigError(
                f"{name!r}: Microsoft Entra ID takes a scope, and neither resource, audience nor "
                "exchange",
                where=where,
                fix=f'write {{"{name}": {{"scope": "https://storage.azure.com/.default"}}}}',
            )
        scopes = [each for each in str(options.get("scope", "")).split() if each not in OPENID]
        resources = {each.rpartition("/")[0] for each in scopes}
        if len(resources) > 1:
            yield ConfigError(
                f"{name!r}: its scopes are of {len(resources)} resources, and a token is of one",
                where=where,
                fix="name an audience for each resource",
            )
        elif len(scopes) > 1 and any(each.endswith("/.default") for each in scopes):
            yield ConfigError(
                f"{name!r}: .default stands for all scopes of its resource, and goes with no other",
                where=where,
                fix="leave .default out, or the others",
            )
        for each in scopes:
            if urlsplit(each).scheme == "http":
                yield ConfigError(
                    f"{name!r}: {each} begins with http://",
                    where=where,
                    fix="write the resource as it calls itself, with https:// or api://",
                )
