"""Check roles, services, tokens, users and groups with JupyterHub's own functions.

Its own functions are asked, on an application with a database in memory, so that
what is said here is what would end the hub.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.dry_hub import (
    LOADED,
    application,
    custom_scopes,
    finish,
    mappings,
    refused_name,
)
from greyhub.checks.platform import Platform
from greyhub.checks.services import (
    check_address_of,
    check_command,
    check_twice,
    wrong_address,
)
from greyhub.checks.shapes import service_keys
from greyhub.checks.tokens import TOKENS, short_tokens, shortest, tokens, tokens_of
from greyhub.imports import import_object
from greyhub.wording import did_you_mean

RBAC = "fix it; the scopes are at jupyterhub.readthedocs.io, under RBAC"


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about what would end the hub's start."""
    yield from _users(platform)
    if path := platform.is_set("JupyterHub", "services"):
        services = list(mappings(platform.value("JupyterHub", "services")))
        for service in services:
            yield from check_command(platform, path, service)
            yield from check_address_of(platform, path, service)
        yield from check_twice(platform, path, services)
    yield from short_tokens(platform)
    yield from _handlers(platform)
    if any(platform.is_set("JupyterHub", option) for option in LOADED):
        yield from _loaded(platform)


def _users(platform: Platform) -> Iterator[Finding]:
    """Names of users that the authenticator itself would not take."""
    for option in ("admin_users", "allowed_users"):
        if path := platform.is_set("Authenticator", option):
            for name in platform.value("Authenticator", option) or ():
                if problem := refused_name(platform, name):
                    yield platform.finding(
                        "error", path, problem, "fix the name, or take it out of the list"
                    )


def _handlers(platform: Platform) -> Iterator[Finding]:
    """Handlers that are named, and that tornado could not import as the hub starts."""
    path = platform.is_set("JupyterHub", "extra_handlers")
    for entry in platform.value("JupyterHub", "extra_handlers") or () if path else ():
        named = entry[1] if isinstance(entry, list | tuple) and len(entry) > 1 else None
        if path and isinstance(named, str):
            try:
                import_object(named)
            except Exception as error:
                what = f"the handler {named!r} cannot be imported: {error}"
                yield platform.finding("error", path, what, "fix its name, or install its package")


def _loaded(platform: Platform) -> Iterator[Finding]:
    """Load what goes into the database into one in memory."""
    from jupyterhub.roles import create_role, get_default_roles

    with custom_scopes(platform) as problem, application(platform) as hub:
        if problem:
            where = platform.is_set("JupyterHub", "custom_scopes") or ()
            yield platform.finding("error", where, problem, "fix the scope's name or description")
        for default in get_default_roles():
            create_role(hub.db, default, commit=False)
        refused = False
        for place, what, step, fix in _steps(platform, hub):
            try:
                finish(step())
            except Exception as error:
                hub.db.rollback()
                refused = True
                yield platform.finding(
                    "error", place, f"JupyterHub refuses {what}: {_said(platform, error)}", fix
                )
        yield from _scopes_of_services(platform)
        if not refused and (path := platform.is_set("JupyterHub", "load_roles")):
            for step in (hub.init_role_creation, hub.init_role_assignment):
                try:
                    finish(step())
                except Exception as error:
                    hub.db.rollback()
                    said = f"JupyterHub refuses these roles: {_said(platform, error)}"
                    yield platform.finding("error", path, said, "fix the role that it names")
                    break


def _scopes_of_services(platform: Platform) -> Iterator[Finding]:
    """Scopes that there are not: the hub starts, and refuses each login by the service."""
    from jupyterhub.scopes import scope_definitions

    path = platform.is_set("JupyterHub", "services") or ()
    for service in mappings(platform.value("JupyterHub", "services")) if path else ():
        given = service.get("oauth_client_allowed_scopes")
        for scope in given if isinstance(given, list) else ():
            name = str(scope).partition("!")[0]
            if name not in scope_definitions:
                yield platform.finding(
                    "warning",
                    path,
                    f"nobody could log in by the service {service.get('name')!r}: there is no "
                    f"scope {name!r}{did_you_mean(name, scope_definitions)}",
                    RBAC,
                )


Step = tuple[Sequence[str], str, Callable[[], Any], str]


def _steps(platform: Platform, hub: Any) -> Iterator[Step]:
    """Each part that the administrator wrote: its option, its name, how it is loaded, a fix."""
    from jupyterhub.roles import create_role

    if path := platform.is_set("JupyterHub", "load_roles"):
        for role in hub.load_roles:
            load = partial(create_role, hub.db, role, commit=False)
            yield path, f"the role {role['name']!r}", load, RBAC
    # A role may name a service that an adapter brings, so those are loaded, too.
    path = platform.is_set("JupyterHub", "services") or ("JupyterHub", "services")
    for service in mappings(platform.value("JupyterHub", "services")):
        sound = not {*service} - service_keys() and not wrong_address(service)
        if service.get("name") and sound:
            load = partial(hub.service_from_spec, dict(service))
            yield path, f"the service {service['name']!r}", load, "fix this entry of the list"
    for option, kind in TOKENS.items():
        for token, name in tokens_of(platform, option):
            if len(token) >= shortest():
                load = partial(hub._add_tokens, {token: name}, kind)
                where = platform.is_set("JupyterHub", option) or ()
                yield where, f"the token of the {kind} {name!r}", load, "fix the name"
    path = platform.is_set("JupyterHub", "load_groups")
    if path and hub.load_groups:
        yield path, "these groups", hub.init_groups, "fix the group, or the names in it"


def _said(platform: Platform, error: Exception) -> str:
    """An error in one line, without a token."""
    told = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = " ".join(str(told).split())
    for *_, token in tokens(platform):
        text = text.replace(token, "***")
    return text or type(error).__name__
