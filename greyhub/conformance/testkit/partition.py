"""Cut this process off from an address: connections break, and none can be made."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import psutil

_lost: set[int] = set()
"""The ports that cannot be reached."""

_hooked = False


@contextmanager
def cut_off(*addresses: str) -> Iterator[list[int]]:
    """Cut this process off from these addresses while the block lasts.

    Gives a list with the number of connections that were broken. Those that
    others have made to this process stay.
    """
    global _hooked
    if not _hooked:
        # An audit hook stays for ever; this one costs a look-up where nothing is lost.
        sys.addaudithook(_refuse)
        _hooked = True
    ports = {port for port in (urlsplit(address).port for address in addresses) if port}
    _lost.update(ports)
    try:
        yield [_break(ports)]
    finally:
        _lost.difference_update(ports)


def _refuse(event: str, args: tuple[object, ...]) -> None:
    if _lost and event == "socket.connect":
        address = args[1]
        if isinstance(address, tuple) and address[1] in _lost:
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))


def _break(ports: set[int]) -> int:
    broken = 0
    for each in psutil.Process().net_connections("tcp"):
        if each.raddr and each.raddr.port in ports and each.fd >= 0:
            with suppress(OSError), socket.socket(fileno=os.dup(each.fd)) as connection:
                connection.shutdown(socket.SHUT_RDWR)
                broken += 1
    return broken
