"""The tokens of services and users that a configuration holds, and those that are too short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.dry_hub import mappings
from greyhub.checks.platform import Platform

TOKENS = {"service_tokens": "service", "api_tokens": "user"}


def short_tokens(platform: Platform) -> Iterator[Finding]:
    """JupyterHub would show the beginning of such a token, which is most of it."""
    for option, kind, name, token in tokens(platform):
        path = platform.is_set("JupyterHub", option)
        if path and len(token) < shortest():
            yield platform.finding(
                "error",
                path,
                f"the token of the {kind} {name!r} is shorter than {shortest()} characters",
                "make one: openssl rand -hex 32",
            )


def tokens(platform: Platform) -> Iterator[tuple[str, str, Any, str]]:
    """Every token: the option that it stands in, the kind and the name of its owner, the token."""
    for service in mappings(platform.value("JupyterHub", "services")):
        token = service.get("api_token")
        if isinstance(token, str) and token:
            yield "services", "service", service.get("name"), token
    for option, kind in TOKENS.items():
        for token, name in tokens_of(platform, option):
            if token:
                yield option, kind, name, token


def tokens_of(platform: Platform, option: str) -> list[tuple[str, str]]:
    """The tokens of one of `TOKENS`, each with its owner's name."""
    found = platform.is_set("JupyterHub", option) and platform.value("JupyterHub", option)
    pairs = found.items() if isinstance(found, Mapping) else ()
    return [(token, name) for token, name in pairs if isinstance(token, str)]


def shortest() -> int:
    """The characters that JupyterHub asks of a token."""
    from jupyterhub import orm

    return int(orm.APIToken.min_length)
