"""The value that every option has, and where it comes from: for ``greyhub show``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from traitlets import HasTraits
from traitlets.config.loader import LazyConfigValue

from greyhub import proxy
from greyhub.checks.additions import added
from greyhub.checks.classes import options
from greyhub.checks.platform import COMMAND_LINE, Platform
from greyhub.checks.provenance import Names
from greyhub.checks.values import empty
from greyhub.class_names import made_from
from greyhub.deferred_secrets import secrets_in
from greyhub.errors import ConfigError
from greyhub.masking import MASK, masked
from greyhub.secret_names import is_secret
from greyhub.slots import SLOTS, label

ENVIRONMENT: tuple[tuple[str, str, str], ...] = (
    ("CryptKeeper", "keys", "JUPYTERHUB_CRYPT_KEY"),
    ("ConfigurableHTTPProxy", "auth_token", "CONFIGPROXY_AUTH_TOKEN"),
    ("OAuthenticator", "client_id", "OAUTH_CLIENT_ID"),
    ("OAuthenticator", "client_secret", "OAUTH_CLIENT_SECRET"),
    ("OAuthenticator", "oauth_callback_url", "OAUTH_CALLBACK_URL"),
    ("OAuthenticator", "authorize_url", "OAUTH2_AUTHORIZE_URL"),
    ("OAuthenticator", "token_url", "OAUTH2_TOKEN_URL"),
    ("OAuthenticator", "userdata_url", "OAUTH2_USERDATA_URL"),
    ("OAuthenticator", "username_claim", "OAUTH2_USERNAME_KEY"),
    ("JupyterHub", "cookie_secret", "JPY_COOKIE_SECRET"),
)
"""Options whose default JupyterHub or OAuthenticator takes from a variable."""


@dataclass(frozen=True)
class EffectiveOption:
    """One option, as the hub has it."""

    section: str
    name: str
    value: Any
    """The value without secrets, made of JSON's types."""
    origin: str
    """Who said so: a place, ``flavour "local"``, an adapter, a variable, ``default``."""
    default: Any = None

    @property
    def option(self) -> str:
        """``c.Spawner.mem_limit``."""
        return f"c.{self.section}.{self.name}"


def effective_options(platform: Platform, *, everything: bool = False) -> list[EffectiveOption]:
    """The options of a composed configuration that differ from their defaults.

    Parameters
    ----------
    platform : Platform
        What was composed.
    everything : bool
        Also those that do not.
    """
    found: dict[tuple[str, str], EffectiveOption] = {}
    for row in (*_slots(platform), *_proxy(platform)):
        found[row.section, row.name] = row
    for cls in platform.readers.classes:
        for row in _of_class(platform, cls, everything):
            found.setdefault((row.section, row.name), row)
    return sorted(found.values(), key=lambda row: (row.section, row.name))


def _slots(platform: Platform) -> Iterator[EffectiveOption]:
    """The slots, also where the flavour fills them."""
    greyhub: Any = platform.greyhub
    for slot in SLOTS:
        value = greyhub.values.get(slot)
        if platform.written_at(("GreyHub", slot)):
            origin = platform.where("GreyHub", slot) or _adopted(platform, slot)
        else:
            origin = f'flavour "{greyhub.flavour}"'
        yield EffectiveOption("GreyHub", slot, None if value is None else label(value), origin)


def _proxy(platform: Platform) -> Iterator[EffectiveOption]:
    """The proxy's command, which the start decides."""
    path = ("ConfigurableHTTPProxy", "command")
    if platform.written_at(path) or proxy.is_chosen(platform.config):
        return
    with suppress(ConfigError):  # there is no node: the start will say so
        command = proxy.command(proxy.find_node())
        yield EffectiveOption(*path, command, "greyhub itself", ["configurable-http-proxy"])


def _adopted(platform: Platform, slot: str) -> str:
    option = {"spawner": "spawner_class", "auth": "authenticator_class"}.get(slot, "")
    return platform.where("JupyterHub", option)


def _of_class(platform: Platform, cls: type, everything: bool) -> Iterator[EffectiveOption]:
    made = (cls is platform.hub_class and platform.application) or platform.dry_instance(cls)
    held = platform.settings(cls)
    for name, trait in options(cls).items():
        if name == "config_file" or (trait.metadata.get("renamed") and name not in held):
            continue  # it is where all this comes from, or a former name
        default = _default(trait)
        if name in held:
            path, raw = held[name]
            value = masked(_unread(made, name, raw), name)
            if value != default or everything or platform.written_at(path):
                section = ".".join(path[:-1])
                yield EffectiveOption(section, name, value, origin(platform, path), default)
        elif variable := _variable(cls, name):
            value = MASK if is_secret(name) else masked(_get(made, name), name)
            yield EffectiveOption(cls.__name__, name, value, f"the variable {variable}", default)
        elif everything and not (cls is type(platform.greyhub) and name in SLOTS):
            value = default if is_secret(name) else masked(_get(made, name), name)
            yield EffectiveOption(cls.__name__, name, value, "default", default)


def _unread(made: HasTraits, name: str, raw: Any) -> Any:
    """A value that is set, with references in place of its secrets."""
    held = any(True for _ in secrets_in(raw))
    if held and isinstance(raw, LazyConfigValue):
        return added(raw, getattr(empty(type(made)), name))
    covered = held or (is_secret(name) and not isinstance(raw, LazyConfigValue))
    return raw if covered else _get(made, name)


def _get(made: HasTraits, name: str) -> Any:
    try:
        return getattr(made, name)
    except Exception as error:
        return f"({type(error).__name__} where there is no hub)"


def _default(trait: Any) -> Any:
    default = trait.default_value
    arguments = getattr(trait, "default_args", None)
    if arguments:
        default = arguments[0]
    elif isinstance(default, type) or type(default).__name__ == "Sentinel":
        default = None
    return masked(default)


def _variable(cls: type, name: str) -> str:
    for owner, option, variable in ENVIRONMENT:
        if option == name and made_from(cls, owner):
            own = cls.__name__.replace("OAuthenticator", "").upper() + "_"
            names = [variable, variable.replace("OAUTH_", own), variable.replace("OAUTH2_", own)]
            return next((each for each in names if os.environ.get(each)), "")
    return ""


def origin(platform: Platform, path: Names) -> str:
    """Who set an option: where it was written, and who adds to it."""
    parts: list[str] = []
    where = platform.where(*path)
    if platform.written_at(path):
        parts.append(where or "the config file")
    if where != COMMAND_LINE:
        offers = platform.offers.get(path, ())
        parts += [str(offer.origin) for offer in offers if offer.joins or not parts]
    return ", ".join(dict.fromkeys(parts)) or "default"
