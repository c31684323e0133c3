"""Reserve free ports of this machine."""

from __future__ import annotations

import socket


def reserve(address: str = "127.0.0.1") -> socket.socket:
    """A free port, held until the socket is closed.

    The socket is bound and never listens: the kernel gives its port to nobody
    who asks for any port, while a server that asks for this one and sets
    SO_REUSEADDR, as tornado's do, can listen on it.
    """
    held = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((address, 0))
    return held


def accepts(address: str, port: int) -> bool:
    """Whether something on this machine listens there. Never blocks for long."""
    try:
        socket.create_connection((address, port), timeout=0.2).close()
    except OSError:
        return False
    return True


def unusable(host: str, port: int) -> str:
    """Why no program can listen there, as the system says it; empty if one can."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return str(error.strerror)
    return ""
