"""The server that the suite starts: answers like a notebook server, in a few milliseconds.

Run as a script it needs nothing but Python, not even site-packages. It takes
its address from the environment that the hub gives every server, and these
words of the suite's own from ``PROBE``: ``dead`` ends at once with status 3,
``mute`` never listens, ``stubborn`` ignores SIGTERM, ``slow`` answers late.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

TYPE_CHECKING = False  # typing itself takes longer to import than all the rest
if TYPE_CHECKING:
    import ssl

HEAD = (
    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-JupyterHub-Version: {version}\r\n"
    "Content-Length: {length}\r\nConnection: close\r\n\r\n"
)


class Probe:
    """A server for one environment, in threads of its own."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.words = environ.get("PROBE", "").split()
        self.socket: socket.socket | None = None
        self.began = time.monotonic()

    def listen(self) -> int:
        """Begin to answer, and return the port."""
        address, port, prefix, secure = where(self.environ)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(64)
        context = tls(self.environ) if secure else None
        threading.Thread(target=self.accept, args=(listening, prefix, context), daemon=True).start()
        return int(listening.getsockname()[1])

    def accept(self, listening: socket.socket, prefix: str, context: ssl.SSLContext | None) -> None:
        """Answer each connection in a thread."""
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                answer = (connection, prefix, context)
                threading.Thread(target=self.answer, args=answer, daemon=True).start()

    def answer(
        self, connection: socket.socket, prefix: str, context: ssl.SSLContext | None
    ) -> None:
        """One request, one answer."""
        with suppress(OSError, IndexError), connection:
            connection.settimeout(5)
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            if "slow" in self.words:
                late = self.began + float(self.environ.get("PROBE_SLOW", "2"))
                time.sleep(max(0.0, late - time.monotonic()))
            path = connection.recv(65536).decode("latin-1").split(" ")[1]
            found = path.split("?")[0].startswith(prefix)
            body = '{"version": "probe"}' if found else "{}"
            head = HEAD.format(
                status="200 OK" if found else "404 Not Found",
                version=self.environ.get("PROBE_VERSION", ""),
                length=len(body),
            )
            connection.sendall((head + body).encode())

    def close(self) -> None:
        """Answer no more."""
        if self.socket is not None:
            # A thread that waits in accept() is woken by a shutdown, not by a close.
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()


def where(environ: Mapping[str, str]) -> tuple[str, int, str, bool]:
    """Address, port, prefix and whether TLS, from the variables of a hub."""
    url = environ.get("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:0/")
    scheme, _, rest = url.partition("://")
    netloc, slash, path = rest.partition("/")
    host, _, port = netloc.rpartition(":")
    prefix = environ.get("JUPYTERHUB_SERVICE_PREFIX", slash + path)
    return host.strip("[]") or "127.0.0.1", int(port or 0), prefix, scheme == "https"


def tls(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The context of a server whose clients must show a certificate."""
    import ssl

    authority = environ["JUPYTERHUB_SSL_CLIENT_CA"]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(environ["JUPYTERHUB_SSL_CERTFILE"], environ["JUPYTERHUB_SSL_KEYFILE"])
    return context


def will(environ: Mapping[str, str], word: str) -> None:
    """Leave a note that the server was asked to end and had the time to write it."""
    folder = environ.get("PROBE_WILL")
    if folder:
        name = environ.get("JUPYTERHUB_SERVER_NAME", "") or "default"
        with suppress(OSError), open(os.path.join(folder, name), "w") as note:
            note.write(word)


def main() -> None:
    """The script."""
    probe = Probe(dict(os.environ))
    ended = threading.Event()

    def end(number: int, frame: object) -> None:
        will(os.environ, signal.Signals(number).name)
        if "stubborn" not in probe.words:
            ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if "dead" in probe.words:
        sys.exit(3)
    if "mute" not in probe.words:
        probe.listen()
    while not ended.wait(0.5):
        pass
    sys.exit(int(os.environ.get("PROBE_STATUS", "0")))


if __name__ == "__main__":
    main()
