"""What an Authenticator says of itself: whom its options allow, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from traitlets import HasTraits

from greyhub.class_names import made_from


def shared_password(cls: type, authenticator: HasTraits) -> bool:
    """Whether one password opens the hub to whoever knows it."""
    if made_from(cls, "SharedPasswordAuthenticator"):
        return True
    return made_from(cls, "DummyAuthenticator") and bool(option_of(authenticator, "password"))


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


def takes_anybody(cls: type, authenticator: HasTraits) -> bool:
    """Whether it recognises everybody, or whoever makes an account somewhere."""
    if made_from(cls, "DummyAuthenticator"):
        return not option_of(authenticator, "password")
    if made_from(cls, "OIDCAuthenticator") and not option_of(authenticator, "required_claims"):
        if option_of(authenticator, "takes_personal_accounts"):
            return True
        issuer = option_of(authenticator, "issuer") or option_of(authenticator, "preset")
        return issuer in _PUBLIC_ISSUERS
    for name, narrowing in _PUBLIC_PROVIDERS.items():
        if made_from(cls, name):
            return not any(_narrowed(authenticator, option) for option in narrowing)
    return False


def _narrowed(authenticator: HasTraits, option: str) -> bool:
    value = option_of(authenticator, option)
    public = ("https://github.com", "https://gitlab.com", "https://www.gitlab.com")
    return bool(value) and str(value).rstrip("/") not in public


def asks_for_password(cls: type, authenticator: HasTraits) -> bool:
    """Whether the hub itself shows a form for a name and a password."""
    from jupyterhub.auth import Authenticator

    if made_from(cls, "NullAuthenticator", "OAuthenticator", "TmpAuthenticator"):
        return False
    elsewhere: Callable[..., Any] = getattr(cls, "login_url", Authenticator.login_url)
    own_page = elsewhere is Authenticator.login_url
    return (
        own_page
        and not option_of(authenticator, "login_service")
        and not option_of(authenticator, "auto_login")
    )


def allowing_options(authenticator: HasTraits) -> list[str]:
    """The options by which somebody is allowed."""
    return [
        name
        for name, trait in authenticator.traits(config=True).items()
        if (trait.metadata.get("allow_config") or name.startswith("allow"))
        and name != "allow_all"
        and option_of(authenticator, name)
    ]


def option_of(authenticator: HasTraits, name: str) -> Any:
    """The value of one of its options; None if it has none of this name."""
    try:
        return getattr(authenticator, name, None)
    except Exception:
        return None  # its default needs what only a whole object has


def decides(cls: type) -> bool:
    """Whether a class has a rule of its own for who is allowed."""
    for name in ("check_allowed", "get_authenticated_user"):
        method = getattr(cls, name, None)
        # A class made in the config file has no module.
        package = (getattr(method, "__module__", None) or "").partition(".")[0]
        if package not in ("greyhub", "jupyterhub", "oauthenticator"):
            return True
    return False
