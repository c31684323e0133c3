"""Homes beside rclone: work in a working copy, restore, first upload, a move, and rest.

    python -m bench.home [--server VERSITYGW] [--rounds 3] [--files 10000] [--megabytes 1024]
                         [--only work|small|large|rest ...]

A file system in memory (``TMPDIR=/dev/shm``) tells programs apart, and a disk as well as
the disk. All on one S3 server on this machine: with ``--server``, versitygw on a directory, and
otherwise moto, which is so slow that differences drown in it. Needs git, rclone and, for
``rclone mount``, FUSE. CPU is what a command and its children used; the server's is not
counted. Ratios are greyhub's by the other's: below 1 is quicker, or less.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from greyhub.homespace.sync.client import status, sync
from greyhub.homespace.sync.stores import open_url
from greyhub.ticket import Ticket, variable
from tests.homespace.filesystem import servers
from tests.support.ports import free_port
from tests.support.waiting import until

KEY, SECRET, BUCKET = "benchkey", "benchsecret", "homes"
WHEELS = ("pygments", "jinja2", "click")

KEEP = """
import json, sys
from pathlib import Path
from greyhub.homespace.sync.stores import open_url
from greyhub.homespace.sync.working_copy import WorkingCopy
url, options, local, state = sys.argv[1:]
copy = WorkingCopy(Path(local), open_url(url, json.loads(options)), Path(state))
copy.restore(until=lambda: False)  # as a server does, which may be told to stop
assert not copy.unsaved(), copy.unsaved()
copy.close()
"""

PARTS = ("work", "small", "large", "rest")


class Took(NamedTuple):
    """Seconds on the clock, and of the processors; memory at its most, where it was measured."""

    seconds: float
    processors: float
    megabytes: float = 0.0


class Store:
    """An S3 server, and how it is reached."""

    def __init__(self, endpoint: str, scratch: Path) -> None:
        self.options = {"key": KEY, "secret": SECRET, "endpoint_url": endpoint}
        self.options["client_kwargs"] = {"region_name": "us-east-1"}  # type: ignore[assignment]
        os.environ |= {"BENCH_KEY": KEY, "BENCH_SECRET": SECRET}
        named = {"key": {"env": "BENCH_KEY"}, "secret": {"env": "BENCH_SECRET"}}
        self.references = {**self.options, **named}
        self.config = scratch / "rclone.conf"
        self.config.write_text(
            f"[s]\ntype = s3\nprovider = Other\naccess_key_id = {KEY}\n"
            f"secret_access_key = {SECRET}\nendpoint = {endpoint}\nregion = us-east-1\n"
        )
        # rclone does not take a bundle of certificates from there.
        self.environ = {k: v for k, v in os.environ.items() if k != "AWS_CA_BUNDLE"}
        run(self.rclone("mkdir", f"s:{BUCKET}"), self.environ)

    def rclone(self, *arguments: str) -> list[str]:
        return ["rclone", "--config", str(self.config), *arguments]

    def url(self, name: str) -> str:
        return f"s3://{BUCKET}/{name}"

    def remote(self, name: str) -> str:
        return f"s:{BUCKET}/{name}"


@contextmanager
def server(path: str, scratch: Path) -> Iterator[Store]:
    if not path:
        with servers.moto(scratch) as endpoint:
            yield Store(endpoint, scratch)
        return
    port, data = free_port(), scratch / "data"
    data.mkdir()
    keys = {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
    # Elsewhere the store is another machine: it is not to compete with the work.
    command = ["chrt", "--idle", "0", path, "--port", f"127.0.0.1:{port}"]
    command += ["--quiet", "--keep-alive", "posix", str(data)]
    log = scratch / "server.log"
    with servers.running(command, port, log, env={**os.environ, **keys}):
        yield Store(f"http://127.0.0.1:{port}", scratch)


def run(command: list[str], environ: dict[str, str] | None = None, cwd: Path | None = None) -> Took:
    """Run a command to its end."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environ, cwd=cwd, stdout=said, stderr=said)
        _, code, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{command[:3]}: {said.read()[-2000:].decode(errors='replace')}")
    seconds = time.perf_counter() - began
    return Took(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


# Work in a home.


def git(place: Path, wheels: Path) -> None:
    repo = place / "repo"
    repo.mkdir()
    say = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(repo)]
    run([*say, "init", "-q"])
    for number in range(500):
        file = repo / f"d{number % 20}" / f"{number}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"x = {number}\n" * 150)
    run([*say, "add", "-A"])
    run([*say, "commit", "-q", "-m", "one"])
    for number in range(0, 500, 5):
        (repo / f"d{number % 20}" / f"{number}.py").write_text("x = 0\n" * 150)
    run([*say, "commit", "-q", "-a", "-m", "two"])
    run([*say, "checkout", "-q", "HEAD~1"])
    run([*say, "status", "--short"])
    run(["git", "clone", "-q", str(repo), str(place / "clone")])


