"""A server's home from its start to its end: brought down, kept, saved."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from greyhub.errors import HomeError
from greyhub.homespace.filesystem import Home
from greyhub.homespace.sync import client, supervisor
from greyhub.homespace.sync.supervisor import Supervisor
from greyhub.ticket import Ticket, variable
from tests.homespace.filesystem.places import Bucket, Place
from tests.homespace.sync.machines import Machine, furnish, tree
from tests.support.faults import Request, always, held
from tests.support.waiting import MINUTE, until

Machines = Callable[..., Machine]


def test_a_second_machine_has_all_of_it(machine: Machines, anywhere: Place) -> None:
    one = machine("one", anywhere).start()
    furnish(one.home)
    before = tree(one.home)
    assert one.stop() == 0
    assert anywhere.read("notes/a.txt") == b"a"  # a plain file under its own name
    two = machine("two", anywhere).start()
    assert tree(two.home) == before
    assert tree(one.home) == before


def test_a_server_starts_when_what_is_seen_first_is_there(machine: Machines, s3: Place) -> None:
    s3.write("seen.txt", b"1")
    s3.write("deep/er/still/large.bin", b"2" * 100_000)
    assert s3.proxied
    go_on = threading.Event()
    with s3.proxied() as proxy:
        proxy.rules.append(held("GET", "large.bin", go_on))
        one = machine("one", s3, options=proxy.options).start(wait=False)
        one.supervisors[0].wait()
        assert (one.home / "seen.txt").read_bytes() == b"1"
        assert not (one.home / "deep/er/still/large.bin").exists()
        assert one.status()["word"] == "restoring"
        go_on.set()
        until(lambda: one.status()["word"] == "saved")
    assert (one.home / "deep/er/still/large.bin").stat().st_size == 100_000


def test_saving_comes_after_the_users_own_work(machine: Machines, s3: Place) -> None:
    one = machine("one", s3).start()
    (one.home / "a.txt").write_text("a")
    one.sync()
    process = one.supervisors[0].process.pid
    others = os.getpriority(os.PRIO_PROCESS, 0)
    found, ways, places = [], set(), set()
    for thread in map(int, os.listdir(f"/proc/{process}/task")):
        with suppress(ProcessLookupError):  # it ended meanwhile
            found.append(os.getpriority(os.PRIO_PROCESS, thread))
            ways.add(os.sched_getscheduler(thread))
            places.add(frozenset(os.sched_getaffinity(thread)))
    assert len(found) > 1
    assert min(found) > others
    assert ways == {os.SCHED_BATCH}  # nor does it interrupt
    assert places == {frozenset(os.sched_getaffinity(0))}  # it goes where there is room


def test_a_second_start_brings_only_what_changed(machine: Machines, s3: Place) -> None:
    for number in range(20):
        s3.write(f"{number}.txt", b"x")
    assert s3.proxied
    with s3.proxied() as proxy:
        one = machine("one", s3, options=proxy.options).start()
        one.stop()
        s3.write("7.txt", b"new")
        before = len(proxy.requests)
        one.start()
        brought = [
            request.path.rpartition("/")[2]
            for request in proxy.requests[before:]
            if request.method == "GET" and request.path.endswith(".txt")
        ]
    assert brought == ["7.txt"]
    assert (one.home / "7.txt").read_bytes() == b"new"


def test_what_changes_is_saved_while_the_server_runs(machine: Machines, s3: Place) -> None:
    one = machine("one", s3).start()
    (one.home / "a").write_text("1")
    until(lambda: s3.read("a") == b"1")
    (one.home / "a").rename(one.home / "b")
    until(lambda: s3.read("b") == b"1" and s3.read("a") is None)
    (one.home / "b").unlink()
    until(lambda: s3.read("b") is None)


def test_sync_waits_and_status_tells(machine: Machines, s3: Place) -> None:
    one = machine("one", s3).start()
    for number in range(50):
        (one.home / f"{number}.txt").write_text(str(number))
    state = one.sync()
    assert {f"{number}.txt" for number in range(50)} <= s3.names()
    assert (state["saved"], state["word"], state["unsaved"]) == (True, "saved", 0)
    assert one.status()["files"] == 50


@pytest.mark.slow
def test_a_sync_that_waits_long_looks_through_the_store_once(machine: Machines, s3: Place) -> None:
    assert s3.proxied
    go_on = threading.Event()
    with s3.proxied() as proxy:
        one = machine("one", s3, options=proxy.options).start()
        one.sync()
        proxy.rules.append(held("PUT", "held", go_on))
        proxy.requests.clear()
        for number in range(400):
            (one.home / f"{number}").write_text("1")
        (one.home / "held").write_text("2")
        with ThreadPoolExecutor(1) as pool:
            waits = pool.submit(one.sync)
            until(lambda: {f"{number}" for number in range(400)} <= s3.names())
            looks = [each for each in proxy.requests if is_whole_listing(each, s3)]
            assert not waits.done()
            go_on.set()
            assert waits.result()["saved"]
    assert len(looks) == 1
    assert s3.read("held") == b"2"


def is_whole_listing(request: Request, place: Place) -> bool:
    asked = parse_qs(urlsplit(request.path).query)
    return asked.get("prefix") == [place.inside("") + "/"]


def test_another_tools_file_comes_with_sync(machine: Machines, anywhere: Place) -> None:
    one = machine("one", anywhere).start()
    anywhere.write("from elsewhere.csv", b"1,2")
    one.sync()
    assert (one.home / "from elsewhere.csv").read_bytes() == b"1,2"


def test_nothing_is_lost_when_the_machine_loses_its_power(
    machine: Machines, anywhere: Place
) -> None:
    one = machine("one", anywhere).start()
    furnish(one.home)
    one.sync()
    (one.home / "late").write_text("not yet saved")
    one.kill()
    (one.home / "later").write_text("while nobody looks")
    before = tree(one.home)
    one.start()
    one.sync()
    assert tree(one.home) == before
    assert one.stop() == 0
    assert tree(machine("two", anywhere).start().home) == before


def test_the_home_is_saved_when_its_server_is_killed(
    machine: Machines, s3: Place, tmp_path: Path
) -> None:
    """The server that ends, however that comes, is the other end of a pipe."""
    one = machine("one", s3)
    code = (
        "import json, os, sys, time\n"
        "from greyhub.homespace.sync.supervisor import Supervisor\n"
        "from greyhub.ticket import Ticket\n"
        "ticket = Ticket('homespace', '', json.loads(sys.argv[1]))\n"
        "supervisor = Supervisor(ticket, os.environ)\n"
        "supervisor.wait()\n"
        "print(supervisor.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code, json.dumps(one.ticket)], stdout=subprocess.PIPE
    )
    try:
        assert server.stdout
        supervisor = int(server.stdout.readline())
        (one.home / "last words").write_text("x")
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    until(lambda: not Path(f"/proc/{supervisor}").exists(), what="the end of the supervisor")
    assert s3.read("last words") == b"x"


def test_what_keeps_the_home_begins_anew(machine: Machines, s3: Place) -> None:
    one = machine("one", s3).start()
    one.sync()
    before = one.status()["pid"]
    one.supervisors[0].process.kill()
    (one.home / "a").write_text("1")
    until(lambda: s3.read("a") == b"1")
    assert one.status()["pid"] != before


def test_two_versions_are_both_kept(machine: Machines, anywhere: Place) -> None:
    one, two = machine("one", anywhere).start(), machine("two", anywhere)
    (one.home / "paper.txt").write_text("first")
    one.sync()
    two.start()
    two.stop()
    (one.home / "paper.txt").write_text("from one")
    one.sync()
    (two.home / "paper.txt").write_text("from two, which had not seen that")
    two.start()
    two.sync()
    texts = {path.name: path.read_text() for path in two.home.glob("paper*")}
    assert texts.pop("paper.txt") == "from one"
    [(name, text)] = texts.items()
    assert "conflict from" in name
    assert text == "from two, which had not seen that"
    one.sync()
    assert tree(one.home) == tree(two.home)


def test_what_was_deleted_elsewhere_is_in_the_trash(machine: Machines, anywhere: Place) -> None:
    one = machine("one", anywhere).start()
    (one.home / "old.txt").write_text("1")
    one.sync()
    two = machine("two", anywhere).start()
    (two.home / "old.txt").unlink()
    two.sync()
    one.sync()
    assert not (one.home / "old.txt").exists()
    [trash] = (one.home / ".greyhub/trash").glob("*/old.txt")
    assert trash.read_text() == "1"
    (two.home / "old.txt").write_text("2")
    two.sync()
    one.sync()
    assert (one.home / "old.txt").read_text() == "2"


def test_what_is_ignored_stays_here(machine: Machines, s3: Place) -> None:
    one = machine("one", s3).start()
    (one.home / ".greyignore").write_text("/scratch/\n!.cache/\n")
    for name in ("scratch/a", ".cache/b", ".venv/c", "kept/d"):
        (one.home / name).parent.mkdir()
        (one.home / name).write_text("x")
    one.sync()
    kept = {name for name in s3.names() if not name.startswith(".greyhub/")}
    assert kept == {".greyignore", ".cache/b", "kept/d"}
    assert (one.home / "scratch/a").exists()


def test_two_servers_on_one_machine_share_the_home(
    machine: Machines, s3: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    one = machine("one", s3).start()
    one.start()  # a second server, whose process waits for its turn
    first, second = one.supervisors
    waits = second.process.pid
    until(lambda: "another server's process keeps it" in capfd.readouterr().err)
    (one.home / "a").write_text("1")
    one.sync()
    first.end()
    one.supervisors.remove(first)
    until(lambda: taken_over(one, waits), what="the second one's turn")
    (one.home / "b").write_text("2")
    one.sync()
    assert s3.names() >= {"a", "b"}


def taken_over(machine: Machine, pid: int) -> bool:
    try:
        return machine.status()["pid"] == pid
    except HomeError:
        return False


def test_the_quota_keeps_the_store_small_and_the_file_safe(
    machine: Machines, s3: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    one = machine("one", s3, quota={"bytes": 1000, "files": 3}).start()
    (one.home / "small").write_bytes(b"s" * 950)
    assert "950 of the home's 1,000 bytes" in one.sync()["warning"]
    (one.home / "large").write_bytes(b"l" * 100)
    until(lambda: "large: the home's quota of 1,000 bytes has 50 left" in refused(one))
    assert one.status()["word"] == "quota"
    assert s3.read("large") is None
    assert (one.home / "large").read_bytes() == b"l" * 100
    (one.home / "small").write_bytes(b"s")  # there is room again
    until(lambda: s3.read("large") == b"l" * 100)
    for name in ("c", "d"):
        (one.home / name).write_text(name)
    until(lambda: "quota of 3 files" in refused(one))
    assert one.stop() == 3
    said = capfd.readouterr().err
    assert "nearly full" in said
    assert "the quota is used up" in said
    assert "still only in" in said


def test_a_rename_needs_no_room(machine: Machines, s3: Place) -> None:
    one = machine("one", s3, quota={"bytes": 1000, "files": 1}).start()
    (one.home / "old").write_bytes(b"x" * 900)
    one.sync()
    (one.home / "old").rename(one.home / "new")
    one.sync()
    assert (s3.read("old"), s3.read("new")) == (None, b"x" * 900)


@pytest.mark.slow
def test_a_store_that_is_away_is_waited_for(
    machine: Machines, store: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    assert store.proxied
    with store.proxied() as proxy:
        one = machine("one", store, options=proxy.options).start()
        (one.home / "a").write_text("1")
        one.sync()
        proxy.rules.append(always("busy"))
        (one.home / "b").write_text("2")
        until(lambda: one.status()["word"] == "offline")
        assert one.status()["saved"] is False
        one.kill()
        one.start()  # a whole copy is here, so its server starts all the same
        assert (one.home / "b").read_text() == "2"
        proxy.rules.clear()
        until(lambda: store.read("b") == b"2")
        until(lambda: one.status()["word"] == "saved")
    assert "the store does not answer" in capfd.readouterr().err


@pytest.mark.slow
def test_a_store_that_hangs_is_waited_for(machine: Machines, store: Place) -> None:
    assert store.proxied
    go_on = threading.Event()
    with store.proxied() as proxy:
        one = machine("one", store, options=proxy.options).start()
        one.sync()
        proxy.rules.append(lambda request: None if go_on.wait(10 * MINUTE) else "busy")
        (one.home / "a").write_text("1")
        with pytest.raises(HomeError):
            one.hub_home.sync(1)
        assert one.status()["saved"] is False
        assert "a" not in store.names()
        go_on.set()
        until(lambda: one.status()["word"] == "saved")
    assert store.read("a") == b"1"


@pytest.mark.slow
def test_a_stop_does_not_wait_for_a_store_that_hangs(machine: Machines, s3: Place) -> None:
    assert s3.proxied
    go_on = threading.Event()
    with s3.proxied() as proxy:
        one = machine("one", s3, options=proxy.options).start()
        (one.home / "a").write_text("1")
        one.sync()

        def listing(request: Request) -> str | None:
            return None if not is_whole_listing(request, s3) or go_on.wait(10 * MINUTE) else "busy"

        proxy.rules.append(listing)
        proxy.requests.clear()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(one.sync)
            until(lambda: any(is_whole_listing(each, s3) for each in proxy.requests))
            (one.home / "b").write_text("2")
            assert one.stop() == 0
            asked.exception()
        go_on.set()
    assert s3.read("b") == b"2"


def test_without_a_copy_and_without_a_store_no_server_starts(
    machine: Machines, s3: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "PATIENCE", 0.5)
    assert s3.proxied
    with s3.proxied() as proxy:
        proxy.rules.append(always("refuse"))
        one = machine("one", s3, options=proxy.options)
        with pytest.raises(HomeError, match="was not reached"):
            one.start()


@pytest.mark.slow
def test_credentials_that_were_renewed_are_used(
    machine: Machines, s3: Place, tmp_path: Path
) -> None:
    secret = tmp_path / "key"
    secret.write_text("AKIA-OLD\n")
    assert s3.proxied
    with s3.proxied() as proxy:
        proxy.rules.append(lambda request: "refuse" if "AKIA-OLD" in signed(request) else None)
        options = {**proxy.options, "key": {"file": str(secret)}}
        one = machine("one", s3, options=options).start(wait=False)
        until(lambda: word(one) == "offline")
        secret.write_text(os.environ["ADA_S3_KEY"] + "\n")
        one.supervisors[0].wait()
        (one.home / "a").write_text("1")
        until(lambda: s3.read("a") == b"1")


def signed(request: Request) -> str:
    return request.headers.get("Authorization", "")


def refused(machine: Machine) -> str:
    """Why not all of the home is in its store yet; empty where it is."""
    try:
        machine.hub_home.sync(1)
    except HomeError as error:
        return str(error)
    return ""


def word(machine: Machine) -> Any:
    try:
        return machine.status()["word"]
    except HomeError:
        return ""


def test_a_bucket_that_is_gone_takes_nothing_with_it(
    machine: Machines, stores: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = stores("s3")
    client_of = s3.oracle.client  # type: ignore[attr-defined]
    client_of.create_bucket(Bucket="fleeting")
    s3.template = "s3://fleeting/{username}"
    s3.oracle, s3.top = Bucket(client_of, "fleeting"), ""
    one = machine("one", s3).start()
    (one.home / "a").write_text("1")
    one.sync()
    for name in s3.names():
        s3.delete(name)
    client_of.delete_bucket(Bucket="fleeting")
    until(lambda: "bucket" in refused(one))
    assert (one.home / "a").read_text() == "1"
    client_of.create_bucket(Bucket="fleeting")
    (one.home / "b").write_text("2")
    until(lambda: s3.read("a") == b"1" and s3.read("b") == b"2")
    assert (one.home / "a").read_text() == "1"


def test_a_directory_that_is_gone_takes_nothing_with_it(machine: Machines, served: Place) -> None:
    one = machine("one", served).start()
    (one.home / "a").write_text("1")
    one.sync()
    away = served.disk.with_name("away")
    served.disk.rename(away)  # as when a server's disk is not mounted
    until(lambda: "not known whether" in refused(one))
    (one.home / "b").write_text("2")
    assert (one.home / "a").read_text() == "1"
    assert not served.disk.exists()  # nothing was made in its place
    away.rename(served.disk)
    until(lambda: served.read("b") == b"2")
    one.sync()
    assert (served.read("a"), (one.home / "a").read_text()) == (b"1", "1")


@pytest.mark.slow
def test_a_server_that_is_away_is_waited_for(
    machine: Machines, stores: Callable[[str], Place]
) -> None:
    webdav = stores("webdav")
    assert webdav.proxied
    with webdav.proxied() as proxy:
        one = machine("one", webdav, options=proxy.options).start()
        proxy.rules.append(always("busy"))
        (one.home / "b").write_text("2")
        until(lambda: one.status()["word"] == "offline")
        assert webdav.read("b") is None
        proxy.rules.clear()
        until(lambda: webdav.read("b") == b"2")
        until(lambda: one.status()["word"] == "saved")


def test_a_pickled_home_is_the_copy_here_and_the_store_elsewhere(
    machine: Machines, s3: Place
) -> None:
    one = machine("one", s3).start()
    one.hub_home.pipe("a", b"1")
    one.sync()
    pickled = pickle.dumps(one.hub_home)
    assert pickle.loads(pickled).path == str(one.home)
    one.stop()
    (one.state / client.SOCKET).unlink()
    (one.home / "a").unlink()
    elsewhere = pickle.loads(pickled)
    assert type(elsewhere) is Home
    assert elsewhere.cat("a") == b"1"


def test_the_directory_must_be_the_users_alone(machine: Machines, s3: Place) -> None:
    one = machine("one", s3)
    one.home.parent.mkdir(mode=0o755)
    with pytest.raises(HomeError, match="not this user's alone"):
        one.start()


def test_a_refused_home_says_why(machine: Machines, s3: Place) -> None:
    s3.write(".greyhub/home.json", b'{"format": 99, "home": "x"}')
    with pytest.raises(HomeError, match="could not be made ready"):
        machine("one", s3).start()


def test_a_stop_signal_ends_it_and_the_second_at_once(machine: Machines, s3: Place) -> None:
    assert s3.proxied
    with s3.proxied() as proxy:
        one = machine("one", s3, options=proxy.options).start()
        one.sync()
        proxy.rules.append(always("busy"))
        (one.home / "a").write_text("1")
        until(lambda: one.status()["unsaved"])
        process = one.supervisors[0].process
        process.send_signal(signal.SIGTERM)
        until(lambda: phase(one) == "stopping")
        process.send_signal(signal.SIGTERM)
        assert process.wait(MINUTE) == 3


class Restless(Supervisor):
    """Keeps a home in a process that begins anew as soon as there is nothing to do."""

    def _begin(self) -> Any:
        ticket = replace(self.ticket, data={**self.ticket.data, "rest": 0.0})
        self._environ |= {variable("homespace"): ticket.dumps()}
        return super()._begin()


def by_a_signal(supervisor: Supervisor) -> None:
    supervisor.process.terminate()
    supervisor.process.wait(MINUTE)


@pytest.mark.slow
@pytest.mark.parametrize("end", [Supervisor.end, by_a_signal])
def test_a_stop_is_heard_by_who_just_begins_anew(
    machine: Machines, s3: Place, end: Callable[[Supervisor], None]
) -> None:
    one = machine("one", s3)
    for number in range(10):
        supervisor = Restless(Ticket("homespace", "", one.ticket), os.environ)
        supervisor.wait()
        (one.home / "a").write_text(f"{number}")
        client.sync(one.state)
        end(supervisor)
        assert supervisor.process.returncode == 0
        assert s3.read("a") == f"{number}".encode()


def phase(machine: Machine) -> Any:
    try:
        return machine.status()["phase"]
    except HomeError:
        return ""


def test_no_secret_is_in_the_arguments_or_the_environment(machine: Machines, s3: Place) -> None:
    one = machine("one", s3).start()
    process = Path(f"/proc/{one.supervisors[0].process.pid}")
    assert os.environ["ADA_S3_SECRET"] not in (process / "cmdline").read_text()
    lines = (process / "environ").read_text().split("\0")
    text = next(line for line in lines if line.startswith(variable("homespace")))
    ticket = Ticket.loads("homespace", text.partition("=")[2])
    assert ticket.data["url"] == one.ticket["url"]
    assert os.environ["ADA_S3_SECRET"] not in str(ticket)


def test_a_server_of_an_earlier_greyhub_goes_on(machine: Machines, s3: Place) -> None:
    """Its supervisor and its process know other variables, and the package was upgraded."""
    one = machine("one", s3)
    one.state.parent.mkdir(mode=0o700, parents=True)
    job = {"local": str(one.home), "state": str(one.state), "tied": True, "grace": MINUTE}
    job |= {name: one.ticket[name] for name in ("url", "storage_options", "quota")}
    process = subprocess.Popen(
        [sys.executable, "-m", "greyhub.homespace.sync"],
        env={**os.environ, "GREYHUB_SYNC": json.dumps(job), "GREYHUB_SYNC_KEPT": "{}"},
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        until(lambda: phase(one) == "keeping")
        (one.home / "a").write_text("1")
        until(lambda: s3.read("a") == b"1")
    finally:
        assert process.stdin
        process.stdin.close()
        assert process.wait(MINUTE) == 0
