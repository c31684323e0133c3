"""A rendezvous of one process's own: agents trust its certificate, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from greyhub.agent.hub import Hub, NotAnswered, NotGiven
from greyhub.rendezvous.own_server import OwnServer, self_signed
from greyhub.rendezvous.protocol import Keys


async def test_an_agent_is_known_by_its_nonce_and_the_server_by_its_certificate() -> None:
    server = OwnServer("127.0.0.1")
    server.start()
    machine = server.rendezvous.machine("ada", "scheduler")
    nonce, keys = machine.invite(60), Keys.make()

    def register(trusted: str, said: str) -> None:
        hub = Hub(server.url, keys, trusted)
        hub.ask("register", nonce=said, sealing=keys.public.sealing, machine={})

    try:
        with pytest.raises(NotAnswered, match="certificate verify failed"):
            await asyncio.to_thread(register, self_signed("127.0.0.1")[0], nonce)
        with pytest.raises(NotGiven):
            await asyncio.to_thread(register, server.certificate, "another")
        assert machine.keys is None
        await asyncio.to_thread(register, server.certificate, nonce)
        assert machine.keys == keys.public
    finally:
        await server.stop()
    with pytest.raises(NotAnswered, match="refused"):
        await asyncio.to_thread(register, server.certificate, nonce)
