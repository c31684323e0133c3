"""Do servers get tokens for storage accounts, of their users' logins?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from greyhub.adapter import Adapter
from greyhub.azureml.storage import SCOPE
from greyhub.errors import ConfigError


def check_audience(adapter: Adapter, audience: str, what: str) -> None:
    """See that servers get tokens for an audience.

    Parameters
    ----------
    adapter : Adapter
        Who needs them.
    audience : str
        One of ``c.AuthAdapter.audiences``.
    what : str
        What is opened with them, in words: "homes".

    Raises
    ------
    greyhub.errors.ConfigError
        The platform has no such audience.
    """
    scope = f'{{"{audience}": {{"scope": "{SCOPE}"}}}}'
    if "auth" not in getattr(adapter.parent, "values", {"auth": ""}):
        raise ConfigError(
            f"servers would get no tokens for {what}: the auth slot is empty",
            where="c.GreyHub.auth",
            fix=f"choose a login by OpenID Connect, and set c.AuthAdapter.audiences to {scope}",
        )
    if audience not in _audiences(adapter):
        raise ConfigError(
            f"servers would get no tokens for {what}: no audience is called {audience!r}",
            where="c.AuthAdapter.audiences",
            fix=f"set it to {scope}, with a login by OpenID Connect",
        )


def _audiences(adapter: Adapter) -> Mapping[str, Any]:
    """The audiences for which servers get credentials."""
    auth = getattr(adapter.parent, "adapters", {}).get("auth")
    if auth is not None:
        found: Mapping[str, Any] = getattr(auth, "audiences", {})
        return found
    return dict(adapter.parent.config.get("AuthAdapter", {}).get("audiences", {}))
