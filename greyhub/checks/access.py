"""Check who may log in and who is admin."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traitlets import HasTraits

from greyhub.adapter import Finding
from greyhub.checks.platform import Platform
from greyhub.class_names import made_from
from greyhub.public_address import is_loopback, public_host

MANY = 5
"""Names that a line shows before it counts."""


@dataclass(frozen=True)
class Access:
    """Who may log in and who is admin, as text."""

    users: str
    admins: str

    def __str__(self) -> str:
        return f"may log in: {self.users}; admins: {self.admins}"


def describe(platform: Platform) -> Access:
    """Who may log in and who is admin, as the hub will see it."""
    cls = platform.authenticator
    if cls is None:
        return Access("unknown", "unknown")
    users, admins = [], []
    for name, each in platform.authenticators.items():
        prefix = f"{name}: " if name else ""
        users.append(prefix + _users(cls, each))
        admins.append(prefix + _admins(platform, each))
    return Access("; ".join(users), "; ".join(admins))


def _users(cls: type, authenticator: HasTraits) -> str:
    if made_from(cls, "NullAuthenticator"):
        return "nobody (NullAuthenticator): API tokens alone open this hub"
    if _get(authenticator, "allow_all"):
        return f"everybody whom {cls.__name__} recognises"
    parts = []
    for name in _allowing(authenticator):
        value = _get(authenticator, name)
        if name == "allowed_users":
            parts.append(_names(value))
        elif name == "allow_existing_users":
            parts.append("users who are in the hub's database")
        else:
            parts.append(f"{name} {_names(value)}" if isinstance(value, Collection) else name)
    if _decides(cls):
        parts.append(f"whom {cls.__name__} allows by its own rules")
    return ", ".join(parts) or "nobody"


def _admins(platform: Platform, authenticator: HasTraits) -> str:
    parts = []
    if users := _get(authenticator, "admin_users"):
        parts.append(_names(users))
    if groups := _get(authenticator, "admin_groups"):
        parts.append(f"the groups {_names(groups)}")
    for role in platform.value("JupyterHub", "load_roles") or ():
        if isinstance(role, Mapping) and role.get("name") == "admin":
            for kind in ("users", "groups", "services"):
                if role.get(kind):
                    parts.append(
                        f"the {kind} {_names(role[kind])}"
                        if kind != "users"
                        else _names(role[kind])
                    )
    return ", ".join(parts) or "nobody"


def _names(values: Any) -> str:
    names = sorted(map(str, values)) if isinstance(values, Iterable) else [str(values)]
    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return ", ".join(names[:MANY]) + more


def _allowing(authenticator: HasTraits) -> list[str]:
    """The options by which somebody is allowed."""
    return [
        name
        for name, trait in authenticator.traits(config=True).items()
        if (trait.metadata.get("allow_config") or name.startswith("allow"))
        and name != "allow_all"
        and _get(authenticator, name)
    ]


def _get(authenticator: HasTraits, name: str) -> Any:
    try:
        return getattr(authenticator, name, None)
    except Exception:
        return None  # its default needs what only a whole object has


def _decides(cls: type) -> bool:
    """Whether a class has a rule of its own for who is allowed."""
    for name in ("check_allowed", "get_authenticated_user"):
        method = getattr(cls, name, None)
        # A class made in the config file has no module.
        package = (getattr(method, "__module__", None) or "").partition(".")[0]
        if package not in ("greyhub", "jupyterhub", "oauthenticator"):
            return True
    return False


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about who may log in."""
    cls = platform.authenticator
    if cls is None:
        return
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
    public = not is_loopback(_host(platform))
    everybody = _get(authenticator, "allow_all")
    somebody = everybody or _allowing(authenticator) or _decides(cls)
    if getattr(cls, "admits_by_options", False):  # admins, too
        somebody = somebody or _get(authenticator, "admin_users")
        somebody = somebody or _get(authenticator, "admin_groups")
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
    shared = _shared_password(cls, authenticator)
    if everybody and _anybody(cls, authenticator):
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
    if _asks_for_password(cls, authenticator) and not _tls(platform):
        yield (
            "plain-http",
            address,
            f"passwords would cross the network in clear text: {section} asks for them, and the "
            "hub listens beyond this machine without TLS",
            'listen on this machine only, c.JupyterHub.ip = "127.0.0.1"; set '
            "c.JupyterHub.ssl_cert and ssl_key; or, where something in front of the hub speaks "
            'TLS, name its address: c.JupyterHub.public_url = "https://…"',
        )


