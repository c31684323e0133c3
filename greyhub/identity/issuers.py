"""What an Authenticator class is called in the table of identities, and whom it knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from greyhub.adapter import Adapter
from greyhub.class_names import made_from
from greyhub.identity.rules import Identity
from greyhub.imports import points
from greyhub.slots import SLOTS


def word_of(adapter: Adapter | None, cls: type) -> str:
    """A short word for an Authenticator class: its entry point's name, else its import string.

    Parameters
    ----------
    adapter : Adapter or None
        What fills the slot; one that has an entry point of its own gives its name.
    cls : type
        The Authenticator class.
    """
    for one, group in ((type(adapter), SLOTS["auth"].group), (cls, "jupyterhub.authenticators")):
        found = {p.name for p in points(group) if p.value == f"{one.__module__}:{one.__qualname__}"}
        found -= {"default"}  # JupyterHub's other name for one of them
        if found:
            return min(found)
    return f"{cls.__module__}.{cls.__qualname__}"


def issuer_of(authenticator: Any, word: str, username: str = "") -> str:
    """The issuer of the identities that an authenticator will tell, as far as it is known.

    Of OAuth2 without OpenID's issuer, the provider's host is part of it: the same number is
    another person at another provider. An authenticator with several issuers has a method
    ``issuer_of_user(username)``, which is empty where it does not know.
    """
    if hasattr(authenticator, "issuer_of_user"):
        return str(authenticator.issuer_of_user(username))
    if hasattr(authenticator, "identity"):
        known = (getattr(authenticator, name, "") for name in ("identity_issuer", "issuer"))
        return next((each for each in known if isinstance(each, str) and each), word)
    if made_from(type(authenticator), "OAuthenticator"):
        host = urlsplit(str(authenticator.authorize_url)).netloc
        return f"{word}@{host}" if host else word
    return word


def identity_of(authenticator: Any, word: str, model: Mapping[str, Any], name: str) -> Identity:
    """Who an authenticator says that somebody is.

    Parameters
    ----------
    authenticator : jupyterhub.auth.Authenticator
        It may have a method ``identity(auth_model)`` that returns issuer and subject.
    word : str
        The authenticator's.
    model : Mapping[str, Any]
        What its ``authenticate`` returned.
    name : str
        The user's name, normalized.
    """
    if hasattr(authenticator, "identity"):
        return Identity(*authenticator.identity(model))
    issuer = issuer_of(authenticator, word)
    if made_from(type(authenticator), "OAuthenticator"):
        state = model.get("auth_state") or {}
        known = state.get(authenticator.user_auth_state_key) or {}
        for key in ("sub", "id"):
            subject = known.get(key) if isinstance(known, Mapping) else None
            if isinstance(subject, str | int) and not isinstance(subject, bool) and subject != "":
                return Identity(issuer, str(subject))
        return Identity(issuer, f"name:{name}")
    return Identity(issuer, name)
