"""Verify an ID token: OpenID Connect Core 1.0, 3.1.3.7, and no exception from it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

FAMILIES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The type of key that an algorithm takes, by its first letters."""

ALGORITHMS: Final = frozenset(
    [*(f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512)), "EdDSA"]
)
"""The signatures that are believed: those whose key only the provider has."""

SKEW: Final = 60
"""Seconds by which the provider's clock and this machine's may differ."""

LONGEST: Final = 255
"""Characters that a subject may have: OpenID Connect Core 1.0, 2."""


class BadToken(Exception):
    """An ID token that is not believed; the message says why and holds nothing of it."""


class UnknownKey(BadToken):
    """None of the keys is the one that the token names: there may be new ones."""


def verified(
    token: object,
    keys: Sequence[Mapping[str, Any]],
    *,
    issuer: str,
    client_id: str,
    nonce: str | None,
) -> dict[str, Any]:
    """The claims of an ID token.

    Parameters
    ----------
    token : object
        What the token endpoint gave.
    keys : sequence of mapping
        The provider's keys, as its JWKS lists them.
    issuer, client_id : str
        Who must have made it, and for whom.
    nonce : str or None
        What must stand in it; None for one that came with a refresh.

    Raises
    ------
    BadToken
        It is not to be believed.
    """
    import jwt

    if not isinstance(token, str):
        raise BadToken("there is none")
    try:
        header = jwt.get_unverified_header(token)
        key = jwt.PyJWK(dict(_key(header, keys)), algorithm=header["alg"])
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[header["alg"]],
            audience=client_id,
            issuer=issuer,
            leeway=SKEW,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except BadToken:
        raise
    except Exception as error:
        # Of the library's errors some quote the token.
        raise BadToken(_REASONS.get(type(error).__name__, "it cannot be read")) from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST:
        raise BadToken("its subject is no text")
    many = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (many or "azp" in claims) and claims.get("azp") != client_id:
        raise BadToken("it was made for another client")
    if nonce is not None and claims.get("nonce") != nonce:
        raise BadToken("it belongs to another login: its nonce is not this one's")
    if claims["exp"] - claims["iat"] < 0 or claims["iat"] > time.time() + SKEW:
        raise BadToken("its times cannot be")
    return claims


def _key(header: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    alg, kid = header.get("alg"), header.get("kid")
    if alg not in ALGORITHMS:
        raise BadToken("its signature is of a kind that is not believed")
    if "crit" in header:
        raise BadToken("it asks for an extension that is not known here")
    fit = [
        key
        for key in keys
        if key.get("kty") == FAMILIES[alg[:2]]
        and key.get("use", "sig") == "sig"
        and key.get("alg", alg) == alg
        and (kid is None or key.get("kid") == kid)
    ]
    if not fit:
        raise UnknownKey("its key is none of the provider's")
    if len(fit) > 1:
        raise BadToken("it does not say which of the provider's keys has signed it")
    return fit[0]


_REASONS: Final = {
    "ExpiredSignatureError": "its time is over",
    "ImmatureSignatureError": "its time has not begun: compare the clocks",
    "InvalidAudienceError": "it was made for another client",
    "InvalidIssuerError": "another issuer has made it",
    "InvalidSignatureError": "its signature is false",
    "MissingRequiredClaimError": "a claim is missing that must be there",
}
