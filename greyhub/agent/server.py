"""The server's process: started, found again, watched, ended."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from greyhub.agent.state import State
from greyhub.rendezvous.protocol import LOG

MARK: Final = "GREYHUB_AGENT_RUN"
"""The variable by which a server's processes are known to an agent that starts again."""

URL: Final = "JUPYTERHUB_SERVICE_URL"
KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "SHELL", "USER", "LOGNAME")
"""Variables of the agent's that the server has too, if the hub says nothing else."""


class Server:
    """A run of the server on this machine.

    Parameters
    ----------
    state : State
        The agent's directory.
    run : str
        The hub's name for this run.
    host, port : str, int
        Where the server listens on this machine.
    grace : float
        Seconds from the signal to end until the one that kills.
    tunnel : str
        Where a tunnel to it is dialled, if there is one.
    pid : int
        The process.
    process : subprocess.Popen, optional
        The same, where this agent has started it.
    """

    def __init__(
        self,
        state: State,
        run: str,
        host: str,
        port: int,
        grace: float,
        tunnel: str,
        pid: int,
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.state, self.run, self.host, self.port, self.grace = state, run, host, port, grace
        self.tunnel, self.pid, self.process = tunnel, pid, process

    @classmethod
    def start(cls, state: State, run: str, offer: Mapping[str, Any]) -> Server:
        """Start what the hub offers.

        Raises
        ------
        OSError, KeyError, ValueError
            It cannot be started: no such command, account or directory.
        """
        host = urlsplit(offer["environment"].get(URL, "")).hostname or ""
        port = _port(offer["environment"], state.run().get("port", 0))
        noted = {
            "run": run,
            "host": "127.0.0.1" if host in ("", "0.0.0.0", "::") else host,  # noqa: S104
            "port": port,
            "grace": offer["grace"],
            "tunnel": offer["tunnel"],
        }
        state.note_run(**noted)  # before anything runs, so that whatever runs is found
        account = pwd.getpwnam(offer["account"]) if offer["account"] else None
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        options: dict[str, Any] = {}
        if account:
            groups = os.getgrouplist(account.pw_name, account.pw_gid)
            options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}
            environment |= {"HOME": account.pw_dir, "SHELL": account.pw_shell}
            environment |= dict.fromkeys(("USER", "LOGNAME"), account.pw_name)
        for name, text in offer["files"].items():
            state.write_file(name, text, account.pw_uid if account else None)
        environment |= offer["environment"]
        if URL in environment:
            environment[URL] = _with_port(environment[URL], port)
        state.log.unlink(missing_ok=True)
        with os.fdopen(os.open(state.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as log:
            process = subprocess.Popen(
                list(offer["command"]),
                env={**environment, MARK: _mark(state, run)},
                cwd=offer["directory"] or environment.get("HOME", "/"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=0o077,
                start_new_session=True,
                **options,
            )
        state.note_run(**noted, pid=process.pid)
        return cls(state, **noted, pid=process.pid, process=process)

    @classmethod
    def found(cls, state: State) -> Server | None:
        """The server that an earlier agent has started, if it runs; otherwise nothing is left."""
        noted = state.run()
        if not noted or "status" in noted:
            return None
        server = cls(state, **{"pid": 0, **noted})
        # An agent that was ended as it started the server had no time to note the process.
        server.pid = server.pid or min(server._processes(), default=0)
        if server.alive():
            return server
        server._clear()  # it was ended, or has ended, while no agent was there
        return None

    def alive(self) -> bool:
        """Whether it runs."""
        if self.process is not None:
            return self.process.poll() is None
        return self._is_marked(self.pid)

    def listens(self) -> bool:
        """Whether it can be reached."""
        with suppress(OSError):
            socket.create_connection((self.host, self.port), timeout=1).close()
            return True
        return False

    def stop(self) -> None:
        """End it, and all that it has started and was given."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + self.grace
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.1)
        self._clear()

    def _clear(self) -> None:
        """End the processes that it has left, and remove the files that it was given."""
        while any(self._processes()):
            self._signal(signal.SIGKILL)
            self.alive()  # which reaps it
            time.sleep(0.05)
        self.state.remove_files()

    def ended(self) -> int:
        """Note that it has ended; its status, -255 if nobody was there to see it."""
        status = self.process.wait() if self.process is not None else -255
        self.state.note_run(run=self.run, port=self.port, status=status)
        return status

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _processes(self) -> Iterator[int]:
        """Those of this run, the server itself among them."""
        pids = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
        return filter(self._is_marked, pids)

    def _is_marked(self, pid: int) -> bool:
        wanted = f"{MARK}={_mark(self.state, self.run)}".encode()
        try:
            return wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False


def log_tail(state: State) -> str:
    """The end of what the server has said."""
    try:
        with state.log.open("rb") as log:
            log.seek(max(0, state.log.stat().st_size - LOG))
            text = log.read(LOG).decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-30:])


def _mark(state: State, run: str) -> str:
    return f"{state.directory.resolve()}#{run}"


def _port(environment: Mapping[str, str], wish: int) -> int:
    """The port that the hub names; otherwise the one of the last run, or another free one."""
    if port := urlsplit(environment.get(URL, "")).port:
        return port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", wish))
        except OSError:
            probe.bind(("", 0))
        return int(probe.getsockname()[1])


def _with_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return parts._replace(netloc=f"{host}:{port}").geturl()
