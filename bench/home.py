"""Homes beside rclone: work in a working copy, restore, first upload, a move, and rest.

    python -m bench.home [--server VERSITYGW] [--rounds 3] [--files 10000] [--megabytes 1024]

All on one S3 server on this machine: with ``--server``, versitygw on a directory, and
otherwise moto, which is so slow that differences drown in it. Needs git, rclone and, for
``rclone mount``, FUSE. CPU is what a command and its children used; the server's is not
counted. Ratios are greyhub's by the other's: below 1 is quicker, or less.
"""

from __future__ import annotations

import argparse
import io
import json
import os
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
from typing import Any

import psutil

from greyhub.homespace.sync.client import status, sync
from greyhub.homespace.sync.stores import open_url
from tests.homespace.filesystem import servers

KEY, SECRET, BUCKET = "benchkey", "benchsecret", "homes"
WHEELS = ("pygments", "jinja2", "click")

KEEP = """
import json, sys
from pathlib import Path
from greyhub.homespace.sync.stores import open_url
from greyhub.homespace.sync.working import WorkingCopy
url, options, local, state = sys.argv[1:]
copy = WorkingCopy(Path(local), open_url(url, json.loads(options)), Path(state))
copy.restore()
assert not copy.unsaved(), copy.unsaved()
copy.close()
"""

Took = tuple[float, float]
"""Seconds on the clock, and of the processors."""


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
    port, data = servers.free_port(), scratch / "data"
    data.mkdir()
    keys = {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
    command = [path, "--port", f"127.0.0.1:{port}", "--quiet", "--keep-alive", "posix", str(data)]
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
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


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
            found[name] = time.perf_counter() - began, used() - before
        except (RuntimeError, OSError) as error:
            found[name] = f"fails: {' '.join(str(error).split())[-120:]}"
        shutil.rmtree(place, ignore_errors=True)
    return found


Kept = tuple[Path, psutil.Process]


@contextmanager
def kept(store: Store, scratch: Path, name: str, local: Path) -> Iterator[Kept]:
    """A home that a process keeps in step, brought together."""
    state = scratch / f"{name}.state"
    job = {"local": str(local), "state": str(state), "url": store.url(name)}
    environ = {
        **os.environ,
        "GREYHUB_SYNC": json.dumps({**job, "storage_options": store.references}),
    }
    process = subprocess.Popen([sys.executable, "-m", "greyhub.homespace.sync"], env=environ)
    try:
        servers.until(lambda: process.poll() is not None or _is_kept(state), 600)
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
        servers.until(lambda: os.path.ismount(place))
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
            found["plain"].append(work(plain, wheels))
            found["copy"].append(work(copy, wheels))
            sync(state, 300)
        times = keeper.cpu_times()
        found["keeper, CPU s"] = [times.user + times.system]  # type: ignore[list-item]
    if os.path.exists("/dev/fuse") and shutil.which("fusermount3"):
        with mounted(store, scratch, "mounted") as place:
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


def transfers(store: Store, scratch: Path, home: Path) -> dict[str, Took]:
    """Up and down, each by the same server, in turn."""
    name, found = home.name, {}
    wide = ("--transfers", "24", "--checkers", "24")
    for how, more in {"rclone copy": (), "rclone copy, 24 at once": wide}.items():
        there, here = store.remote(f"{name}-{len(more)}"), scratch / f"{name}-{len(more)}"
        found[f"{how}: up"] = run(store.rclone("copy", *more, str(home), there), store.environ)
        found[f"{how}: down"] = run(store.rclone("copy", *more, there, str(here)), store.environ)
        shutil.rmtree(here)
    found["working copy: up"] = keep(store, scratch, f"{name}-w", home, f"{name}-up")
    down = scratch / f"{name}-down"
    found["working copy: down"] = keep(store, scratch, f"{name}-w", down, f"{name}-down.s")
    found["working copy: down again"] = keep(store, scratch, f"{name}-w", down, f"{name}-down.s")
    shutil.rmtree(down)
    shutil.rmtree(home / ".greyhub", ignore_errors=True)
    there, back = store.url(f"{name}-m"), scratch / f"{name}-back"
    found["home copy: up, read again"] = move(store, scratch, str(home), there)
    found["home copy: down, read again"] = move(store, scratch, there, str(back))
    shutil.rmtree(back)
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
            servers.until(lambda name=f"saved{number}.txt": _has(reader, name))
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="", help="versitygw's program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--rest", type=float, default=120)
    parser.add_argument("--only-work", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="bench-home-"))
    results: dict[str, Any] = {}
    try:
        wheels = scratch / "wheels"
        run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels), *WHEELS]
        )
        with server(given.server, scratch) as store:
            results["work"] = working(store, scratch, given.rounds, wheels)
            if given.only_work:
                return
            small = tree(scratch / "small", given.files, 0)
            results["small"] = transfers(store, scratch, small)
            large = tree(scratch / "large", 0, given.megabytes)
            results["large"] = transfers(store, scratch, large)
            shutil.rmtree(large)
            results["rest"] = resting(store, scratch, small, given.rest)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        print(json.dumps(results, indent=1))
        if given.json:
            given.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
