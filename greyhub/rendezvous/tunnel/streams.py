"""Many byte streams over one channel of messages, each at its own pace.

A message is a type, a stream's number and what belongs to it. Each side may send as much of
a stream as the other has room for; a stream that nobody reads keeps no other waiting.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias

OPEN, DATA, END, RESET, ROOM = range(1, 6)
HEAD: Final = struct.Struct(">BI")
COUNT: Final = struct.Struct(">I")

WINDOW: Final = 256 * 1024
"""Bytes of a stream that may be under way."""

CHUNK: Final = 32 * 1024
MANY: Final = 512
"""Streams at a time."""

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Connect: TypeAlias = Callable[[], Awaitable[tuple[Reader, Writer]]]


class Broken(ConnectionError):
    """The channel has ended, or the other side does not keep to the rules."""


class _Stream:
    def __init__(self) -> None:
        self.room = WINDOW
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.waiting = 0
        self.task: asyncio.Task[None] | None = None

    def more_room(self, count: int) -> None:
        self.room += count
        self.has_room.set()


class Streams:
    """The streams of one channel.

    Parameters
    ----------
    send : async callable
        Sends a message, in order; waits where the channel is full.
    connect : async callable, optional
        Connects a stream that the other side opens; by default it may open none.
    """

    def __init__(
        self, send: Callable[[bytes], Awaitable[None]], connect: Connect | None = None
    ) -> None:
        self._send, self._connect = send, connect
        self._streams: dict[int, _Stream] = {}
        self._last = 0

    async def carry(self, reader: Reader, writer: Writer) -> None:
        """Open a stream for a connection; return when both have ended."""
        if len(self._streams) >= MANY:
            writer.close()
            return
        self._last += 1
        stream = self._streams[self._last] = _Stream()
        stream.task = asyncio.current_task()
        await self._message(OPEN, self._last)
        await self._pump(self._last, stream, reader, writer)

    async def received(self, message: bytes) -> None:
        """Take a message of the other side's.

        Raises
        ------
        Broken
            It does not keep to the rules.
        """
        if len(message) < HEAD.size:
            raise Broken("a message without a head")
        kind, number = HEAD.unpack_from(message)
        data = message[HEAD.size :]
        if kind == OPEN:
            await self._opened(number)
            return
        stream = self._streams.get(number)
        if stream is None:
            return  # it has ended here, and the other side does not know yet
        if kind == DATA:
            stream.waiting += len(data)
            if stream.waiting > WINDOW or not data:
                raise Broken("more than there is room for")
            stream.incoming.put_nowait(data)
        elif kind == END:
            stream.incoming.put_nowait(b"")
        elif kind == ROOM and len(data) == COUNT.size:
            stream.more_room(COUNT.unpack(data)[0])
        elif kind == RESET and stream.task:
            stream.task.cancel()
        else:
            raise Broken("a message of an unknown type")

    async def close(self) -> None:
        """The channel has ended: so have all streams."""
        tasks = [stream.task for stream in self._streams.values() if stream.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _opened(self, number: int) -> None:
        if self._connect is None or number in self._streams or len(self._streams) >= MANY:
            await self._message(RESET, number)
            return
        stream = self._streams[number] = _Stream()
        stream.task = asyncio.create_task(self._accept(number, stream, self._connect))

    async def _accept(self, number: int, stream: _Stream, connect: Connect) -> None:
        try:
            reader, writer = await connect()
        except OSError:
            self._streams.pop(number, None)
            await self._message(RESET, number)
            return
        await self._pump(number, stream, reader, writer)

    async def _pump(self, number: int, stream: _Stream, reader: Reader, writer: Writer) -> None:
        """Both ways, until both have ended or one has failed."""
        finished = False
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._outgoing(number, stream, reader))
                both.create_task(self._incoming(number, stream, writer))
            finished = True
        except* (OSError, Broken):
            pass
        finally:
            self._streams.pop(number, None)
            if finished:
                writer.close()
            else:
                writer.transport.abort()
                with suppress(Exception):
                    await self._message(RESET, number)

    async def _outgoing(self, number: int, stream: _Stream, reader: Reader) -> None:
        while True:
            await stream.has_room.wait()
            data = await reader.read(min(CHUNK, stream.room))
            if not data:
                await self._message(END, number)
                return
            stream.room -= len(data)
            if not stream.room:
                stream.has_room.clear()
            await self._message(DATA, number, data)

    async def _incoming(self, number: int, stream: _Stream, writer: Writer) -> None:
        while data := await stream.incoming.get():
            writer.write(data)
            await writer.drain()
            stream.waiting -= len(data)
            await self._message(ROOM, number, COUNT.pack(len(data)))
        if writer.can_write_eof():
            writer.write_eof()

    async def _message(self, kind: int, number: int, data: bytes = b"") -> None:
        await self._send(HEAD.pack(kind, number) + data)
