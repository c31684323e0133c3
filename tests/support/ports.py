"""Ports for servers that take theirs by number: each is one test process's while that runs.

A port that was only probed is anybody's until its server listens. A lease is a
locked file, which the kernel unlocks when the process ends, however that comes;
other programs are kept away by the range, which the kernel gives to nobody.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import tempfile
from pathlib import Path

FIRST, LAST = 20000, 29999
"""Below the range of ports that Linux gives to whoever asks for any (32768 and above)."""

LEASES = Path(tempfile.gettempdir()) / f"greyhub-test-ports-{os.geteuid()}"

_held: dict[int, int] = {}


def free_port() -> int:
    """A port of loopback that nothing listens on, and that no other test process is given."""
    LEASES.mkdir(exist_ok=True)
    while True:
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        if port in _held:
            continue
        lease = os.open(LEASES / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lease)
            continue
        if listening(port):
            os.close(lease)
            continue
        _held[port] = lease
        return port


def listening(port: int, address: str = "127.0.0.1") -> bool:
    """Whether a server listens at a port, by default of loopback."""
    with socket.socket() as found:
        found.settimeout(5)
        return found.connect_ex((address, port)) == 0
