"""A rendezvous of one process's own: HTTPS, with a certificate that is made for it.

For a notebook without a hub whose machines or jobs are agents. The certificate is public, and
goes where the nonce goes: an agent trusts nothing else.
"""

from __future__ import annotations

import datetime
import errno
import ipaddress
import os
import ssl
import tempfile
from typing import Any, Final

from greyhub.rendezvous.handlers import ROUTE, RendezvousHandler
from greyhub.rendezvous.service import Rendezvous

GOOD_FOR: Final = datetime.timedelta(days=30)
"""Of the certificate; jobs run for 21 days at most."""


class OwnServer:
    """Answers agents.

    Parameters
    ----------
    host : str
        The address of this machine, as the agents reach it.
    port : int
        Where to listen; by default, at a port that is free.
    """

    def __init__(self, host: str, port: int = 0) -> None:
        self.host, self.port = host, port
        self.rendezvous = Rendezvous()
        self.certificate, self._key = self_signed(host)
        """As PEM: what agents are to trust."""
        self._server: Any = None

    @property
    def url(self) -> str:
        """Where agents ask."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"

    def start(self) -> None:
        """Listen, in the event loop that runs."""
        from tornado.httpserver import HTTPServer
        from tornado.netutil import bind_sockets
        from tornado.web import Application

        handler = (ROUTE, RendezvousHandler, {"rendezvous": self.rendezvous})
        self._server = HTTPServer(
            Application([handler], log_function=lambda handler: None),
            ssl_options=_context(self.certificate, self._key),
        )
        try:
            sockets = bind_sockets(self.port, self.host)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
            sockets = bind_sockets(self.port)  # it is another machine's, which forwards
        self.port = sockets[0].getsockname()[1]
        self._server.add_sockets(sockets)

    async def stop(self) -> None:
        """Listen no more; whoever has connected is cut off."""
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()
            self._server = None


def self_signed(host: str) -> tuple[str, str]:
    """A certificate for a host's name or address, and its private key, each as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        named: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        named = x509.DNSName(host)
    key, now = generate_private_key(SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "greyhub rendezvous")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # the nodes' clocks may be behind
        .not_valid_after(now + GOOD_FOR)
        .add_extension(x509.SubjectAlternativeName([named]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def _context(certificate: str, key: str) -> ssl.SSLContext:
    """What a server presents; Python reads keys from files alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    descriptor, path = tempfile.mkstemp(prefix="greyhub-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(certificate + key)
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
    return context
