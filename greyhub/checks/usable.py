"""Refuse values that a trait takes and its class cannot use: hooks, numbers, addresses."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlparse

from traitlets import TraitType

from greyhub.addresses import SAFE, WEB, WrongAddress, check_address, is_meant_as_address
from greyhub.masking import shown
from greyhub.secret_names import is_secret


class Refused(Exception):
    """A value that a trait does not take."""

    def __init__(self, what: str, fix: str = "") -> None:
        self.what, self.fix = what, fix
        super().__init__(what)


def refuse_unusable(trait: TraitType[Any, Any], name: str, value: Any) -> None:
    """Raise `Refused` for a value, as the trait holds it, that its class cannot use."""
    _refuse_hook(name, value)
    _refuse_environment(name, value)
    _refuse_number(trait, name, value)
    _refuse_address(trait, name, value)


def _refuse_hook(name: str, value: Any) -> None:
    if name.endswith("_hook") and not (
        value is None or callable(value) or name == "subdomain_hook"
    ):
        raise Refused(
            f"{shown(value)} cannot be called", "give the function itself, without quotes"
        )


def _refuse_environment(name: str, value: Any) -> None:
    if name == "environment" and isinstance(value, Mapping):
        for key, each in value.items():
            if not isinstance(each, str | Mapping) and not callable(each):
                raise Refused(
                    f"the variable {key} is {shown(each, str(key))}, and a process can be given "
                    "text alone",
                    f"write {str(each)!r}" if not is_secret(str(key)) else "give a text",
                )


_BELOW_ZERO = {
    "init_spawners_timeout",
    "poll_interval",
    "auth_refresh_age",
    "consecutive_failure_limit",
    "named_server_limit_per_user",
    "oauth_token_expires_in",
    "token_expires_in_max_seconds",
}
"""Numbers of JupyterHub's for which a negative one means never, or no limit."""

_ABOVE_ZERO = {
    "start_timeout",
    "http_timeout",
    "check_running_interval",
    "api_page_max_limit",
    "executor_threads",
    "last_activity_interval",
    "concurrency",
}
"""Numbers of JupyterHub's for which zero ends the hub, or all that it would start."""


_OWN_ABOVE_ZERO = {"concurrent_starts", "ready_timeout"}
"""The same of greyhub's."""


def _refuse_number(trait: TraitType[Any, Any], name: str, value: Any) -> None:
    """A number out of range, where the trait itself has no bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    if (name == "port" or name.endswith("_port")) and not 0 <= value <= 65535:
        raise Refused(f"{value} is no port", "write a number from 1 to 65535")
    owner = getattr(trait, "this_class", None)
    own = str(getattr(owner, "__module__", "")).partition(".")[0] == "jupyterhub"
    if math.isnan(value):
        raise Refused("this is no number", _default_of(trait))
    known = own or name.endswith("_timeout") or name in {*_OWN_ABOVE_ZERO, "max_workers"}
    if known and value < 0 and name not in _BELOW_ZERO and not _says_below_zero(trait):
        raise Refused(f"{value:g} is below zero", _default_of(trait))
    if value == 0 and ((own and name in _ABOVE_ZERO) or name in _OWN_ABOVE_ZERO):
        raise Refused("0 lets nothing start", _default_of(trait))


def _default_of(trait: TraitType[Any, Any]) -> str:
    default = trait.default_value
    return "leave it out" + ("" if default is None else f" for {default!r}")


def _says_below_zero(trait: TraitType[Any, Any]) -> bool:
    return bool(re.search(r"negative|-1\b|below zero", trait.help or ""))


_LISTENS = {"bind_url", "hub_bind_url"}
"""Options for what the hub or its proxy listens on: no host is every one."""

_REACHED = {"hub_connect_url", "api_url", "traefik_api_url"}
"""Options for where the parts of the hub reach each other."""

_BROWSERS = {"public_url", "subdomain_host"}
"""Options for where browsers reach the hub: JupyterHub itself adds the protocol."""

_PROVIDER = {"authorize_url", "token_url", "userdata_url", "github_url", "gitlab_url"}
"""Options for where a provider of logins is."""


def _refuse_address(trait: TraitType[Any, Any], name: str, value: Any) -> None:
    """An address of the hub's, the proxy's or a provider's that is none."""
    if not value or not isinstance(value, str):
        return
    if name in ("ip", "hub_ip", "hub_connect_ip"):
        _refuse_ip(name, value)
    if name == "base_url" and "://" in value:
        path = urlparse(value.strip("/")).path or "/"
        raise Refused(f"{shown(value)} is a URL, and a path is asked for", f"write {path!r}")
    if _of_server(trait):
        return
    protocols = (*WEB, "http+unix", "unix+http") if name in _LISTENS | _REACHED else SAFE
    added = name in _BROWSERS and not is_meant_as_address(value)
    text = f"https://{value}" if added else value
    if name in _LISTENS | _REACHED | _BROWSERS | _PROVIDER:
        try:
            check_address(text, protocols, host=name not in _LISTENS)
        except WrongAddress as wrong:
            raise Refused(wrong.what, wrong.fix) from None


def _of_server(trait: TraitType[Any, Any]) -> bool:
    """Whether an option is a Spawner's, which fills in more than its text says."""
    from jupyterhub.spawner import Spawner

    owner = getattr(trait, "this_class", None)
    return isinstance(owner, type) and issubclass(owner, Spawner)


def _refuse_ip(name: str, value: str) -> None:
    if "://" in value:
        host = urlparse(value).hostname or ""
        raise Refused(
            f"{shown(value)} is a URL, and an address alone is asked for", f"write {host!r}"
        )
    if value != value.strip() or re.search(r"[\s/]", value):
        raise Refused(f"{value!r} is no address", f"write {value.strip().strip('/')!r}")
    host, colon, port = value.rpartition(":")
    if colon and ":" not in host and port.isdecimal():
        number = "port" if name == "ip" else "hub_port"
        raise Refused(
            f"{value!r} has a port, and an address alone is asked for",
            f"write {host!r}, and c.JupyterHub.{number} = {port}",
        )
