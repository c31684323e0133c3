"""Twenty people at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import websocket

from tests.support.hubs import Hub, running
from tests.support.kernels import execute_request
from tests.support.waiting import MINUTE, until

MANY = 20


@pytest.mark.timeout(600)
def test_twenty_servers_started_at_once_all_start(directory: Path) -> None:
    users = [f"user{number}" for number in range(MANY)]
    with running(directory) as hub:
        for user in users:
            hub.api("POST", f"users/{user}")

        def ask(user: str) -> int:
            reply = requests.post(
                f"{hub.url}hub/api/users/{user}/server",
                headers={"Authorization": f"token {hub.token}"},
                timeout=5 * MINUTE,
            )
            return reply.status_code

        with ThreadPoolExecutor(MANY) as pool:
            assert set(pool.map(ask, users)) <= {201, 202}

        def ready() -> int:
            models = [hub.server(user) for user in users]
            assert all(models), f"a server was given up\n{hub.tail()}"
            return all(model and model["ready"] for model in models)

        until(ready, 300, "twenty servers")
        assert len({hub.pid(user) for user in users}) == MANY


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_kernels_started_at_once_all_answer(directory: Path) -> None:
    with running(directory) as hub:
        hub.spawn("ada")
        with ThreadPoolExecutor(MANY) as pool:
            answers = list(pool.map(lambda number: compute(hub, "ada", number), range(MANY)))
    assert answers == [str(number * number) for number in range(MANY)]


def compute(hub: Hub, user: str, number: int) -> str:
    """Start a kernel and let it square a number; what it answers."""
    headers = {"Authorization": f"token {hub.token}"}
    base = f"{hub.url}user/{user}/"
    started = requests.post(f"{base}api/kernels", headers=headers, timeout=5 * MINUTE)
    assert started.status_code == 201, started.text
    channel = f"{base}api/kernels/{started.json()['id']}/channels".replace("http", "ws", 1)
    socket = websocket.create_connection(
        channel, header=[f"Authorization: token {hub.token}"], timeout=5 * MINUTE
    )
    socket.send(json.dumps(execute_request(f"{number} ** 2")))
    while True:
        received = json.loads(socket.recv())
        if received["msg_type"] == "execute_result":
            socket.close()
            return str(received["content"]["data"]["text/plain"])
        assert received["msg_type"] != "error", received
