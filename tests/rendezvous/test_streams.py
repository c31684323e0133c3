"""Many connections over one channel: whole, apart, and each at its own pace."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from greyhub.rendezvous.tunnel.streams import CHUNK, DATA, HEAD, OPEN, WINDOW, Broken, Streams


class Pair:
    """Two ends of a channel: what connects to ``port`` reaches ``echo``."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []
        self.sent = 0

    async def start(self, served: object) -> None:
        self.server = await asyncio.start_server(served, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        there: asyncio.Queue[bytes] = asyncio.Queue()
        back: asyncio.Queue[bytes] = asyncio.Queue()

        async def send_there(message: bytes) -> None:
            self.sent += len(message)
            await there.put(message)

        self.near = Streams(send_there)
        self.far = Streams(back.put, lambda: asyncio.open_connection("127.0.0.1", port))
        for queue, end in ((there, self.far), (back, self.near)):
            self.tasks.append(asyncio.create_task(self._move(queue, end)))
        self.listening = await asyncio.start_server(self.near.carry, "127.0.0.1", 0)
        self.port = self.listening.sockets[0].getsockname()[1]

    async def _move(self, queue: asyncio.Queue[bytes], end: Streams) -> None:
        while True:
            await end.received(await queue.get())

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def close(self) -> None:
        await self.near.close()
        await self.far.close()
        for task in self.tasks:
            task.cancel()
        self.server.close()
        self.listening.close()


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    made = Pair()
    yield made
    await made.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers when it has read all: so that the end must arrive, too."""
    writer.write(await reader.read())
    await writer.drain()
    writer.close()


async def ended(reader: asyncio.StreamReader) -> None:
    """Wait for the end, which may be a reset."""
    with suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 30) == b""


async def asked(pair: Pair, data: bytes) -> bytes:
    reader, writer = await pair.connect()
    writer.write(data)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answer


async def test_all_that_is_sent_arrives_and_so_does_its_end(pair: Pair) -> None:
    await pair.start(echo)
    for size in (0, 1, CHUNK, WINDOW, 4 * WINDOW + 1):
        data = os.urandom(size)
        assert await asked(pair, data) == data
    assert not pair.near._streams
    assert not pair.far._streams


async def test_many_at_a_time_do_not_mix(pair: Pair) -> None:
    await pair.start(echo)
    sent = [os.urandom(50_000) for _ in range(50)]
    assert await asyncio.gather(*(asked(pair, each) for each in sent)) == sent


async def test_one_that_nobody_reads_keeps_no_other_waiting(pair: Pair) -> None:
    reading = asyncio.Event()

    async def slow_or_echo(reader, writer) -> None:
        first = await reader.readexactly(1)
        if first == b"s":
            writer.transport.pause_reading()
            await reading.wait()
            writer.transport.resume_reading()
        await echo(reader, writer)

    await pair.start(slow_or_echo)
    _, writer = await pair.connect()
    writer.write(b"s" + bytes(64 * WINDOW))  # more than all buffers on the way
    assert await asked(pair, b"e" + b"quick") == b"quick"
    assert pair.sent < 64 * WINDOW
    reading.set()
    writer.close()


async def test_a_server_that_refuses_is_a_connection_that_ends(pair: Pair) -> None:
    await pair.start(echo)
    pair.server.close()
    await pair.server.wait_closed()
    reader, writer = await pair.connect()
    await ended(reader)
    writer.close()


async def test_the_end_of_the_channel_ends_all(pair: Pair) -> None:
    arrived = asyncio.Event()

    async def silent(reader, writer) -> None:
        arrived.set()
        await reader.read()
        writer.close()

    await pair.start(silent)
    reader, writer = await pair.connect()
    await arrived.wait()
    await pair.near.close()
    await ended(reader)
    writer.close()


@pytest.mark.parametrize(
    "messages",
    [
        [b""],
        [b"\x02"],
        [HEAD.pack(99, 1)],
        [HEAD.pack(DATA, 1)],
        [HEAD.pack(DATA, 1) + bytes(CHUNK)] * (WINDOW // CHUNK + 1),
    ],
)
async def test_who_keeps_to_no_rules_is_cut_off(messages: list[bytes]) -> None:
    async def never() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: bytes) -> None:
        return None

    streams = Streams(send, never)
    await streams.received(HEAD.pack(OPEN, 1))
    for message in messages[:-1]:
        await streams.received(message)
    with pytest.raises(Broken):
        await streams.received(messages[-1])
    await streams.close()
