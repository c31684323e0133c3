"""How the hub proves who it is without a secret: by a certificate, or by another's token."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

LASTS: Final = 300
"""Seconds for which a proof is good."""

Proof = Callable[[str], str]
"""A client assertion for the token endpoint with this address: RFC 7523."""


def by_certificate(path: str, client_id: str) -> Proof:
    """By the key and the certificate in a PEM file, which is read each time.

    https://learn.microsoft.com/entra/identity-platform/certificate-credentials
    """

    def proof(endpoint: str) -> str:
        import jwt
        from cryptography.hazmat.primitives import serialization
        from cryptography.x509 import load_pem_x509_certificate

        pem = Path(path).read_bytes()
        der = load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
        thumb = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
        now = int(time.time())
        claims = {
            "aud": endpoint,
            "iss": client_id,
            "sub": client_id,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + LASTS,
        }
        return jwt.encode(claims, pem, algorithm="PS256", headers={"x5t#S256": thumb})

    return proof


def by_federation(path: str) -> Proof:
    """By the token in a file, which whoever runs the hub's machine renews.

    https://learn.microsoft.com/entra/workload-id/workload-identity-federation
    """
    return lambda endpoint: Path(path).read_text(encoding="ascii").strip()
