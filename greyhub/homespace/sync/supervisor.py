"""Supervise the sync daemon of one server: home ready before the start, saved at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.homespace.sync import client
from greyhub.homespace.sync.client import FILES, STATE
from greyhub.names import short_id
from greyhub.ticket import Ticket, variable

PATIENCE: Final = 60.0
"""Seconds that a store may not answer before the start of a server is given up."""

LONGEST: Final = 90.0
"""Seconds after which a server starts, though the visible part is not complete."""

SOON, LATER = 1.0, 60.0
"""Seconds before the process begins anew that ended unasked: the first time, and at most."""

SPARE: Final = 5.0
"""Seconds for the end itself, after the home was saved."""


class Supervisor:
    """The process that keeps a server's home, as its server sees it.

    Parameters
    ----------
    ticket : Ticket
        What the hub said of the home: ``url``, ``storage_options``, ``directory``,
        ``quota``, ``grace``. The attribute also says where its copy stands on this
        machine: ``path``, the files, and ``state``, what is remembered of them.
    environ : Mapping[str, str]
        The server's environment.
    """

    def __init__(self, ticket: Ticket, environ: Mapping[str, str]) -> None:
        missing = [name for name in ("pathspec", "inotify_simple") if find_spec(name) is None]
        if missing:
            raise HomeError(
                f"a working copy of the home needs {' and '.join(missing)}.\n"
                "  fix: pip install 'greyhub[sync]' in this server's environment"
            )
        self.place = place_of(ticket.data, environ)
        self.home, self.state = self.place / FILES, self.place / STATE
        self.grace = float(ticket.data["grace"])
        here = {"path": str(self.home), "state": str(self.state)}
        self.ticket = replace(ticket, data={**ticket.data, **here})
        self._environ = {**environ, variable("homespace"): self.ticket.dumps()}
        self._lock, self.ending = threading.Lock(), threading.Event()
        self.process = self._begin()

    def _begin(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "greyhub.homespace.sync", "--tied"],
            stdin=subprocess.PIPE,  # closed when this process ends, however that comes
            env=self._environ,
            cwd="/",
            start_new_session=True,  # signals for the server are not for it
        )

    def stay(self) -> None:
        """From now on, begin anew whenever the process ends that nobody asked to."""
        threading.Thread(target=self._stay, daemon=True, name="supervisor").start()

    def _stay(self) -> None:
        pause = SOON
        while True:
            status = self.process.wait()
            if self.ending.wait(pause):
                return
            with self._lock:
                if self.ending.is_set():
                    return
                print(
                    f"greyhub home: what keeps it ended ({status}) and begins anew", file=sys.stderr
                )
                self.process = self._begin()
            pause = min(2 * pause, LATER)

    def wait(self) -> None:
        """Wait until the server can start: what its user sees first is there.

        Raises
        ------
        greyhub.errors.HomeError
            The store was not reached, and this machine has no whole copy of the home.
        """
        began = time.monotonic()
        silent = began
        while True:
            state = self._ask()
            now = time.monotonic()
            if state.get("visible") or (state.get("complete") and state["trouble"]):
                return
            if not state.get("trouble"):
                silent = now
            elif now - silent > PATIENCE:
                self.end(0)
                raise HomeError(
                    f"the store of the home {self.ticket.data['url']} was not reached in "
                    f"{PATIENCE:.0f} s: {state['trouble']}.\n  fix: try again when the store "
                    "answers; if it refuses, the credentials of this server are to be looked at"
                )
            if state.get("progress", {}).get("done") and now - began > LONGEST:
                return
            time.sleep(min(0.1 + (now - began) / 20, 1.0))

    def _ask(self) -> Mapping[str, Any]:
        if self.process.poll() is not None:
            raise HomeError(f"the home could not be made ready in {self.place}: see above")
        try:
            return client.status(self.state)
        except HomeError:  # it has not come so far yet
            return {}

    def end(self, grace: float | None = None) -> None:
        """Have everything saved; what is not by the end of the grace, the log says."""
        with self._lock:
            self.ending.set()
        if self.process.poll() is not None:
            return
        patience = self.grace if grace is None else grace
        assert self.process.stdin is not None
        self.process.stdin.close()  # not by a signal: it may just begin anew, and would not hear it
        try:
            self.process.wait(patience + SPARE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def keep(ticket: Ticket, environ: Mapping[str, str]) -> Supervisor:
    """Start to keep a home, and wait until its server can start."""
    supervisor = Supervisor(ticket, environ)
    signal.signal(signal.SIGTERM, _leave)
    try:
        supervisor.wait()
    except BaseException:
        supervisor.end()
        raise
    supervisor.stay()
    return supervisor


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def place_of(ticket: Mapping[str, Any], environ: Mapping[str, str]) -> Path:
    """The directory of this server's working copy: the user's alone, and made if need be."""
    if ticket["directory"]:
        return _private(Path(ticket["directory"]))
    name = f"home-{short_id(ticket['url'])}"
    data = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME", "/")) / ".local/share")
    with suppress(HomeError):
        if environ.get("HOME", "/") != "/":
            return _private(Path(data) / "greyhub" / name)
    return _private(Path(tempfile.gettempdir()) / f"greyhub-{os.geteuid()}-{name}")


def _private(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.lstat()
        if status.st_uid != os.geteuid() or status.st_mode & 0o077 or path.is_symlink():
            raise PermissionError(f"it is not this user's alone: uid {status.st_uid}")
    except OSError as error:
        raise HomeError(
            f"the working copy of the home cannot stand in {path}: {error.strerror or error}.\n"
            "  fix: let c.HomespaceAdapter.copies name a directory that this server's user can "
            "write to"
        ) from error
    return path
