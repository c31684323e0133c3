"""A certificate authority of one's own, and a certificate of it for an address."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ADDRESS = "127.0.0.1"


class Authority:
    """Files of PEM in a directory: who vouches, a server's certificate, and its key.

    Parameters
    ----------
    directory : Path
        Where they are put.
    address : str
        The server's IP address.
    names : sequence of str
        What else it may be called.

    Attributes
    ----------
    ca, certificate, key : Path
        The files. The key is its owner's alone.
    """

    def __init__(
        self, directory: Path, address: str = ADDRESS, names: Sequence[str] = ("localhost",)
    ) -> None:
        files = ("ca.pem", "server.pem", "server.key")
        self.ca, self.certificate, self.key = (directory / each for each in files)
        own, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        authority = _builder("an authority", own.public_key(), own)
        authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        authority = authority.add_extension(_usage(sign=True), True)
        server = _builder(address, other.public_key(), own)
        server = server.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        server = server.add_extension(_usage(sign=False), True)
        here = [x509.IPAddress(ip_address(address)), *map(x509.DNSName, names)]
        server = server.add_extension(x509.SubjectAlternativeName(here), False)
        self.ca.write_bytes(_pem(authority.sign(own, hashes.SHA256())))
        self.certificate.write_bytes(_pem(server.sign(own, hashes.SHA256())))
        self.key.touch(mode=0o600)
        self.key.write_bytes(
            other.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )

    def serving(self) -> ssl.SSLContext:
        """The context of a server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def trusting(self) -> ssl.SSLContext:
        """The context of a client that trusts it."""
        return ssl.create_default_context(cafile=str(self.ca))


def _builder(
    subject: str, public: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(issuer, False)
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
