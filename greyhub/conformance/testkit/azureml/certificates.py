"""A certificate authority of the simulator's own, and a certificate for loopback from it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ADDRESS = "127.0.0.1"


def serve_with(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context, and the file with the authority that clients must trust for it."""
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _builder("Azure ML simulator's authority", root, root.public_key())
    authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    authority = authority.add_extension(_usage(sign=True), True)
    server = _builder("Azure ML simulator's authority", root, leaf.public_key(), "127.0.0.1")
    server = server.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    server = server.add_extension(_usage(sign=False), True)
    names = [x509.IPAddress(ip_address(ADDRESS)), x509.DNSName("localhost")]
    server = server.add_extension(x509.SubjectAlternativeName(names), False)
    ca, chain = folder / "ca.pem", folder / "server.pem"
    ca.write_bytes(_pem(authority.sign(root, hashes.SHA256())))
    chain.touch(mode=0o600)
    chain.write_bytes(_pem(server.sign(root, hashes.SHA256())) + _key(leaf))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, ca


def _builder(
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    public: ec.EllipticCurvePublicKey,
    subject: str = "",
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject or issuer)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(identifier, False)
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign,
        key_cert_sign=sign,
        crl_sign=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
