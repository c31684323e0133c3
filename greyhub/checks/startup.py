"""What JupyterHub itself refuses as it starts, without a network: roles, scopes, tokens, services.

Its own functions are asked, on a database in memory, so that what is said here is
what would end the hub.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.platform import Platform


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about roles and services that would end the hub's start."""
    if path := platform.is_set("JupyterHub", "load_roles"):
        yield from _roles(platform, path)
    if path := platform.is_set("JupyterHub", "services"):
        for service in _mappings(platform.value("JupyterHub", "services")):
            yield from _service(platform, path, service)


def _roles(platform: Platform, path: tuple[str, ...]) -> Iterator[Finding]:
    from jupyterhub import orm
    from jupyterhub.roles import create_role

    with _custom_scopes(platform) as problem:
        if problem:
            where = platform.is_set("JupyterHub", "custom_scopes") or ()
            yield platform.finding("error", where, problem, "mend the scope's name or description")
        session = orm.new_session_factory("sqlite://")()
        try:
            for role in _mappings(platform.value("JupyterHub", "load_roles")):
                if not role.get("name"):
                    continue  # said elsewhere
                try:
                    create_role(session, dict(role), commit=False)
                except Exception as error:
                    session.rollback()
                    said = " ".join(str(error).split())
                    yield platform.finding(
                        "error",
                        path,
                        f"JupyterHub refuses the role {role['name']!r}: {said}",
                        "mend it; the scopes are at jupyterhub.readthedocs.io, under RBAC",
                    )
        finally:
            session.close()


@contextmanager
def _custom_scopes(platform: Platform) -> Iterator[str]:
    """Define the platform's own scopes for a while; why that cannot be, if it cannot."""
    from jupyterhub import scopes
    from tornado.log import app_log

    before, quiet, problem = dict(scopes.scope_definitions), app_log.disabled, ""
    app_log.disabled = True  # the hub says the same when it starts
    try:
        if custom := platform.value("JupyterHub", "custom_scopes"):
            try:
                scopes.define_custom_scopes(custom)
            except Exception as error:
                problem = " ".join(str(error).split())
        yield problem
    finally:
        app_log.disabled = quiet
        scopes.scope_definitions.clear()
        scopes.scope_definitions.update(before)


def _service(
    platform: Platform, path: tuple[str, ...], service: Mapping[str, Any]
) -> Iterator[Finding]:
    from jupyterhub import orm

    name, token, command = (service.get(key) for key in ("name", "api_token", "command"))
    shortest = orm.APIToken.min_length
    if isinstance(token, str) and len(token) < shortest:
        yield platform.finding(
            "error",
            path,
            f"the token of the service {name!r} is shorter than {shortest} characters",
            "make one: openssl rand -hex 32",
        )
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
            "mend its path, or install the package that brings it in the hub's environment",
        )


def _is_program(command: object, service: Mapping[str, Any]) -> bool:
    given = service.get("environment")
    path = given.get("PATH") if isinstance(given, Mapping) else None
    # Another account's or a folder's own command may not be seen from here.
    unseen = service.get("cwd") or service.get("user")
    return bool(unseen or shutil.which(str(command), path=path))


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, Mapping):
            yield each
