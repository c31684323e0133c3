"""A home on a store, by way of a real hub: from ``c.GreyHub.homespace`` to the user's ``~``."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests

from greyhub.homespace.sync import client
from greyhub.ticket import Ticket, variable
from tests.homespace.filesystem.places import Place, matrix
from tests.homespace.sync.machines import furnish, tree
from tests.support.faults import always, held
from tests.support.hubs import Hub, running
from tests.support.processes import ended
from tests.support.waiting import MINUTE, until


def config_of(place: Place, more: str = "") -> str:
    """A hub's configuration; each user's server finds the credentials in its environment."""
    names = [name for name in os.environ if name.startswith("ADA_")]
    return (
        f"c.GreyHub.homespace = {place.template!r}\n"
        f"c.HomespaceAdapter.storage_options = {dict(place.options)!r}\n"
        f"c.Spawner.environment = { {name: os.environ[name] for name in names}!r}\n{more}\n"
    )


@contextmanager
def as_owner(path: Path) -> Iterator[None]:
    """Do as the user does: what is made belongs to the directory's owner."""
    owner = path.stat().st_uid
    if os.geteuid() != 0 or owner == 0:
        yield
        return
    os.setegid(owner)
    os.seteuid(owner)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def home_of(hub: Hub, user: str) -> Path:
    return hub.state / "copies" / user / client.FILES


@pytest.fixture
def hub_on(directory: Path) -> Iterator[Callable[[Place, str], Hub]]:
    hubs: list[Hub] = []

    def start(place: Place, more: str = "") -> Hub:
        hubs.append(Hub(directory / f"hub{len(hubs)}", config_of(place, more)))
        return hubs[-1].start()

    yield start
    for hub in hubs:
        hub.end()


Hubs = Callable[..., Hub]


@pytest.fixture(params=matrix("s3", "azure", "webdav"))
def told(request: pytest.FixtureRequest, stores: Callable[[str], Place]) -> Place:
    """A store whose credentials a server of any account is told, by variables."""
    return stores(request.param)


def test_a_home_follows_its_owner(hub_on: Hubs, told: Place) -> None:
    hub = hub_on(told)
    hub.spawn(told.user)
    home = home_of(hub, told.user)
    assert os.readlink(f"/proc/{hub.pid(told.user)}/cwd") == str(home)
    with as_owner(home):
        furnish(home)
    before = {path: it for path, it in tree(home).items() if not path.startswith(".")}
    hub.stop_server(told.user)
    assert "all of it is in" in log_of(hub, told.user)
    assert told.read("notes/a.txt") == b"a"
    shutil.rmtree(home.parent)
    hub.spawn(told.user)
    after = {path: it for path, it in tree(home).items() if not path.startswith(".")}
    assert after == before
    assert home.stat().st_uid == psutil.Process(hub.pid(told.user)).uids().real
    assert home.parent.stat().st_mode & 0o777 == 0o700


def log_of(hub: Hub, user: str) -> str:
    return (hub.state / f"hub/logs/{user}+.log").read_text()


@pytest.mark.slow
def test_any_spawner_and_any_account_will_do(directory: Path, ordinary: int, s3: Place) -> None:
    more = f"""
c.GreyHub.spawner = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {str(directory / "accounts/{username}")!r}
"""
    with running(directory, config_of(s3, more), account=ordinary) as hub:
        hub.spawn(s3.user)
        home = home_of(hub, s3.user)
        assert os.readlink(f"/proc/{hub.pid(s3.user)}/cwd") == str(home)
        with as_owner(home):
            furnish(home)
        hub.stop_server(s3.user)
        assert s3.read("notes/a.txt") == b"a"


@pytest.mark.slow
def test_nothing_is_lost_when_server_and_keeper_are_killed(hub_on: Hubs, s3: Place) -> None:
    hub = hub_on(s3, "c.Spawner.poll_interval = 1")
    hub.spawn(s3.user)
    home = home_of(hub, s3.user)
    until(lambda: client.status(home.parent / client.STATE)["word"] == "saved")
    server = psutil.Process(hub.pid(s3.user))
    family = [server, *server.children(recursive=True)]
    assert len(family) > 1
    with as_owner(home):
        (home / "last").write_text("words")
    for process in family:
        process.send_signal(signal.SIGKILL)
    until(lambda: all(ended(each.pid) for each in family), what="their end")
    hub.api("GET", f"users/{s3.user}")
    until(lambda: restarted(hub, s3.user), what="a new start")
    assert (home / "last").read_text() == "words"
    until(lambda: s3.read("last") == b"words")


def restarted(hub: Hub, user: str) -> bool:
    """Start the server as soon as the hub has noticed that it is gone."""
    answer = requests.post(
        f"{hub.url}hub/api/users/{user}/server",
        headers={"Authorization": f"token {hub.token}"},
        timeout=2 * MINUTE,
    )
    if answer.status_code == 400:  # it is still in its place, as far as the hub knows
        return False
    hub.spawn(user)
    return True


