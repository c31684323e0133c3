"""Signing keys and ID tokens, valid and forged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

LIFETIME = 300
"""Seconds that an ID token is good for."""


def b64(data: bytes) -> str:
    """Base64 as JOSE writes it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """One signing key, and its half that everybody may see."""

    def __init__(self, number: int) -> None:
        self.kid, self._private = f"key-{number}", _private_key(number)

    def public(self) -> dict[str, str]:
        """As JWKS lists it."""
        numbers = self._private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": b64(numbers.n.to_bytes(256, "big")),
            "e": b64(numbers.e.to_bytes(3, "big")),
        }

    def pem(self) -> bytes:
        """The public half as PEM."""
        return self._private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, claims: Mapping[str, Any], *, alg: str = "RS256", kid: str = "") -> str:
        """A token with these claims.

        Parameters
        ----------
        alg : str
            ``RS256``; ``none`` for a token without a signature; ``HS256`` for one
            that takes the public key for a shared secret.
        kid : str
            The name that the token gives for its key; by default the true one.
        """
        header = {"typ": "JWT", "alg": alg, "kid": kid or self.kid}
        text = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        if alg == "none":
            return f"{text}."
        if alg == "HS256":
            return f"{text}.{b64(hmac.digest(self.pem(), text.encode(), hashlib.sha256))}"
        return (
            f"{text}.{b64(self._private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
        )


def id_token(key: Key, foreign: Key, claims: Mapping[str, Any], lie: str = "") -> str:
    """An ID token, or what an attacker or another provider would have made of it.

    Parameters
    ----------
    claims : mapping
        True ones, with ``iss`` and ``aud``; the times are added.
    lie : str
        One of `greyhub.conformance.testkit.provider.LIES`, or nothing.
    """
    now = int(time.time())
    false: dict[str, dict[str, Any]] = {
        "aud": {"aud": "another-client"},
        "another aud": {"aud": f"{claims['aud']}-2"},
        "iss": {"iss": "https://issuer.example"},
        "another iss": {"iss": f"{claims['iss']}.example"},
        "exp": {"iat": now - 2 * LIFETIME, "exp": now - LIFETIME},
    }
    said = {**claims, "iat": now, "exp": now + LIFETIME, **false.get(lie, {})}
    if lie in ("none", "HS256"):
        return key.sign(said, alg=lie)
    if lie == "foreign":
        return foreign.sign(said, kid=key.kid)
    return key.sign(said)


def matches(verifier: str, challenge: str) -> bool:
    """Whether a PKCE verifier is the one that an S256 challenge was made from."""
    return hmac.compare_digest(b64(hashlib.sha256(verifier.encode()).digest()), challenge)


@cache
def _private_key(number: int) -> rsa.RSAPrivateKey:
    # Making one takes a tenth of a second: each number keeps its own.
    return rsa.generate_private_key(65537, 2048)
