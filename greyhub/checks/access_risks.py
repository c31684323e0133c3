"""Check who may log in: nobody, anybody, by one password, or over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from traitlets import HasTraits

from greyhub.adapter import Finding
from greyhub.checks.authenticators import (
    allowing_options,
    asks_for_password,
    decides,
    option_of,
    shared_password,
    takes_anybody,
)
from greyhub.checks.platform import Platform
from greyhub.class_names import made_from
from greyhub.public_address import is_loopback, public_host, with_protocol


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about who may log in."""
    cls = platform.authenticator
    if cls is None or "auth" in platform.broken:
        return  # whoever decides was refused, and JupyterHub's own default is not meant
    accepted = getattr(platform.greyhub, "risks", ())
    for name, authenticator in platform.authenticators.items():
        for risk, path, what, fix in _risks(platform, cls, authenticator):
            if name and risk == "nobody":
                continue  # the adapter says it of each
            if risk in accepted:
                continue
            means = f"{fix}; or say that it is meant: c.GreyHub.accepted_risks = [{risk!r}]"
            if name:
                path, what = ("OpenIDConnect", "providers"), f"{name}: {what}"
                means = means.replace(f"c.{cls.__name__}.", f"in the options of {name}, ")
            yield platform.finding("error", path, what, means)
    yield from _oddities(platform, platform.dry_instance(cls))


Risk = tuple[str, tuple[str, ...], str, str]


def _risks(platform: Platform, cls: type, authenticator: HasTraits) -> Iterator[Risk]:
    section = cls.__name__
    public = not is_loopback(public_host(platform.config) or "")
    everybody = option_of(authenticator, "allow_all")
    somebody = everybody or allowing_options(authenticator) or decides(cls)
    if getattr(cls, "admits_by_options", False):  # admins, too
        somebody = somebody or option_of(authenticator, "admin_users")
        somebody = somebody or option_of(authenticator, "admin_groups")
    meant = platform.is_set(section, "any_allow_config") or made_from(cls, "NullAuthenticator")
    if not somebody and not meant:
        admins = platform.is_set(section, "admin_users")
        yield (
            "nobody",
            admins or (section, "allowed_users"),
            "nobody may log in" + (": an admin must be allowed in, too" if admins else ""),
            f"set c.{section}.allowed_users, or c.{section}.allow_all = True for everybody whom "
            f"{section} recognises",
        )
    if not public:
        return
    path = platform.is_set("JupyterHub", "bind_url") or platform.is_set("JupyterHub", "ip")
    address = path or ("JupyterHub", "ip")
    shared = shared_password(cls, authenticator)
    if everybody and takes_anybody(cls, authenticator):
        yield (
            "everybody",
            platform.is_set(section, "allow_all") or ("GreyHub", "auth"),
            f"everybody who reaches this hub may log in: {section} recognises anybody",
            "name who may: " + _instead(cls) + ", or listen on this machine only: "
            'c.JupyterHub.ip = "127.0.0.1"',
        )
    elif shared:
        yield (
            "shared-password",
            address,
            f"one password opens this hub to whoever knows it, beyond this machine ({section})",
            'listen on this machine only, c.JupyterHub.ip = "127.0.0.1", or choose an '
            "authenticator that knows each user",
        )
    if asks_for_password(cls, authenticator) and not _tls(platform):
        yield (
            "plain-http",
            address,
            f"passwords would cross the network in clear text: {section} asks for them, and the "
            "hub listens beyond this machine without TLS",
            'listen on this machine only, c.JupyterHub.ip = "127.0.0.1"; set '
            "c.JupyterHub.ssl_cert and ssl_key; or, where something in front of the hub speaks "
            'TLS, name its address: c.JupyterHub.public_url = "https://…"',
        )


def _tls(platform: Platform) -> bool:
    section = platform.config.get("JupyterHub", {})
    named = (str(section.get(name) or "") for name in ("public_url", "subdomain_host"))
    return bool(section.get("ssl_cert")) or any(
        with_protocol(url).startswith("https://") for url in named
    )


def _instead(cls: type) -> str:
    if made_from(cls, "DummyAuthenticator", "TmpAuthenticator"):
        return "choose another c.GreyHub.auth"
    return f"c.{cls.__name__}.allowed_users = {{…}} instead of allow_all"


def _oddities(platform: Platform, authenticator: HasTraits) -> Iterator[Finding]:
    allowed = option_of(authenticator, "allowed_users") or ()
    path = platform.is_set("Authenticator", "allowed_users")
    if (
        path
        and platform.is_set("Authenticator", "allow_all")
        and option_of(authenticator, "allow_all")
    ):
        yield platform.finding(
            "note", path, "this list restricts nobody: allow_all is set", "keep one of the two"
        )
    short = [name for name in allowed if len(str(name)) == 1]
    if path and len(short) > 1 and len(short) == len(allowed):
        yield platform.finding(
            "warning",
            path,
            f"these are {len(short)} names of one letter each",
            "a set of one name is written {'name'}, not set('name')",
        )
