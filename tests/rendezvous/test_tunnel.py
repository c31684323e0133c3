"""Servers that the hub's proxy cannot reach: JupyterLab by a tunnel that its agent dials."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
import websocket

from greyhub.rendezvous.protocol import Keys
from greyhub.rendezvous.tunnel.control import SERVICE, SOCKET, VARIABLE, Tunnels
from tests.rendezvous.test_hub import CONFIG, machine
from tests.support.hubs import Hub
from tests.support.ports import free_port, listening
from tests.support.processes import environment
from tests.support.waiting import MINUTE, until

pytestmark = pytest.mark.processes


@pytest.fixture
def hub(directory: Path) -> Iterator[Hub]:
    port = free_port()
    made = Hub(directory, CONFIG.replace('/hub/")', f'/hub/", {port})'))
    try:
        yield made.start()
    finally:
        made.end()


class Terminal:
    """A shell in a user's server, through the hub's proxy."""

    def __init__(self, hub: Hub) -> None:
        self.base = f"127.0.0.1:{hub.port}/user/ada/"
        self.headers = {"Authorization": f"token {hub.token}"}
        made = requests.post(
            f"http://{self.base}api/terminals", headers=self.headers, timeout=MINUTE
        )
        self.socket = websocket.create_connection(
            f"ws://{self.base}terminals/websocket/{made.json()['name']}",
            header=self.headers,
            timeout=MINUTE,
        )

    def answers(self, number: int) -> None:
        self.socket.send(json.dumps(["stdin", f"echo $(({number} * 3))\r"]))
        said = ""
        while str(number * 3) not in said:
            kind, *what = json.loads(self.socket.recv())
            said += what[0] if kind == "stdout" else ""


def tunnel(hub: Hub) -> psutil.Process:
    (found,) = [
        each
        for each in psutil.process_iter()
        if f"{VARIABLE}={hub.state}/hub" in environment(each).split("\0")
    ]
    return found


def test_a_notebook_is_used_by_a_tunnel_while_the_hub_restarts(hub: Hub) -> None:
    hub.spawn("ada")
    assert hub.answers("ada")
    assert hub.environment("ada")["JUPYTERHUB_SERVICE_URL"].startswith("http://127.0.0.1:")
    terminal = Terminal(hub)
    terminal.answers(1234)
    hub.stop(signal.SIGKILL)
    terminal.answers(2345)
    hub.start()
    terminal.answers(3456)
    until(lambda: hub.answers("ada"), what="the server's answer")
    hub.stop_server("ada")
    assert not machine(hub).processes()


@pytest.mark.slow
def test_a_large_file_comes_whole(hub: Hub) -> None:
    hub.spawn("ada")
    content = "0123456789abcdef" * 300_000
    url = f"{hub.url}user/ada/api/contents/large.txt"
    headers = {"Authorization": f"token {hub.token}"}
    model = {"type": "file", "format": "text", "content": content}
    assert requests.put(url, json=model, headers=headers, timeout=MINUTE).ok
    assert requests.get(url, headers=headers, timeout=MINUTE).json()["content"] == content


@pytest.mark.slow
def test_a_tunnel_comes_again_after_agent_and_process_have_ended(hub: Hub) -> None:
    hub.spawn("ada")
    pid = hub.pid("ada")
    machine(hub).agents()[0].kill()
    until(lambda: hub.answers("ada"), what="a tunnel of another agent")
    tunnel(hub).kill()
    until(lambda: answers(hub), what="a tunnel by another process")
    assert hub.pid("ada") == pid


def answers(hub: Hub) -> bool:
    try:
        return hub.answers("ada")
    except requests.RequestException:
        return False


def test_strangers_have_no_tunnel(hub: Hub) -> None:
    hub.spawn("ada")
    url = f"ws://127.0.0.1:{hub.port}/services/{SERVICE}/"
    proofs = [
        lambda challenge: Keys.make().request("tunnel", challenge, {}),
        lambda challenge: b"{}",
        lambda challenge: b"\x00" * 10,
    ]
    mine = Keys.loads((machine(hub).state / "keys").read_text())
    proofs.append(lambda challenge: mine.request("tunnel", "another", {}))
    proofs.append(lambda challenge: forged(mine, challenge))
    for proof in proofs:
        socket = websocket.create_connection(url, suppress_origin=True, timeout=MINUTE)
        challenge = json.loads(socket.recv())["challenge"]
        socket.send(proof(challenge))
        with pytest.raises(websocket.WebSocketConnectionClosedException):
            read_all(socket)
    said = (hub.state / "hub/tunnel.log").read_text()
    assert said.count("no proof of its key") == 2
    assert said.count("nobody's key") == 1
    for origin in ("http://hub.example.org", f"http://127.0.0.1:{hub.port}"):
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            websocket.create_connection(url, origin=origin, timeout=MINUTE)
    assert hub.answers("ada")


def forged(keys: Keys, challenge: str) -> bytes:
    """What somebody else has signed."""
    message = json.loads(Keys.make().request("tunnel", challenge, {}))
    return json.dumps({**message, "key": keys.public.signing}).encode()


def read_all(socket: websocket.WebSocket) -> None:
    while True:
        assert not socket.recv()


@pytest.mark.slow
def test_nothing_leads_to_a_machine_whose_server_has_ended(hub: Hub) -> None:
    hub.spawn("ada")
    model = hub.api("GET", "proxy")["/user/ada/"]
    port = int(model["target"].rpartition(":")[2])
    assert listening(port)
    hub.stop_server("ada")
    until(lambda: not listening(port), what="the end of its port")


def test_the_process_ends_with_its_directory(tmp_path: Path) -> None:
    """And one that is there is not started twice."""
    tunnels = Tunnels(tmp_path, free_port())

    async def twice() -> None:
        await tunnels.ensure()
        tunnels.start()
        await tunnels.ensure()

    asyncio.run(twice())
    mine = f"{VARIABLE}={tmp_path}"

    def processes() -> list[psutil.Process]:
        return [p for p in psutil.process_iter() if mine in environment(p).split("\0")]

    until(lambda: len(processes()) == 1, what="one process")
    (tmp_path / SOCKET).unlink()
    until(lambda: not processes(), what="its end")
