"""ID tokens: which are believed, and which are not."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from greyhub.auth.openid.id_token import SKEW, BadToken, UnknownKey, verified
from greyhub.conformance.testkit.provider.tokens import b64

ISSUER, CLIENT, NONCE = "https://idp.example", "hub", "the-nonce"
RSA = rsa.generate_private_key(65537, 2048)
FOREIGN = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ODD = ec.generate_private_key(ec.SECP256K1())
ED = ed25519.Ed25519PrivateKey.generate()


def public(key: Any, kid: str | None = "one", **more: Any) -> dict[str, Any]:
    name = {"RSA": "RSAAlgorithm", "EC": "ECAlgorithm", "Ed": "OKPAlgorithm"}
    kind = next(word for word in name if type(key).__name__.startswith(word))
    cls = getattr(jwt.algorithms, name[kind])
    listed = dict(cls.to_jwk(key.public_key(), as_dict=True))
    return {**listed, **({"kid": kid} if kid else {}), **more}


KEYS = [public(RSA)]


def token(
    key: Any = RSA, alg: str = "RS256", header: dict[str, Any] | None = None, **changes: Any
) -> str:
    """A token with other claims; None leaves one out, and times are seconds from now."""
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": "ada", "aud": CLIENT, "exp": now + 300, "iat": now}
    said = {**claims, "nonce": NONCE, **changes}
    said |= {name: now + changes[name] for name in ("exp", "iat", "nbf") if changes.get(name)}
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, key, alg, {"kid": "one", **(header or {})})


def claims(text: object, keys: list[dict[str, Any]] = KEYS, nonce: str | None = NONCE) -> Any:
    return verified(text, keys, issuer=ISSUER, client_id=CLIENT, nonce=nonce)


def test_a_true_token_tells_its_claims() -> None:
    assert claims(token(preferred_username="ada"))["preferred_username"] == "ada"
    assert claims(token(aud=[CLIENT]))["sub"] == "ada"
    assert claims(token(aud=[CLIENT, "another"], azp=CLIENT))["sub"] == "ada"
    assert claims(token(nonce=None), nonce=None)["sub"] == "ada"  # that of a refresh


@pytest.mark.parametrize(
    ("key", "alg"), [(RSA, "PS256"), (RSA, "RS512"), (EC, "ES256"), (ED, "EdDSA")]
)
def test_signatures_whose_key_the_provider_alone_has_are_believed(key: Any, alg: str) -> None:
    assert claims(token(key, alg), [public(key)])["sub"] == "ada"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://idp.example.evil"}, "another issuer"),
        ({"iss": f"{ISSUER}/"}, "another issuer"),
        ({"iss": None}, "missing"),
        ({"aud": "hub-2"}, "another client"),
        ({"aud": ["another"]}, "another client"),
        ({"aud": [CLIENT, "another"]}, "another client"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "another client"),
        ({"azp": "another"}, "another client"),
        ({"aud": None}, "missing"),
        ({"sub": None}, "missing"),
        ({"sub": ""}, "subject"),
        ({"sub": 17}, "."),
        ({"sub": "a" * 256}, "subject"),
        ({"iat": None}, "missing"),
        ({"exp": None}, "missing"),
        ({"exp": -SKEW - 60}, "over"),
        ({"iat": SKEW + 600, "exp": 2000}, "clock"),
        ({"nbf": SKEW + 600}, "clock"),
        ({"iat": -10, "exp": -20}, "times"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ""}, "nonce"),
    ],
    ids=str,
)
def test_a_token_with_false_claims_is_not_believed(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(BadToken, match=why):
        claims(token(**changes))


@pytest.mark.parametrize("ahead", [-SKEW + 20, SKEW - 20])
def test_a_clock_that_is_a_little_off_does_no_harm(ahead: int) -> None:
    assert claims(token(iat=ahead, exp=ahead + 5))["sub"] == "ada"


def _raw(header: dict[str, Any], sign: Any) -> str:
    now = int(time.time())
    said = {"iss": ISSUER, "sub": "ada", "aud": CLIENT, "exp": now + 300, "iat": now}
    parts = (header, {**said, "nonce": NONCE})
    text = ".".join(b64(json.dumps(part).encode()) for part in parts)
    return f"{text}.{b64(sign(text.encode()))}"


def test_a_signature_of_another_kind_is_not_believed() -> None:
    public_key = jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key()).encode()

    def with_public(text: bytes) -> bytes:
        return hmac.digest(public_key, text, hashlib.sha256)

    forged = [
        *(_raw({"alg": alg, "kid": "one"}, lambda _: b"") for alg in ("none", "None", "NONE", "")),
        _raw({"kid": "one"}, lambda _: b""),
        _raw({"alg": "HS256", "kid": "one"}, with_public),
        _raw({"alg": ["RS256"], "kid": "one"}, lambda _: b""),
        token("a secret that the client shares with it", "HS256"),
        token(FOREIGN),
        token(header={"crit": ["exp"]}),
        token()[:-6] + "AAAAAA",
        token().rpartition(".")[0] + ".",
        "",
        "a.b.c",
        None,
        {"sub": "ada"},
    ]
    for text in forged:
        with pytest.raises(BadToken):
            claims(text)
    with pytest.raises(BadToken, match="of a kind"):
        claims(token(ODD, "ES256K"), [public(ODD)])


def test_the_key_in_a_token_is_not_its_judge() -> None:
    for header in ({"jwk": public(FOREIGN)}, {"jku": "https://evil.example/jwks"}):
        with pytest.raises(BadToken, match="signature"):
            claims(token(FOREIGN, header=header))


def test_only_the_key_that_fits_is_taken() -> None:
    with pytest.raises(UnknownKey):
        claims(token(header={"kid": "two"}))
    with pytest.raises(UnknownKey):
        claims(token(), [public(RSA, use="enc")])
    with pytest.raises(UnknownKey):
        claims(token(), [public(RSA, alg="PS256")])
    with pytest.raises(UnknownKey):
        claims(token(), [])
    unnamed = jwt.encode(jwt.decode(token(), options={"verify_signature": False}), RSA, "RS256")
    assert claims(unnamed, [public(RSA, None), public(EC, None)])["sub"] == "ada"
    with pytest.raises(BadToken, match="which of"):
        claims(unnamed, [public(RSA, "one"), public(FOREIGN, "two")])


def test_why_a_token_is_refused_tells_nothing_of_it() -> None:
    secret = token(iss="https://secret.example", email="ada@secret.example")
    with pytest.raises(BadToken) as caught:
        claims(secret)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
