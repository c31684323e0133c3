"""Schedulers and workers as processes of the broker's own machine.

Run by root, those of a user run under the uid of the user's servers; run by anybody
else, all run as that account. Each carries a mark in its environment, by which it is found
again after a crash: the broker may end at any moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psutil
from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.db_base import Cluster, JobStatus, Worker
from traitlets import Float, Integer, Unicode, default

from greyhub.broker.backend import BrokerBackend
from greyhub.directories import make_passable, temporary_directory
from greyhub.spawners import process
from greyhub.spawners.uids import UidTable

MARK: Final = "GREYHUB_CLUSTER_MARK"
"""The variable with the mark of the hub and the cluster's name."""

PART: Final = "GREYHUB_CLUSTER_PART"
"""The variable with the worker's name, or ``scheduler``."""

NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL


class ProcessBackend(BrokerBackend):
    """Clusters of processes."""

    default_host = "127.0.0.1"

    directory = Unicode(help="Where clusters have their files; users pass through.").tag(
        config=True
    )
    state_dir = Unicode(help="The hub's private directory: logs, and the uids.").tag(config=True)
    first_uid = Integer(2_000_000, help="As ``c.LocalSpawner.first_uid``.").tag(config=True)
    last_uid = Integer(2_065_535, help="As ``c.LocalSpawner.last_uid``.").tag(config=True)
    grace = Float(3.0, help="Seconds for a process to end by itself.").tag(config=True)

    @default("worker_start_timeout")
    def _processes_are_quick(self) -> float:
        return 120.0

    async def do_setup(self) -> None:
        """Make the directories."""
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        # What an earlier broker may have started, and had no time to note.
        self._doubtful = {
            each.name
            for cluster in self.db.name_to_cluster.values()
            for each in (cluster, *cluster.workers.values())
            if each.status < JobStatus.SUBMITTED
        }
        self._make_directories()

    def _make_directories(self) -> None:
        make_passable(Path(self.directory))
        Path(self.directory).chmod(0o711)
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def _logs(self) -> Path:
        return Path(self.state_dir) / "cluster-logs"

    def _uid(self, user: str) -> int | None:
        if os.geteuid() != 0:
            return None
        table = UidTable(Path(self.state_dir) / "uids.json", self.first_uid, self.last_uid)
        return table.uid(user)

    def _marks(self, cluster: str, part: str) -> dict[str, str]:
        return {MARK: f"{self.hub_id}/{cluster}", PART: part}

    def _home(self, cluster: str) -> Path:
        return Path(self.directory) / cluster

    # Start.

    def get_tls_paths(self, cluster: Cluster) -> tuple[str, str]:
        """Where the certificate and the key of a cluster are."""
        home = self._home(cluster.name)
        return str(home / "dask.crt"), str(home / "dask.pem")

    def _write_keys(self, cluster: Cluster) -> None:
        home, uid = self._home(cluster.name), self._uid(cluster.username)
        with contextlib.suppress(FileExistsError):
            home.mkdir(mode=0o700)
            for path, data in zip(
                self.get_tls_paths(cluster), (cluster.tls_cert, cluster.tls_key), strict=True
            ):
                with os.fdopen(
                    os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
                ) as new:
                    new.write(data)
                if uid is not None:
                    os.chown(path, uid, uid)
            if uid is not None:
                os.chown(home, uid, uid)
            return
        if not all(Path(each).exists() for each in self.get_tls_paths(cluster)):
            shutil.rmtree(home)  # a broker ended while it was made
            self._write_keys(cluster)

    def get_env(self, cluster: Cluster) -> dict[str, str]:
        """The environment of a part: what the user gave, what it needs, and its mark."""
        own = temporary_directory("greyhub-dask", self._uid(cluster.username))
        given = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": "/",
            "DASK_TEMPORARY_DIRECTORY": own,
        }
        names = {"USER": cluster.username, "LOGNAME": cluster.username}
        env: dict[str, str] = super().get_env(cluster)
        return given | env | names

    def _start(self, cluster: Cluster, part: str, command: list[str], env: dict[str, str]) -> int:
        log = self._logs / cluster.name / f"{part}.log"
        log.parent.mkdir(mode=0o700, exist_ok=True)
        account: dict[str, Any] = {}
        if (uid := self._uid(cluster.username)) is not None:
            account = {"user": uid, "group": uid, "extra_groups": []}
        with log.open("ab") as out:
            try:
                # No preexec_fn: no Python runs between fork and exec, where it could deadlock.
                child = subprocess.Popen(
                    command,
                    env=env | self._marks(cluster.name, part),
                    cwd=self._home(cluster.name),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                    umask=0o077,
                    **account,
                )
            except OSError as error:
                raise PublicException(
                    f"{command[0]} cannot be run: {error.strerror}.\n"
                    "  fix: name an interpreter with python=, or none"
                ) from error
        self._children[child.pid] = child
        return child.pid

    async def _started(
        self, cluster: Cluster, part: str, command: list[str], env: dict[str, str]
    ) -> dict[str, Any]:
        """The process of a part: the one that there is, or a new one."""
        found = None
        name = cluster.name if part == "scheduler" else part
        if name in self._doubtful:
            there = await asyncio.to_thread(process.marked, self._marks(cluster.name, part))
            found = process.eldest(there)
            self._doubtful.discard(name)
        pid = found.pid if found else self._start(cluster, part, command, env)
        return {"pid": pid, "created": process.created(pid)}

    async def do_start_cluster(self, cluster: Cluster) -> AsyncIterator[dict[str, Any]]:
        """Start a scheduler, or find the one that was started."""
        await asyncio.to_thread(self._write_keys, cluster)
        command, env = self.get_scheduler_command(cluster), self.get_scheduler_env(cluster)
        yield await self._started(cluster, "scheduler", command, env)

    async def do_start_worker(self, worker: Worker) -> AsyncIterator[dict[str, Any]]:
        """Start a worker, or find the one that was started."""
        cluster = worker.cluster
        command = self.get_worker_command(cluster, worker.name)
        yield await self._started(cluster, worker.name, command, self.get_worker_env(cluster))

    # What there is.

    def _alive(self, state: dict[str, Any] | None) -> bool:
        pid = (state or {}).get("pid")
        if pid is None:
            return True  # it is being started
        if (child := self._children.get(pid)) is not None and child.poll() is not None:
            del self._children[pid]
            return False
        return process.alive(pid, (state or {}).get("created"))

    async def do_check_clusters(self, clusters: Sequence[Cluster]) -> list[bool]:
        """Which of some schedulers run."""
        return [self._alive(each.state) for each in clusters]

    async def do_check_workers(self, workers: Sequence[Worker]) -> list[bool]:
        """Which of some workers run."""
        return [self._alive(each.state) for each in workers]

    async def do_reason(self, cluster: Cluster) -> str:
        """The last lines of the scheduler's log, where that has ended, or of a worker's."""
        parts = [("scheduler", cluster.state)] if not self._alive(cluster.state) else []
        parts += [
            (each.name, each.state)
            for each in reversed(cluster.workers.values())
            if each.status < JobStatus.RUNNING or each.target == JobStatus.FAILED
        ]
        for part, state in parts:
            if not self._alive(state):
                said = await asyncio.to_thread(
                    process.tail, self._logs / cluster.name / f"{part}.log"
                )
                which = "scheduler" if part == "scheduler" else "worker"
                return f"The {which}'s process has ended. The end of its log:\n{said}"
        return ""

    # End.

    async def _end_marked(self, marks: Mapping[str, str]) -> None:
        """End what carries some marks, until nothing does: it may be about to start more."""
        while found := await asyncio.to_thread(process.marked, marks):
            await self._end(found)

    async def _end(self, found: list[psutil.Process]) -> None:
        for each in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.terminate()
        left = await self._gone(found, self.grace)
        process.kill(left)
        if left := await self._gone(left, self.grace):
            raise RuntimeError(f"processes do not end: {[each.pid for each in left]}")

    async def _gone(self, found: list[psutil.Process], seconds: float) -> list[psutil.Process]:
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            for each in found:
                if (child := self._children.get(each.pid)) and child.poll() is not None:
                    del self._children[each.pid]
            found = [each for each in found if process.alive(each.pid, each.create_time())]
            if not found or asyncio.get_running_loop().time() > deadline:
                return found
            await asyncio.sleep(0.05)

    async def do_stop_worker(self, worker: Worker) -> None:
        """End a worker, and all that it started."""
        await self._end_marked(self._marks(worker.cluster.name, worker.name))

    async def do_stop_cluster(self, cluster: Cluster) -> None:
        """End a scheduler, and whatever else is left of the cluster."""
        await self._end_marked({MARK: f"{self.hub_id}/{cluster.name}"})
        await asyncio.to_thread(self._remove_files, cluster.name)

    def _remove_files(self, name: str) -> None:
        for path in (self._home(name), self._logs / name):
            if path.exists():
                shutil.rmtree(path)

    async def do_end_unknown(self, known: Collection[str]) -> Sequence[str]:
        """End the processes of this hub's clusters that are not known."""
        names: dict[str, list[psutil.Process]] = {}
        for each, cluster in await asyncio.to_thread(self._all_marked):
            names.setdefault(cluster, []).append(each)
        for directory in (Path(self.directory), self._logs):
            for path in directory.iterdir():
                names.setdefault(path.name, [])
        ended = []
        for name, found in names.items():
            if name not in known:
                await self._end(found)
                await asyncio.to_thread(self._remove_files, name)
                ended += [name] if found else []
        return ended

    def _all_marked(self) -> list[tuple[psutil.Process, str]]:
        prefix, found = f"{self.hub_id}/", []
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                mark = each.environ().get(MARK, "")
                if mark.startswith(prefix):
                    found.append((each, mark.removeprefix(prefix)))
        return found
