"""A JupyterHub application with an in-memory database, to ask its own functions.

It opens no port, makes no account, and writes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from greyhub.checks.platform import Platform
from greyhub.checks.shapes import LISTS

LOADED = (
    "custom_scopes",
    "load_roles",
    "services",
    "service_tokens",
    "api_tokens",
    "load_groups",
)
"""Options whose content goes into the hub's database as it starts."""


@contextmanager
def application(platform: Platform) -> Iterator[Any]:
    """An application of JupyterHub's with these settings and a database in memory."""
    from jupyterhub.app import JupyterHub
    from jupyterhub.auth import Authenticator

    class NoUsersMade(Authenticator):  # type: ignore[misc]
        """Validates names as the platform's own authenticator, and creates no account."""

        def normalize_username(self, username: str) -> str:
            return username if refused_name(platform, username) else username.lower()

        def validate_username(self, username: str) -> bool:
            return not refused_name(platform, username)

        def add_user(self, user: Any) -> None:
            pass

        async def load_managed_roles(self) -> list[Any]:
            return []

    cls = platform.authenticator
    own: Any = platform.dry_instance(cls) if cls else None
    hub = JupyterHub()
    hub.log = logging.getLogger("greyhub.checks")
    hub.db_url = "sqlite:///:memory:"
    hub.authenticator = NoUsersMade()
    for name in ("manage_groups", "manage_roles"):
        if getattr(own, name, False):
            setattr(hub.authenticator, name, True)
    for name in (*LOADED, "base_url", "subdomain_host"):
        if platform.is_set("JupyterHub", name) or name == "services":
            value = platform.value("JupyterHub", name)
            with suppress(Exception):  # said with the value itself
                setattr(hub, name, value)
    # Said by `greyhub.checks.shapes`: roles without a name, and texts where lists belong.
    hub.load_roles = [
        dict(role)
        for role in mappings(hub.load_roles)
        if role.get("name") and not any(isinstance(role.get(key), str) for key in LISTS)
    ]
    with _quiet():
        hub.init_db()
        hub.init_hub()
        hub.init_oauth()
        try:
            yield hub
        finally:
            hub.db.close()
            hub.db.get_bind().dispose()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without JupyterHub's and alembic's log: the hub says the same when it starts."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


def finish(step: Any) -> None:
    """Run a coroutine that never waits; other values are done already."""
    if isinstance(step, Coroutine):
        try:
            step.send(None)
        except StopIteration:
            return
        finally:
            step.close()


@contextmanager
def custom_scopes(platform: Platform) -> Iterator[str]:
    """Define the platform's own scopes for a while; why that cannot be, if it cannot."""
    from jupyterhub import scopes

    before, problem = dict(scopes.scope_definitions), ""
    try:
        with _quiet():
            if custom := platform.value("JupyterHub", "custom_scopes"):
                try:
                    scopes.define_custom_scopes(custom)
                except Exception as error:
                    problem = " ".join(str(error).split())
            yield problem
    finally:
        scopes.scope_definitions.clear()
        scopes.scope_definitions.update(before)


def refused_name(platform: Platform, name: object) -> str:
    """Why the platform's authenticator does not take a user's name; empty if it does."""
    cls = platform.authenticator
    authenticator: Any = platform.dry_instance(cls) if cls else None
    if not isinstance(name, str) or authenticator is None:
        return ""
    try:
        valid = authenticator.validate_username(authenticator.normalize_username(name))
    except (KeyError, ValueError) as error:
        return f"the user name {name!r} is refused: {error.args[0] if error.args else error}"
    except Exception:
        return ""  # it needs what only a whole object has
    return "" if valid else f"the user name {name!r} is not valid"


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings in a list; what else stands there is said by `greyhub.checks.shapes`."""
    for each in value if isinstance(value, list) else ():
        if isinstance(each, Mapping):
            yield each
