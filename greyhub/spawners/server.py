"""The Spawner behind ``c.GreyHub.spawner = "local"``."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import Popen
from typing import IO, Any, ClassVar

import psutil
from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Float, Integer, Unicode, default

from greyhub import ports
from greyhub.names import filename, short_id
from greyhub.spawners import process
from greyhub.spawners.failed import ServerFailed
from greyhub.spawners.uids import UidTable
from greyhub.starts.report import StartReport

RETRIES = 5
"""How often a signal is sent that the system refuses, before it counts as refused."""

HOME = "greyhub home: "
"""How the lines begin in which a server's log tells of its home being brought down."""


class LocalSpawner(LocalProcessSpawner):  # type: ignore[misc]
    """A notebook server per user, as a process of this machine.

    Run by root, each user's server has its own uid, which needs no system
    account. Run by anybody else, all servers share that account.
    """

    state_dir = Unicode(help="Where logs and the table of uids are kept.").tag(
        config=True, example="/var/lib/greyhub/hub"
    )

    first_uid = Integer(
        2_000_000, help="With root's hub: the first uid that is given to a user."
    ).tag(config=True)

    last_uid = Integer(
        2_065_535, help="With root's hub: the last uid that is given to a user."
    ).tag(config=True)

    concurrent_starts = Integer(
        help="How many servers start at one time; more wait in a queue. By default, two for "
        "each processor."
    ).tag(config=True, example=8)

    ready_timeout = Float(
        120, help="Seconds that one server may take, once it is its turn, until it listens."
    ).tag(config=True)

    _warned: ClassVar[set[str]] = set()
    _queues: ClassVar[dict[asyncio.AbstractEventLoop, asyncio.Semaphore]] = {}
    _starting = False
    _stage = "waiting"
    queued = 0.0
    """Seconds for which the last start waited for its turn."""
    created: float | None = None
    run = ""
    _told = ""
    """The address that a server was told to listen at by a hub that was killed meanwhile."""
    proc: Popen[bytes] | None

    @default("concurrent_starts")
    def _two_for_each_processor(self) -> int:
        return 2 * len(os.sched_getaffinity(0))

    @default("start_timeout")
    def _queue_included(self) -> int:
        return 3600

    @default("http_timeout")
    def _patient(self) -> int:
        return 60

    @default("term_timeout")
    def _grace(self) -> int:
        return 15

    @property
    def uid(self) -> int | None:
        """The uid that the server runs under; None for the hub's own."""
        if os.geteuid() != 0:
            return None
        table = UidTable(Path(self.state_dir) / "uids.json", self.first_uid, self.last_uid)
        return table.uid(self.user.name)

    @property
    def identity(self) -> dict[str, str]:
        """The marks in the environment by which this server is found again after a crash."""
        hub = short_id(str(Path(self.state_dir).resolve()))
        return {"GREYHUB_SERVER": f"{hub}/{filename(self.user.name)}/{self.name}"}

    @property
    def log_path(self) -> Path:
        """The server's log, of the hub's alone."""
        name = filename(self.user.name)
        return Path(self.state_dir) / "logs" / f"{name}+{self.name}.log"

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """The variables that an account would have set."""
        name = self.user.name
        return {"HOME": "/", "SHELL": "/bin/bash"} | env | {"USER": name, "LOGNAME": name}

    def get_env(self) -> dict[str, str]:
        """The server's environment."""
        env: dict[str, str] = super().get_env()
        return env | self.identity | {"GREYHUB_RUN": self.run}

    async def move_certs(self, paths: dict[str, str]) -> dict[str, str]:
        """Refuse: servers listen on loopback, in clear."""
        raise ServerFailed(
            "Servers on the hub's own machine do not speak TLS: c.JupyterHub.internal_ssl cannot "
            "be used with this spawner."
        )

    async def start(self) -> tuple[str, int]:
        """Start the server and wait until it listens.

        Raises
        ------
        ServerFailed
            It ended first, or did not listen in time; shows the end of its log.
        """
        self._starting, self._stage = True, "waiting"
        self.run = secrets.token_hex(4)
        self._warn_of_limits()
        began = time.monotonic()
        try:
            async with self._queue():
                self._stage, self.queued = "starting", time.monotonic() - began
                await self._end_stale()
                return await self._launch()
        finally:
            self._starting = False

    def _warn_of_limits(self) -> None:
        limits = " and ".join(name for name in ("mem_limit", "cpu_limit") if getattr(self, name))
        if limits and limits not in self._warned:
            self._warned.add(limits)
            self.log.warning(
                "greyhub: %s cannot be enforced here: servers are processes without a limit", limits
            )

    def _queue(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        return self._queues.setdefault(loop, asyncio.Semaphore(self.concurrent_starts))

    async def _end_stale(self) -> None:
        """End what an earlier hub started under this identity and had no time to note."""
        stale = await asyncio.to_thread(process.marked, self.identity)
        if stale:
            self.log.warning("greyhub: ending a stale server of %s", self._log_name)
            process.kill(stale)
            await process.gone(stale, self.kill_timeout)

    async def _launch(self) -> tuple[str, int]:
        address = self.ip or "127.0.0.1"
        self.log_path.parent.mkdir(mode=0o700, exist_ok=True)
        with ports.reserve(address) as held, self.log_path.open("wb") as log:
            self.log_path.chmod(0o600)
            self.port = held.getsockname()[1]
            proc = self.proc = self._popen(log)
            self.pid = proc.pid
            try:
                self.created = process.created(proc.pid)
                await self._listening(proc, address)
            except BaseException:
                try:
                    process.kill(process.descendants(proc.pid))
                finally:  # also where the system does not tell what it has started
                    proc.kill()
                    proc.wait()
                raise
        return address, self.port

    def _popen(self, log: IO[bytes]) -> Popen[bytes]:
        command = [*self.cmd, *self.get_args()]
        if self.shell_cmd:
            command = [*self.shell_cmd, shlex.join(command)]
        account: dict[str, Any] = {}
        if self.uid is not None:
            account = {"user": self.uid, "group": self.uid, "extra_groups": []}
        options = {"stdout": log, "stderr": log, "cwd": "/", "umask": 0o077, **account}
        # No preexec_fn: no Python runs between fork and exec, where it could deadlock.
        return Popen(
            command,
            **{**options, **self.popen_kwargs},
            env=self.get_env(),
            start_new_session=True,
        )

    async def _listening(self, proc: Popen[bytes], address: str) -> None:
        deadline = time.monotonic() + self.ready_timeout
        while not await asyncio.to_thread(ports.accepts, address, self.port):
            status = proc.poll()
            if status is not None:
                said = self._failure(f"ended at its start, with status {status}")
                raise ServerFailed(said, kind="ended")
            if time.monotonic() > deadline:
                said = self._failure(f"did not listen within {self.ready_timeout:g} s")
                raise ServerFailed(said, kind="timeout")
            await asyncio.sleep(0.1)

    def _failure(self, what: str) -> str:
        last = process.tail(self.log_path)
        return f"The server {what}. The end of its log:\n{last}" if last else f"The server {what}."

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What the server waits for."""
        said, begun = "", False
        # A page may be opened while the hub still prepares the start.
        while self._starting or (self._spawn_pending and not begun):
            begun = begun or self._starting
            progress, message = 10, "Waiting for a turn to start…"
            if self._starting and self._stage == "starting":
                progress, message = 50, "Starting the notebook server…"
                if told := process.told(self.log_path, HOME):
                    progress, message = 60, f"Your home: {told}"
            if message != said:
                said = message
                yield {"progress": progress, "message": message}
            await asyncio.sleep(0.2)
        yield {"progress": 90, "message": "The server listens."}

    @property
    def start_report(self) -> StartReport:
        """For how long the start waited for its turn; a process is neither cold nor warm."""
        return StartReport({"place": self.queued})

    def load_state(self, state: dict[str, Any]) -> None:
        """Find the process again after the hub was restarted."""
        super().load_state(state)
        self.created = state.get("created")

    def get_state(self) -> dict[str, Any]:
        """The process, so that a restarted hub finds it."""
        state: dict[str, Any] = super().get_state()
        return state | ({"created": self.created} if self.pid else {})

    def clear_state(self) -> None:
        """Forget the process."""
        super().clear_state()
        self.proc, self.created, self._told = None, None, ""

    async def poll(self) -> int | None:
        """None while there is anything to stop, otherwise the exit status."""
        if self._starting:
            return None
        if self.proc is not None:
            status: int | None = self.proc.poll()
            return status
        try:
            if not self.pid and not await self._found():
                return 0
        except (psutil.Error, OSError):
            return None  # the system does not tell: it is asked again
        return None if process.alive(self.pid, self.created) else 0

    async def _found(self) -> bool:
        """Whether a server is there that was being started when an earlier hub was killed.

        Such a hub had no time to note the process, so the one that comes after it
        knows of a server, and nothing more.
        """
        try:
            server = process.eldest(await asyncio.to_thread(process.marked, self.identity))
            if server is None:
                return False
            self._told = server.environ().get("JUPYTERHUB_SERVICE_URL", "")
            self.pid, self.created = server.pid, server.create_time()
        except psutil.NoSuchProcess:
            return False
        return True

    async def get_url(self) -> str:
        """Where the server listens: as it was told, where nothing else is known of it."""
        known: str = await super().get_url()
        return self._told or known

    async def stop(self, now: bool = False) -> None:
        """End the server and everything that it started.

        Raises
        ------
        OSError
            The system refuses to signal it.
        ServerFailed
            It is still there.
        """
        if await self.poll() is not None or not self.pid:
            return
        family = process.descendants(self.pid)
        if not now:
            await self._insist(signal.SIGTERM)
            await self.wait_for_death(self.term_timeout)
        if await self.poll() is None:
            await self._insist(signal.SIGKILL)
            await self.wait_for_death(self.kill_timeout)
        process.kill(family)
        if await self.poll() is None:
            raise ServerFailed(f"Process {self.pid} of {self._log_name} does not end.")

    async def _insist(self, number: signal.Signals) -> None:
        """Send a signal, again where the system refused it: the hub asks only once."""
        for left in reversed(range(RETRIES)):
            try:
                await self._signal(number)
                return
            except OSError:
                if not left:
                    raise
                await asyncio.sleep(0.1)
