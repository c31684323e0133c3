"""Entra's error codes in words: what is wrong, and who can do what about it.

Whether a login ends is decided by OAuth's own word (``invalid_grant``, …). The code only
chooses the words, since Microsoft may change codes. Descriptions hold identifiers of people
and of the directory: they are neither shown nor logged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

TRANSIENT: Final = frozenset({50033, 50087, 50196, 90006, 90012, 90024, 90033, 90036, 90055})
"""It has no time now, whatever OAuth's word for it is."""

AGAIN: Final = "log in again, and do what the provider then asks for"
DIRECTORY: Final = "ask the administrator of your directory"
HUB: Final = "the hub's administrator"

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
CODES: Final[Mapping[int, tuple[str, str]]] = {
    # the user's
    50020: (
        "your account is of another directory than this hub admits",
        "log in with another account, or ask to be invited as a guest",
    ),
    50034: ("the directory does not know this account", f"log in with another, or {DIRECTORY}"),
    50055: ("your password has expired", "choose a new one at the provider, then log in again"),
    50057: ("your account is disabled", DIRECTORY),
    50072: ("a second factor has to be set up for your account", AGAIN),
    50074: ("a second factor is asked of you", AGAIN),
    50076: ("a second factor is asked of you", AGAIN),
    50078: ("your second factor is asked for anew", AGAIN),
    50079: ("a second factor has to be set up for your account", AGAIN),
    50089: ("the login has taken too long", "log in again"),
    50132: ("your session was ended, or your password has changed", "log in again"),
    50133: ("your session was ended, or your password has changed", "log in again"),
    50158: ("another service has to confirm who you are", AGAIN),
    50173: ("your session was revoked, or your password has changed", "log in again"),
    53000: (
        "your device does not meet the rules of your directory",
        f"use another, or {DIRECTORY}",
    ),
    53001: ("your device is not joined to your directory", f"use one that is, or {DIRECTORY}"),
    53003: (
        "the conditional access rules of your directory forbid this",
        f"log in from a device and a network that they admit, or {DIRECTORY}, who finds the rule "
        "in the sign-in log",
    ),
    53004: ("a second factor has to be set up for your account", AGAIN),
    53010: ("a second factor can be set up for your account from some places only", DIRECTORY),
    54005: ("this login has been used before", "log in again"),
    65004: ("you have not agreed to what the hub asks for", "log in again and agree"),
    70008: ("the login is too old", "log in again"),
    70043: ("your directory asks for a new login from time to time", "log in again"),
    700082: ("the login was not used for too long", "log in again"),
    # the directory's, or the hub's
    50105: (
        "you are not assigned to this application",
        f"{DIRECTORY} to assign you, or a group of yours, under Enterprise applications, Users and "
        "groups",
    ),
    65001: (
        "nobody has consented to what the hub asks for, or the consent was revoked",
        f"log in again and agree; where only administrators may, {DIRECTORY} to grant admin "
        "consent, under App registrations, API permissions",
    ),
    28000: (
        "one request asks for scopes of several resources",
        "name an audience for each resource",
    ),
    50011: (
        "the redirect address of this hub is not registered",
        f"{HUB} adds it under App registrations, Authentication, Web",
    ),
    50194: (
        "the application is registered for one directory alone",
        f"{HUB} registers it for several, or leaves allowed_tenants out",
    ),
    70011: ("a scope is not valid", f"{HUB} compares it with the API permissions"),
    90002: ("there is no such directory in this cloud", f"{HUB} compares tenant and cloud"),
    90094: (
        "only an administrator may consent to what the hub asks for",
        f"{DIRECTORY} to grant admin consent, under App registrations, API permissions",
    ),
    90038: ("the directory is in another cloud", f"{HUB} compares tenant and cloud"),
    500011: (
        "the directory does not know the resource of the scope",
        f"{HUB} compares the scope with what the resource calls itself",
    ),
    650057: (
        "the application is not registered for this resource",
        f"{HUB} adds it under App registrations, API permissions",
    ),
    700016: (
        "the directory does not know this application",
        f"{HUB} compares client_id and tenant with the registration",
    ),
    700022: (
        "one request asks for scopes of several resources",
        "name an audience for each resource",
    ),
    700024: ("the hub's proof of itself is out of its time", f"{HUB} compares the clocks"),
    700025: (
        "the application is registered as a public client, which has no secret",
        f"{HUB} registers the redirect address as Web",
    ),
    700027: (
        "the hub's certificate is not registered, or its signature is false",
        f"{HUB} uploads the certificate under Certificates and secrets",
    ),
    700084: (
        "the redirect address is registered for a single-page application",
        f"{HUB} registers it as Web",
    ),
    700211: ("no federated credential fits the issuer of the hub's token", f"{HUB} compares them"),
    700212: (
        "no federated credential fits the audience of the hub's token",
        f"{HUB} compares them",
    ),
    700213: ("no federated credential fits the subject of the hub's token", f"{HUB} compares them"),
    7000112: ("the application is disabled in the directory", f"{DIRECTORY} to enable it"),
    7000215: (
        "the hub's secret is wrong",
        f"{HUB} sets client_secret to the secret's value, and not to its id",
    ),
    7000218: ("the hub has given no proof of itself", f"{HUB} sets client_secret"),
    7000222: (
        "the hub's secret has expired",
        f"{HUB} makes a new one under Certificates and secrets, and sets client_secret",
    ),
}
"""By code, what is wrong and what to do."""


def code_of(said: Any) -> int:
    """The code of an error in an answer's body, or in its description; 0 if there is none."""
    if isinstance(said, Mapping):
        codes = said.get("error_codes")
        first = codes[0] if isinstance(codes, list) and codes else None
        if isinstance(first, int) and not isinstance(first, bool) and 0 < first < 10**9:
            return first
        said = said.get("error_description")
    found = re.match(r"AADSTS(\d{4,8})\b", said) if isinstance(said, str) else None
    return int(found[1]) if found else 0


def mark(error: str, code: int) -> str:
    """What is logged of an error: OAuth's word, and the code."""
    return f"{error} (AADSTS{code})" if code else error


def words(code: int) -> str:
    """What is wrong and what to do; empty for a code that is not known here."""
    if code not in CODES:
        return ""
    what, fix = CODES[code]
    return f"{what} (AADSTS{code})\n  fix: {fix}"