def pip(place: Path, wheels: Path) -> None:
    quiet = ["-q", "--no-index", "--no-deps", "--disable-pip-version-check", "--root-user-action"]
    where = ["ignore", "--find-links", str(wheels), "--target", str(place / "site")]
    run([sys.executable, "-m", "pip", "install", *quiet, *where, *WHEELS])


SQLITE = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
assert db.execute("pragma journal_mode = wal").fetchone()[0] == "wal"
db.execute("create table t (a integer primary key, b text)")
for number in range(2000):
    db.execute("insert into t (b) values (?)", ("x" * 100,))
assert db.execute("select count(*) from t").fetchone()[0] == 2000
db.close()
"""


def sqlite(place: Path, wheels: Path) -> None:
    run([sys.executable, "-c", SQLITE, str(place / "work.db")])


WORK: dict[str, Callable[[Path, Path], None]] = {"git": git, "pip": pip, "sqlite": sqlite}


def used() -> float:
    """Seconds of the processors, of this process and of all that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def work(top: Path, wheels: Path) -> dict[str, Took | str]:
    """Each kind of work in a fresh folder of a home."""
    found: dict[str, Took | str] = {}
    for name, act in WORK.items():
        place = Path(tempfile.mkdtemp(dir=top))
        began, before = time.perf_counter(), used()
        try:
            act(place, wheels)
            found[name] = Took(time.perf_counter() - began, used() - before)
        except (RuntimeError, OSError) as error:
            found[name] = f"fails: {' '.join(str(error).split())[-120:]}"
    return found


Kept = tuple[Path, psutil.Process]


@contextmanager
def kept(store: Store, scratch: Path, name: str, local: Path) -> Iterator[Kept]:
    """A home that a process keeps in step, brought together."""
    state = scratch / f"{name}.state"
    data = {"path": str(local), "state": str(state), "url": store.url(name)}
    ticket = Ticket("homespace", "", {**data, "storage_options": store.references})
    environ = {**os.environ, variable("homespace"): ticket.dumps()}
    command = [sys.executable, "-m", "greyhub.homespace.sync"]
    process = subprocess.Popen(command, env=environ, start_new_session=True)  # as a server does
    try:
        until(lambda: process.poll() is not None or _is_kept(state), 600)
        assert process.poll() is None, "the process that keeps the home has ended"
        yield state, psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def _is_kept(state: Path) -> bool:
    with suppress(Exception):
        return bool(status(state)["phase"] == "keeping")
    return False


@contextmanager
def mounted(store: Store, scratch: Path, name: str) -> Iterator[Path]:
    """The same store by rclone's mount, with its cache for writing."""
    place = scratch / "mount"
    place.mkdir()
    cache = ["--vfs-cache-mode", "full", "--cache-dir", str(scratch / "cache")]
    command = store.rclone("mount", store.remote(name), str(place), *cache)
    process = subprocess.Popen(command, env=store.environ)
    try:
        until(lambda: os.path.ismount(place))
        yield place
    finally:
        subprocess.run(["fusermount3", "-uz", str(place)], check=False)
        process.wait(60)


def working(store: Store, scratch: Path, rounds: int, wheels: Path) -> dict[str, Any]:
    """Work on a plain disk, in a working copy and in a mount, in turn."""
    plain, copy = scratch / "plain", scratch / "copy"
    plain.mkdir()
    found: dict[str, list[dict[str, Took | str]]] = {"plain": [], "copy": [], "mount": []}
    with ExitStack() as stack:
        state, keeper = stack.enter_context(kept(store, scratch, "work", copy))
        for _ in range(rounds):
            for name, place in random.sample([("plain", plain), ("copy", copy)], 2):
                found[name].append(work(place, wheels))
                sync(state, 300)  # neither is beside the saving of another
        times = keeper.cpu_times()
        found["keeper, CPU s"] = [times.user + times.system]  # type: ignore[list-item]
    if os.path.exists("/dev/fuse") and shutil.which("fusermount3"):
        with mounted(store, scratch, "mounted") as place:
            for _ in range(min(rounds, 3)):
                found["mount"].append(work(place, wheels))
    return found


# Homes that go up and down.


def tree(place: Path, files: int, megabytes: int) -> Path:
    for number in range(files):
        file = place / f"d{number // 100}" / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(4096))
    place.mkdir(exist_ok=True)
    if megabytes:
        with (place / "large.bin").open("wb") as file:
            for _ in range(megabytes):
                file.write(os.urandom(1 << 20))
    os.sync()
    return place


