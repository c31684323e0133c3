"""Run dask-gateway's proxy apart from the broker: clusters outlive the broker's restarts."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import psutil

from greyhub.process_note import ProcessNote, digest_of, read_note, write_note


class ApartProxy:
    """dask-gateway's proxy, as a process that stays when the broker ends.

    Parameters
    ----------
    command : list of str
        The proxy's command line.
    token : str
        By which it asks the broker for its routes.
    directory : Path
        Where its process and its log are noted.
    """

    def __init__(self, command: list[str], token: str, directory: Path) -> None:
        self.command, self._token, self.directory = command, token, directory
        self.note = directory / "cluster-proxy.json"
        self._process: subprocess.Popen[bytes] | None = None

    def _noted(self) -> ProcessNote | None:
        noted = read_note(self.note)
        return noted if noted and noted.alive else None

    def runs(self) -> bool:
        """Whether it is there; reaps it where it has ended."""
        if self._process is not None:
            self._process.poll()
        return self._noted() is not None

    def ensure(self) -> None:
        """Start it, unless it runs as it is wanted."""
        if self._process is not None:
            self._process.poll()
        wanted = digest_of([self.command, self._token])
        if noted := self._noted():
            if noted.wanted == wanted:
                return
            self.end()
        environment = {"DASK_GATEWAY_PROXY_TOKEN": self._token, "PWD": str(self.directory)}
        log = self.directory / "cluster-proxy.log"
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as out:
            self._process = started = subprocess.Popen(
                self.command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd=self.directory,
            )
        write_note(self.note, started.pid, wanted)

    def end(self) -> None:
        """End it, and wait until it is gone."""
        if noted := self._noted():
            with contextlib.suppress(ProcessLookupError):
                os.kill(noted.pid, 15)
            if self._process is not None and self._process.pid == noted.pid:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(5)
            else:
                with contextlib.suppress(psutil.NoSuchProcess):
                    psutil.wait_procs([psutil.Process(noted.pid)], timeout=5)
            if self._noted():
                os.kill(noted.pid, 9)
        self.note.unlink(missing_ok=True)
