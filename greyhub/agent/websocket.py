"""A WebSocket client (RFC 6455) for binary messages, on asyncio's streams."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import ssl
from typing import Final
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LARGEST: Final = 1024 * 1024
"""Bytes that a frame may have."""

SILENCE: Final = 90.0
"""Seconds without a frame, the other side's pings among them, after which it is gone."""

_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # the RFC's


class WebSocket:
    """A connection; see `connect`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, message: bytes, kind: int = BINARY) -> None:
        """Send one message; wait where the connection is full."""
        size = len(message)
        if size < 126:
            head = bytes([0x80 | kind, 0x80 | size])
        elif size < 1 << 16:
            head = bytes([0x80 | kind, 0x80 | 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([0x80 | kind, 0x80 | 127]) + size.to_bytes(8, "big")
        mask = os.urandom(4)
        self._writer.write(head + mask + _masked(message, mask))
        await self._writer.drain()

    async def receive(self) -> bytes:
        """The next message, text or binary.

        Raises
        ------
        ConnectionError
            The connection has ended.
        """
        whole = bytearray()
        while True:
            try:
                async with asyncio.timeout(SILENCE):
                    final, kind, data = await self._frame()
            except (asyncio.IncompleteReadError, TimeoutError):
                raise ConnectionError("the tunnel has ended") from None
            if kind == PING:
                await self.send(data, PONG)
            elif kind == CLOSE:
                raise ConnectionError("the tunnel was closed")
            elif kind != PONG:
                whole += data
                if len(whole) > LARGEST:
                    raise ConnectionError("a message that is too large")
                if final:
                    return bytes(whole)

    async def _frame(self) -> tuple[bool, int, bytes]:
        first, second = await self._reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            size = int.from_bytes(await self._reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self._reader.readexactly(8), "big")
        if second & 0x80 or size > LARGEST:
            raise ConnectionError("a frame that no server may send")
        return bool(first & 0x80), first & 0x0F, await self._reader.readexactly(size)

    def close(self) -> None:
        """End the connection."""
        self._writer.transport.abort()


def _masked(data: bytes, mask: bytes) -> bytes:
    size = len(data)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(data, "little") ^ key).to_bytes(size, "little")


async def connect(url: str, context: ssl.SSLContext) -> WebSocket:
    """Open a WebSocket.

    Parameters
    ----------
    url : str
        Its address, with the scheme http or https.
    context : ssl.SSLContext
        Who may vouch for the server.

    Raises
    ------
    OSError
        There is none.
    """
    parts = urlsplit(url)
    tls = context if parts.scheme == "https" else None
    port = parts.port or (443 if tls else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=tls)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        async with asyncio.timeout(30):
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        writer.transport.abort()
        raise ConnectionError(f"no WebSocket at {url}") from None
    status, *lines = answer.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    # The RFC says SHA-1; it proves that the other side speaks WebSocket, and no more.
    digest = hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()
    proof = base64.b64encode(digest).decode()
    if " 101 " not in status or headers.get("sec-websocket-accept") != proof:
        writer.transport.abort()
        raise ConnectionError(f"no WebSocket at {url}: {status}")
    return WebSocket(reader, writer)
