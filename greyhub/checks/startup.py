"""Check roles, services, tokens, users and groups with JupyterHub's own functions.

Its own functions are asked, on an application with a database in memory, so that
what is said here is what would end the hub.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from greyhub.checks.shapes import service_keys

TOKENS = {"service_tokens": "service", "api_tokens": "user"}

RBAC = "fix it; the scopes are at jupyterhub.readthedocs.io, under RBAC"


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about what would end the hub's start."""
    yield from _users(platform)
    if path := platform.is_set("JupyterHub", "services"):
        for service in mappings(platform.value("JupyterHub", "services")):
            yield from _command(platform, path, service)
    yield from _short_tokens(platform)
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
        if not refused and (path := platform.is_set("JupyterHub", "load_roles")):
            for step in (hub.init_role_creation, hub.init_role_assignment):
                try:
                    finish(step())
                except Exception as error:
                    hub.db.rollback()
                    said = f"JupyterHub refuses these roles: {_said(platform, error)}"
                    yield platform.finding("error", path, said, "fix the role that it names")
                    break


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
        if service.get("name") and not {*service} - service_keys():
            load = partial(hub.service_from_spec, dict(service))
            yield path, f"the service {service['name']!r}", load, "fix this entry of the list"
    for option, kind in TOKENS.items():
        for token, name in _tokens_of(platform, option):
            if len(token) >= _shortest():
                load = partial(hub._add_tokens, {token: name}, kind)
                where = platform.is_set("JupyterHub", option) or ()
                yield where, f"the token of the {kind} {name!r}", load, "fix the name"
    path = platform.is_set("JupyterHub", "load_groups")
    if path and hub.load_groups:
        yield path, "these groups", hub.init_groups, "fix the group, or the names in it"


def _short_tokens(platform: Platform) -> Iterator[Finding]:
    """JupyterHub would show the beginning of such a token, which is most of it."""
    for option, kind, name, token in _tokens(platform):
        path = platform.is_set("JupyterHub", option)
        if path and len(token) < _shortest():
            yield platform.finding(
                "error",
                path,
                f"the token of the {kind} {name!r} is shorter than {_shortest()} characters",
                "make one: openssl rand -hex 32",
            )


def _tokens(platform: Platform) -> Iterator[tuple[str, str, Any, str]]:
    """Every token: the option that it stands in, the kind and the name of its owner, the token."""
    for service in mappings(platform.value("JupyterHub", "services")):
        token = service.get("api_token")
        if isinstance(token, str) and token:
            yield "services", "service", service.get("name"), token
    for option, kind in TOKENS.items():
        for token, name in _tokens_of(platform, option):
            if token:
                yield option, kind, name, token


def _tokens_of(platform: Platform, option: str) -> list[tuple[str, str]]:
    found = platform.is_set("JupyterHub", option) and platform.value("JupyterHub", option)
    pairs = found.items() if isinstance(found, Mapping) else ()
    return [(token, name) for token, name in pairs if isinstance(token, str)]


def _shortest() -> int:
    from jupyterhub import orm

    return int(orm.APIToken.min_length)


def _said(platform: Platform, error: Exception) -> str:
    """An error in one line, without a token."""
    told = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = " ".join(str(told).split())
    for *_, token in _tokens(platform):
        text = text.replace(token, "***")
    return text or type(error).__name__


def _command(
    platform: Platform, path: tuple[str, ...], service: Mapping[str, Any]
) -> Iterator[Finding]:
    name, command = service.get("name"), service.get("command")
    if isinstance(command, str) and len(command.split()) > 1:
        yield platform.finding(
            "error",
            path,
            f"the command of the service {name!r} is one text, and so would be one program's name",
            f"write a list: {command.split()!r}",
        )
    elif isinstance(command, list) and command and not _is_program(command[0], service):
        yield platform.finding(
            "error",
            path,
            f"the command of the service {name!r} is not there: {command[0]}",
            "fix its path, or install the package that brings it in the hub's environment",
        )


def _is_program(command: object, service: Mapping[str, Any]) -> bool:
    given = service.get("environment")
    path = given.get("PATH") if isinstance(given, Mapping) else None
    # Another account's or a folder's own command may not be seen from here.
    unseen = service.get("cwd") or service.get("user")
    return bool(unseen or shutil.which(str(command), path=path))
