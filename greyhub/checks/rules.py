"""The rules between options and between slots: data, in this one place.

The documentation's table is made from these lists; see `greyhub.reference`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlparse

from greyhub.adapter import Finding
from greyhub.checks.facts import FACTS, holds, made_from
from greyhub.checks.platform import Platform

Option = tuple[str, str]
"""A section and an option of it."""


@dataclass(frozen=True)
class Rule:
    """Where all of ``when`` are true, ``needs`` must be."""

    when: tuple[str, ...]
    needs: str
    because: str
    option: Option
    """What it is said about."""
    level: Literal["error", "warning", "note"] = "error"
    mend: str = ""
    """By default, how the fact that it needs is made true."""


RULES = (
    Rule(
        ("servers-elsewhere",),
        "hub-reachable",
        "servers that run elsewhere report to the hub, and it listens on loopback only",
        ("JupyterHub", "hub_ip"),
    ),
    Rule(
        ("servers-elsewhere", "home-on-hub"),
        "home-shared",
        "homes are directories of the hub's machine, and servers run elsewhere",
        ("GreyHub", "homespace"),
    ),
    Rule(
        ("servers-elsewhere", "home-on-hub", "home-shared"),
        "not servers-elsewhere",
        "servers run elsewhere: the directory of the homes must be mounted there, at the same path",
        ("LocalHome", "root"),
        "note",
        "see that it is",
    ),
    Rule(
        ("servers-elsewhere", "catalogs-on-hub"),
        "not catalogs-on-hub",
        "catalogues are read where servers run: the files must be there, at the same paths",
        ("GreyHub", "data"),
        "note",
        "see that they are, or name catalogues by URL",
    ),
    Rule(
        ("home-in-memory",),
        "not home-in-memory",
        "homes in memory end with the server",
        ("GreyHub", "homespace"),
        "warning",
        'name a place that lasts, such as "s3://homes/{username}"',
    ),
    Rule(
        ("servers-elsewhere", "cluster-in-server"),
        "not cluster-in-server",
        "workers share the limits of the user's server, which runs elsewhere",
        ("GreyHub", "cluster"),
        "note",
        "set c.LocalCluster.max_workers and memory_limit to what a server may use",
    ),
    Rule(
        ("cluster-of-a-gateway",),
        "gateway-addressed",
        "a notebook could not find the dask-gateway",
        ("ClusterAdapter", "options"),
    ),
    Rule(
        ("cluster-of-a-gateway", "gateway-addressed"),
        "gateway-reachable",
        "the dask-gateway's address is loopback, and servers run elsewhere",
        ("ClusterAdapter", "options"),
    ),
    Rule(
        ("auth-state",),
        "crypt-key",
        "auth state is kept encrypted, and there is no key",
        ("Authenticator", "enable_auth_state"),
    ),
    Rule(("ssl-cert",), "ssl-key", "a certificate needs its key", ("JupyterHub", "ssl_cert")),
    Rule(("ssl-key",), "ssl-cert", "a key needs its certificate", ("JupyterHub", "ssl_key")),
    Rule(
        ("culler",),
        "culler-may-cull",
        "a service has no rights by itself: the culler would cull nothing",
        ("JupyterHub", "services"),
    ),
)


@dataclass(frozen=True)
class Exclusive:
    """Of two options, only one may be set."""

    one: Option
    other: Option
    because: str


EXCLUSIVE = (
    *(
        Exclusive(
            ("JupyterHub", "bind_url"),
            ("JupyterHub", part),
            f"bind_url says the {name} already, and which of the two wins depends on their order",
        )
        for part, name in (("ip", "address"), ("port", "port"), ("base_url", "path"))
    ),
    *(
        Exclusive(
            ("JupyterHub", "hub_bind_url"),
            ("JupyterHub", part),
            "hub_bind_url is used and the other is ignored",
        )
        for part in ("hub_ip", "hub_port")
    ),
    Exclusive(
        ("JupyterHub", "hub_connect_url"),
        ("JupyterHub", "hub_connect_ip"),
        "hub_connect_url is used and the other is ignored",
    ),
    Exclusive(
        ("JupyterHub", "cookie_secret"),
        ("JupyterHub", "cookie_secret_file"),
        "cookie_secret is used and the file is ignored",
    ),
    Exclusive(
        ("Authenticator", "manage_groups"),
        ("JupyterHub", "load_groups"),
        "groups come from the authenticator, or from here",
    ),
    Exclusive(
        ("OAuthenticator", "userdata_url"),
        ("OAuthenticator", "userdata_from_id_token"),
        "the user's data comes from one of the two",
    ),
)
"""Also, ``c.GreyHub.spawner`` and ``c.GreyHub.auth`` exclude JupyterHub's own options."""


@dataclass(frozen=True)
class Required:
    """Options without which a class cannot work."""

    cls: str
    options: tuple[str, ...]


REQUIRED = (
    Required("OAuthenticator", ("client_id", "client_secret")),
    Required("GenericOAuthenticator", ("authorize_url", "token_url")),
    Required("AzureAdOAuthenticator", ("tenant_id",)),
    Required("Auth0OAuthenticator", ("auth0_domain",)),
    Required("LDAPAuthenticator", ("server_address",)),
)
"""Also, every option of an adapter whose trait is tagged ``required=True``."""