def keep(store: Store, scratch: Path, name: str, local: Path, state: str) -> Took:
    options = json.dumps(store.options)
    return run(
        [sys.executable, "-c", KEEP, store.url(name), options, str(local), str(scratch / state)]
    )


def move(store: Store, scratch: Path, source: str, target: str) -> Took:
    given = json.dumps(store.references)
    sides = [f"--{each}-options={given}" for each in ("source", "target")]
    command = [sys.executable, "-m", "greyhub.cli", "home", "copy", source, target, *sides]
    return run([*command, "--stopped", "--state", str(scratch / "moves")], cwd=scratch)


def transfers(store: Store, scratch: Path, home: Path, rounds: int) -> dict[str, list[Took]]:
    """Up and down, each by the same server, in turn."""
    found: dict[str, list[Took]] = {}

    def note(name: str, took: Took) -> None:
        found.setdefault(name, []).append(took)

    wide = ("--transfers", "24", "--checkers", "24")
    for turn in range(rounds):
        name = f"{home.name}-{turn}"
        down, state = scratch / f"{name}-down", f"{name}-down.s"
        here, there = [down], [store.remote(f"{name}-w")]
        for how, more in {"rclone copy": (), "rclone copy, 24 at once": wide}.items():
            here.append(scratch / f"{name}-{len(more)}")
            there.append(store.remote(f"{name}-{len(more)}"))
            up = store.rclone("copy", *more, str(home), there[-1])
            note(f"{how}: up", run(up, store.environ))
            back = store.rclone("copy", *more, there[-1], str(here[-1]))
            note(f"{how}: down", run(back, store.environ))
        note("working copy: up", keep(store, scratch, f"{name}-w", home, f"{name}-up"))
        note("working copy: down", keep(store, scratch, f"{name}-w", down, state))
        note("working copy: down again", keep(store, scratch, f"{name}-w", down, state))
        shutil.rmtree(home / ".greyhub", ignore_errors=True)
        if len(os.listdir(home)) == 1:
            # Many files stay: where many were just deleted, new ones take longer to make.
            for place in here:
                shutil.rmtree(place)
            for remote in there:
                run(store.rclone("purge", remote), store.environ)
    url, back_again = store.url(f"{home.name}-m"), scratch / f"{home.name}-back"
    note("home copy: up, read again", move(store, scratch, str(home), url))
    note("home copy: down, read again", move(store, scratch, url, str(back_again)))
    return found


# A home at rest, and one in which something is saved.


def resting(store: Store, scratch: Path, home: Path, seconds: float) -> dict[str, float]:
    """Processor and memory of the process that keeps an idle home; time from save to store."""
    reader = open_url(store.url("rest"), dict(store.options))
    with kept(store, scratch, "rest", home) as (state, keeper):
        sync(state, 600)
        took = []
        for number in range(40):
            began = time.perf_counter()
            (home / f"saved{number}.txt").write_text(str(number))
            until(lambda name=f"saved{number}.txt": _has(reader, name))
            took.append(time.perf_counter() - began)
            time.sleep(0.3)
        sync(state, 600)
        time.sleep(30)  # until it has begun anew
        before, began = keeper.cpu_times(), time.perf_counter()
        time.sleep(seconds)
        after = keeper.cpu_times()
        used = after.user + after.system - before.user - before.system
        return {
            "save to store, median s": statistics.median(took),
            "save to store, worst of 40, s": max(took),
            "at rest, % of a core": 100 * used / (time.perf_counter() - began),
            "at rest, MB": keeper.memory_full_info().pss / 1e6,
        }


def _has(reader: Any, key: str) -> bool:
    try:
        reader.fetch(key, None, io.BytesIO())
    except FileNotFoundError:
        return False
    return True


def download(scratch: Path) -> Path:
    """The packages that pip installs."""
    wheels = scratch / "wheels"
    run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels), *WHEELS])
    return wheels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="", help="versitygw's program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--rest", type=float, default=120)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="bench-home-"))
    results: dict[str, Any] = {}
    try:
        with server(given.server, scratch) as store:
            results["load"] = os.getloadavg()
            if "work" in given.only:
                results["work"] = working(store, scratch, given.rounds, download(scratch))
            for name, sizes in (("small", (given.files, 0)), ("large", (0, given.megabytes))):
                if name in given.only:
                    home = tree(scratch / name, *sizes)
                    results[name] = transfers(store, scratch, home, given.rounds)
            if "rest" in given.only:
                home = tree(scratch / "resting", given.files, 0)
                results["rest"] = resting(store, scratch, home, given.rest)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        print(json.dumps(results, indent=1))
        if given.json:
            given.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