@pytest.mark.slow
def test_a_server_that_stops_says_what_it_could_not_save(hub_on: Hubs, s3: Place) -> None:
    assert s3.proxied
    with s3.proxied() as proxy:
        s3.options = proxy.options
        hub = hub_on(s3, "c.HomespaceAdapter.grace = 2")
        hub.spawn(s3.user)
        home = home_of(hub, s3.user)
        until(lambda: client.status(home.parent / client.STATE)["word"] == "saved")
        proxy.rules.append(always("busy"))
        with as_owner(home):
            (home / "unsaved.txt").write_text("1")
        hub.stop_server(s3.user)
        said = log_of(hub, s3.user)
        assert "still only in" in said
        assert "unsaved.txt" in said
        proxy.rules.clear()
        hub.spawn(s3.user)
        until(lambda: s3.read("unsaved.txt") == b"1")


@pytest.mark.slow
def test_the_command_line_tells_and_so_does_the_notebook(hub_on: Hubs, s3: Place) -> None:
    hub = hub_on(s3, 'c.HomespaceAdapter.quota = "1 MB"')
    hub.spawn(s3.user)
    environ = hub.environment(s3.user)
    home = home_of(hub, s3.user)
    ticket = Ticket.loads("homespace", environ[variable("homespace")])
    here = {**ticket.data, "state": str(home.parent / client.STATE)}
    environ[variable("homespace")] = replace(ticket, data=here).dumps()
    code = (
        "import greyhub\n"
        "home = greyhub.connect().home\n"
        "home.pipe('a', b'1')\n"
        "print(home.sync()['saved'], home.path)\n"
    )
    options = {
        "env": environ,
        "capture_output": True,
        "text": True,
        "cwd": "/",
        "timeout": 2 * MINUTE,
    }
    told = subprocess.run([sys.executable, "-c", code], **options)
    assert told.stdout == f"True {home}\n", told.stderr
    assert s3.read("a") == b"1"
    told = subprocess.run([sys.executable, "-m", "greyhub.cli", "home", "sync"], **options)
    assert told.returncode == 0, told.stderr
    told = subprocess.run([sys.executable, "-m", "greyhub.cli", "home", "status"], **options)
    assert "saved: all of it is in the store" in told.stdout
    assert "of 1.0 MB in" in told.stdout


@pytest.mark.slow
def test_the_server_answers_its_user_alone(hub_on: Hubs, s3: Place) -> None:
    hub = hub_on(s3)
    hub.spawn(s3.user)
    url = f"{hub.url}user/{s3.user}/greyhub/home"
    answer = requests.get(url, headers={"Authorization": f"token {hub.token}"}, timeout=MINUTE)
    assert answer.json()["home"] == str(home_of(hub, s3.user))
    assert requests.get(url, timeout=MINUTE, allow_redirects=False).status_code == 403


@pytest.mark.slow
def test_a_store_that_refuses_keeps_the_server_from_starting(hub_on: Hubs, s3: Place) -> None:
    s3.write(".greyhub/home.json", b'{"format": 99, "home": "x"}')
    hub = hub_on(s3)
    hub.api("POST", f"users/{s3.user}")
    headers = {"Authorization": f"token {hub.token}"}
    answer = requests.post(
        f"{hub.url}hub/api/users/{s3.user}/server", headers=headers, timeout=2 * MINUTE
    )
    assert answer.status_code == 500
    assert "newer greyhub" in log_of(hub, s3.user)


@pytest.mark.slow
def test_in_object_mode_programs_have_a_place_of_their_own(directory: Path) -> None:
    config = 'c.GreyHub.homespace = "memory://homes/{username}"'
    with running(directory, config) as hub:
        hub.spawn("ada")
        mark = "Serving notebooks from local directory: "
        until(lambda: mark in log_of(hub, "ada"))
        place = Path(log_of(hub, "ada").partition(mark)[2].splitlines()[0])
        assert place != Path("/")
        assert place.stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_the_page_of_the_start_tells_how_far_the_home_is(hub_on: Hubs, s3: Place) -> None:
    for number in range(5):
        s3.write(f"{number}.txt", b"x")
    assert s3.proxied
    go_on = threading.Event()
    with s3.proxied() as proxy:
        proxy.rules.append(held("GET", "4.txt", go_on))
        s3.options = proxy.options
        hub = hub_on(s3)
        hub.api("POST", f"users/{s3.user}")
        with ThreadPoolExecutor(1) as pool:
            start = pool.submit(hub.spawn, s3.user)
            until(lambda: (hub.server(s3.user) or {}).get("pending") == "spawn")
            with requests.get(
                f"{hub.url}hub/api/users/{s3.user}/server/progress",
                headers={"Authorization": f"token {hub.token}"},
                timeout=MINUTE,
                stream=True,
            ) as page:
                said = next(line for line in page.iter_lines() if b"Your home: " in line)
            go_on.set()
            start.result()
    assert b"bringing the home down" in said


@pytest.mark.slow
def test_a_directory_by_its_url_is_the_home_itself(directory: Path) -> None:
    homes = directory / "mounted"
    homes.mkdir(mode=0o711)
    with running(directory, f'c.GreyHub.homespace = "file://{homes}/{{username}}"') as hub:
        hub.spawn("ada")
        assert os.readlink(f"/proc/{hub.pid('ada')}/cwd") == str(homes / "ada")
        assert (homes / "ada").stat().st_mode & 0o777 == 0o700