@dataclass(frozen=True)
class Existing:
    """An option that names a file or directory, which must be there."""

    option: Option
    kind: Literal["file", "directory"]


EXISTING = (
    Existing(("JupyterHub", "ssl_cert"), "file"),
    Existing(("JupyterHub", "ssl_key"), "file"),
    Existing(("JupyterHub", "logo_file"), "file"),
    Existing(("JupyterHub", "template_paths"), "directory"),
    Existing(("LocalHome", "welcome"), "directory"),
)


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about options and slots that do not go together."""
    for rule in RULES:
        if all(holds(platform, name) for name in rule.when) and not holds(platform, rule.needs):
            mend = rule.mend or FACTS[rule.needs].mend
            path = platform.is_set(*rule.option) or rule.option
            yield platform.finding(rule.level, path, rule.because, mend)
    yield from _needs(platform)
    yield from _exclusive(platform)
    yield from _required(platform)
    yield from _existing(platform)
    yield from _callback(platform)


def _needs(platform: Platform) -> Iterator[Finding]:
    """What the adapters in the slots say that they need."""
    for slot, adapter in platform.adapters.items():
        for name, because in adapter.needs.items():
            path = ("GreyHub", slot)
            who = type(adapter).__name__
            if name.removeprefix("not ") not in FACTS:
                yield platform.finding(
                    "error",
                    path,
                    f"{who} needs {name!r}, which no rule knows",
                    f"its author names one of: {', '.join(FACTS)}",
                )
            elif not holds(platform, name):
                fact = FACTS[name.removeprefix("not ")]
                means = f"it is not so that {fact.means}" if fact.name == name else fact.means
                mend = fact.mend if fact.name == name else ""
                yield platform.finding(
                    "error",
                    path,
                    f"{who} cannot work here: {because}, and {means}",
                    f"{mend + ', or ' if mend else ''}choose another c.GreyHub.{slot}",
                )


def _exclusive(platform: Platform) -> Iterator[Finding]:
    for pair in EXCLUSIVE:
        one, other = platform.is_set(*pair.one), platform.is_set(*pair.other)
        if one and other and not _agree(platform, one, other):
            names = f"c.{'.'.join(one)} and c.{'.'.join(other)}"
            yield platform.finding(
                "error", other, f"{names} exclude each other: {pair.because}", "keep one of the two"
            )


def _agree(platform: Platform, one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Both say the same, or one of them says nothing."""
    first, second = (platform.written[path[0]][path[-1]] for path in (one, other))
    if not first or not second:
        return other[-1] not in ("ip", "port", "base_url")
    if other[-1] not in ("ip", "port", "base_url"):
        return False
    url = urlparse(str(first))
    said: Any = {
        "ip": url.hostname or "",
        "port": url.port,
        "base_url": url.path.strip("/"),
    }[other[-1]]
    return str(said) == str(second).strip("/")


def _required(platform: Platform) -> Iterator[Finding]:
    for required in REQUIRED:
        for cls in (platform.authenticator, platform.spawner):
            if cls is None or not made_from(cls, required.cls):
                continue
            for option in required.options:
                section = cls.__name__
                if platform.readers.of(section, option) is None:
                    continue
                # An empty secret that was written down is a public client's.
                if not platform.is_set(section, option) and not platform.value(section, option):
                    yield platform.finding(
                        "error",
                        (section, option),
                        f"{section} cannot work without it",
                        f"set c.{section}.{option}",
                    )
    for slot, adapter in platform.adapters.items():
        for option in adapter.traits(required=True):
            if not getattr(adapter, option):
                section = type(adapter).__name__
                configurable = option in adapter.traits(config=True)
                yield platform.finding(
                    "error",
                    (section, option) if configurable else ("GreyHub", slot),
                    f"{section} cannot work without {option}",
                    f"set c.{section}.{option}" if configurable else "name what it adapts instead",
                )


def _existing(platform: Platform) -> Iterator[Finding]:
    for existing in EXISTING:
        path = platform.is_set(*existing.option)
        if path is None:
            continue
        value = platform.value(*existing.option)
        base = getattr(platform.greyhub, "directory", Path())
        for name in value if isinstance(value, list) else [value]:
            if not name:
                continue
            file = Path(name).expanduser()
            if existing.option[0] not in ("JupyterHub",):
                file = base / file
            if not (file.is_file() if existing.kind == "file" else file.is_dir()):
                yield platform.finding(
                    "error",
                    path,
                    f"there is no {existing.kind} {file}",
                    "mend the path, or put it there",
                )


def _callback(platform: Platform) -> Iterator[Finding]:
    """An OAuth provider sends users back to a page of this hub."""
    if not made_from(platform.authenticator, "OAuthenticator"):
        return
    path = platform.is_set("OAuthenticator", "oauth_callback_url")
    url = platform.value("OAuthenticator", "oauth_callback_url") if path else ""
    if not path or not url:
        return
    parsed = urlparse(str(url))
    if parsed.scheme not in ("http", "https") or not parsed.netloc:
        yield platform.finding(
            "error", path, f"{url!r} is no URL", "write https://…/hub/oauth_callback"
        )
    elif not parsed.path.endswith("/hub/oauth_callback"):
        yield platform.finding(
            "error",
            path,
            f"{url!r} is no page of the hub: users would not come back from the provider",
            f"write {parsed.scheme}://{parsed.netloc}/hub/oauth_callback, with the hub's "
            "base_url before /hub",
        )