def _host(platform: Platform) -> str:
    return public_host(platform.config) or ""


def _tls(platform: Platform) -> bool:
    section = platform.config.get("JupyterHub", {})
    named = (section.get("public_url"), section.get("subdomain_host"))
    return bool(section.get("ssl_cert")) or any(str(url).startswith("https://") for url in named)


def _shared_password(cls: type, authenticator: HasTraits) -> bool:
    if made_from(cls, "SharedPasswordAuthenticator"):
        return True
    return made_from(cls, "DummyAuthenticator") and bool(_get(authenticator, "password"))


_PUBLIC_PROVIDERS: dict[str, tuple[str, ...]] = {
    "GitHubOAuthenticator": ("github_url",),
    "GitLabOAuthenticator": ("gitlab_url",),
    "GoogleOAuthenticator": ("hosted_domain",),
    "BitbucketOAuthenticator": (),
    "CILogonOAuthenticator": ("allowed_idps",),
    "GlobusOAuthenticator": ("identity_provider",),
    "MWOAuthenticator": (),
    "OrcidOAuthenticator": (),
    "TmpAuthenticator": (),
    "FirstUseAuthenticator": (),
}
"""Authenticators at which anybody can have an account, and what would narrow them down."""


_PUBLIC_ISSUERS = frozenset({"https://accounts.google.com", "https://gitlab.com", "github"})
"""Providers at which anybody can have an account; GitHub by its preset's name."""


def _anybody(cls: type, authenticator: HasTraits) -> bool:
    if made_from(cls, "DummyAuthenticator"):
        return not _get(authenticator, "password")
    if made_from(cls, "OIDCAuthenticator") and not _get(authenticator, "required_claims"):
        if _get(authenticator, "takes_personal_accounts"):
            return True
        issuer = _get(authenticator, "issuer") or _get(authenticator, "preset")
        return issuer in _PUBLIC_ISSUERS
    for name, narrowing in _PUBLIC_PROVIDERS.items():
        if made_from(cls, name):
            return not any(_narrowed(authenticator, option) for option in narrowing)
    return False


def _narrowed(authenticator: HasTraits, option: str) -> bool:
    value = _get(authenticator, option)
    public = ("https://github.com", "https://gitlab.com", "https://www.gitlab.com")
    return bool(value) and str(value).rstrip("/") not in public


def _instead(cls: type) -> str:
    if made_from(cls, "DummyAuthenticator", "TmpAuthenticator"):
        return "choose another c.GreyHub.auth"
    return f"c.{cls.__name__}.allowed_users = {{…}} instead of allow_all"


def _asks_for_password(cls: type, authenticator: HasTraits) -> bool:
    """Whether the hub itself shows a form for a name and a password."""
    from jupyterhub.auth import Authenticator

    if made_from(cls, "NullAuthenticator", "OAuthenticator", "TmpAuthenticator"):
        return False
    elsewhere: Callable[..., Any] = getattr(cls, "login_url", Authenticator.login_url)
    own_page = elsewhere is Authenticator.login_url
    return (
        own_page
        and not _get(authenticator, "login_service")
        and not _get(authenticator, "auto_login")
    )


def _oddities(platform: Platform, authenticator: HasTraits) -> Iterator[Finding]:
    allowed = _get(authenticator, "allowed_users") or ()
    path = platform.is_set("Authenticator", "allowed_users")
    if path and platform.is_set("Authenticator", "allow_all") and _get(authenticator, "allow_all"):
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
