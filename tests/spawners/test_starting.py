"""Starts that go wrong, wait, or happen at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import requests

from greyhub import ports
from greyhub.spawners.server import LocalSpawner
from tests.support.hubs import Hub, running
from tests.support.processes import command, ended, started_in
from tests.support.waiting import MINUTE, until


def failed_spawn(hub: Hub, user: str) -> str:
    """Ask for a server that cannot start; what the user is told."""
    hub.api("POST", f"users/{user}")
    address = f"{hub.url}hub/api/users/{user}/server"
    headers = {"Authorization": f"token {hub.token}"}
    requests.post(address, headers=headers, timeout=2 * MINUTE)
    until(lambda: hub.server(user) is None, what="the end of the attempt")
    page = hub.login(user).get(f"{hub.url}hub/spawn-pending/{user}", timeout=MINUTE)
    return page.text


def test_a_server_that_ends_at_its_start_says_why_at_once(directory: Path) -> None:
    broken = "import sys; print('no such library: libfoo'); sys.exit(3)"
    with running(directory, f"c.Spawner.cmd = [{sys.executable!r}, '-c', {broken!r}]\n") as hub:
        told = failed_spawn(hub, "ada")
        assert "ended at its start, with status 3" in told
        assert "no such library: libfoo" in told


def test_a_server_that_never_listens_is_ended(directory: Path) -> None:
    config = f"""\
    c.Spawner.cmd = [{sys.executable!r}, "-c", "import time; time.sleep(600)"]
    c.LocalSpawner.ready_timeout = 1
    """
    with running(directory, config) as hub:
        assert "did not listen within 1 s" in failed_spawn(hub, "ada")
        assert not [each for each in started_in(directory) if "time.sleep(600)" in command(each)]


def test_a_system_that_tells_of_no_process_leaves_none_behind(directory: Path) -> None:
    config = """\
    import psutil
    from greyhub.spawners import process

    def refuse(pid):
        raise psutil.AccessDenied(pid)

    process.created = process.descendants = refuse
    """
    with running(directory, config) as hub:
        failed_spawn(hub, "ada")
        assert not [each for each in started_in(directory) if "greyhub.singleuser" in command(each)]


@pytest.mark.slow
def test_servers_wait_for_their_turn_and_all_start(directory: Path) -> None:
    with running(directory, "c.LocalSpawner.concurrent_starts = 1\n") as hub:
        users = ["ada", "bob", "carol"]
        for user in users:
            hub.api("POST", f"users/{user}")

        def all_ready() -> bool:
            models = [hub.server(user) for user in users]
            return all(model and model["ready"] for model in models)

        with ThreadPoolExecutor() as threads, _most_at_once(hub) as counts:
            list(threads.map(hub.spawn, users))
        assert all_ready()
        assert max(counts) == 1


@contextmanager
def _most_at_once(hub: Hub) -> Iterator[list[int]]:
    """Counts the servers that start, again and again, as long as this lasts."""
    counts, over = [0], threading.Event()

    def count() -> None:
        while not over.is_set():
            counts.append(sum(map(_starts, started_in(hub.directory))))

    counting = threading.Thread(target=count)
    counting.start()
    try:
        yield counts
    finally:
        over.set()
        counting.join()


def _starts(process: psutil.Process) -> bool:
    """Whether it is a server that does not listen yet."""
    try:
        listens = any(each.status == psutil.CONN_LISTEN for each in process.net_connections())
    except psutil.Error:
        return False
    return "greyhub.singleuser" in command(process) and not listens


def test_named_servers_of_one_user_are_independent(hub: Hub) -> None:
    hub.spawn("dora")
    hub.spawn("dora", "second")
    first, second = hub.environment("dora"), hub.environment("dora", "second")
    assert first["JUPYTERHUB_API_TOKEN"] != second["JUPYTERHUB_API_TOKEN"]
    assert first["GREYHUB_HOMESPACE"] == second["GREYHUB_HOMESPACE"]
    hub.stop_server("dora", "second")
    assert hub.server("dora") is not None
    reply = requests.get(
        f"{hub.url}hub/api/user",
        headers={"Authorization": f"token {first['JUPYTERHUB_API_TOKEN']}"},
        timeout=MINUTE,
    )
    assert reply.ok


def test_a_stop_ends_everything_that_the_server_started(hub: Hub) -> None:
    hub.spawn("emil")
    headers = {"Authorization": f"token {hub.token}"}
    kernel = requests.post(f"{hub.url}user/emil/api/kernels", headers=headers, timeout=MINUTE)
    assert kernel.status_code == 201, kernel.text
    family = psutil.Process(hub.pid("emil")).children(recursive=True)
    assert family
    hub.stop_server("emil")
    until(lambda: all(ended(each.pid) for each in family), what="the kernels' end")


def test_no_secret_in_the_arguments_of_any_process(hub: Hub) -> None:
    hub.spawn("dora")
    secrets = {hub.environment("dora")["JUPYTERHUB_API_TOKEN"], hub.password}
    for process in psutil.process_iter():
        line = " ".join(command(process))
        assert not any(secret in line for secret in secrets)
    assert not any(secret in hub.log.read_text() for secret in secrets - {hub.password})


def test_a_reserved_port_is_given_to_nobody_who_asks_for_any() -> None:
    import socket

    with ports.reserve() as held:
        port = held.getsockname()[1]
        assert not ports.accepts("127.0.0.1", port)
        others = []
        for _ in range(500):
            other = socket.socket()
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", 0))
            others.append(other)
        assert port not in {other.getsockname()[1] for other in others}
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        assert ports.accepts("127.0.0.1", port)
        for each in (*others, server):
            each.close()


async def test_a_system_that_tells_of_no_process_leaves_a_server_in_doubt(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawner = LocalSpawner(state_dir=str(directory), user=SimpleNamespace(name="ada"))
    assert await spawner.poll() == 0

    def refuse(marks: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("greyhub.spawners.process.marked", refuse)
    assert await spawner.poll() is None
