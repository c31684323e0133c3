"""HTTP messages on a connection of asyncio's, byte for byte: for a proxy that breaks them."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Request:
    """A request that reached the proxy."""

    method: str
    path: str
    body: bytes
    at: float = field(default_factory=time.monotonic)
    fault: str = ""


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[bytes, Request]:
    """One request: the head as it is passed on, and what it asks for."""
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in headers.get("transfer-encoding", ""):
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    # One request a connection: what is refused next must not ride on this one.
    dropped = ("connection", "expect", "keep-alive")
    kept = [line for line in lines if line.partition(":")[0].lower() not in dropped]
    head = "\r\n".join([first, *kept, "Connection: close", "", ""]).encode("latin-1")
    return head, Request(method, path, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    """A chunked body, as it came."""
    parts = []
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        parts += [line, await reader.readexactly(size + 2)]
        if size == 0:
            return b"".join(parts)


async def answer(writer: asyncio.StreamWriter, status: int, reason: str, body: bytes = b"") -> None:
    """Answer a request: with a page of HTML, or as a JSON API would say no."""
    kind = "text/html" if body else "application/json"
    body = body or b'{"message": "%s", "code": %d}' % (reason.encode(), status)
    writer.write(
        b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
        % (status, reason.encode(), kind.encode(), len(body), body)
    )
    await writer.drain()


def body_length(reply: bytes) -> int:
    """Bytes behind the head of a reply."""
    return len(reply) - reply.find(b"\r\n\r\n") - 4


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST: the other side sees the connection break, not an empty answer."""
    found: socket.socket | None = writer.get_extra_info("socket")
    if found is not None:
        with suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
