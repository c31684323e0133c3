"""As much of systemd as a setup script needs, on a simulated machine."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from greyhub.conformance.testkit.machine.processes import finished, lock, over, run

TOOLS = "/usr/local/lib/simulated-machine"
"""Holds the service manager's socket, the logs, and the mark that the machine was created."""

UNITS = "/etc/systemd/system"

VERBS = ("enable", "disable", "start", "stop", "restart", "is-active", "status")


class Services:
    """As much of systemd as a setup script needs.

    Parameters
    ----------
    root : str
        Before every path of the machine; empty where it is isolated.
    environment : mapping
        What every service is started with.
    """

    def __init__(self, root: str, environment: dict[str, str]) -> None:
        self.units = Path(root + UNITS)
        self.wanted = self.units / "multi-user.target.wants"
        self.logs = Path(root + TOOLS)
        self.environment = environment
        self.running: dict[str, subprocess.Popen[bytes] | None] = {}

    def start_enabled(self) -> None:
        """What a boot does."""
        for link in sorted(self.wanted.glob("*.service")):
            self.start(link.name)

    def call(self, words: list[str]) -> tuple[int, str]:
        """Do what ``systemctl`` was called for: its exit code, and what it prints."""
        flags = {word for word in words if word.startswith("-")}
        verb, *names = [word for word in words if word not in flags] or [""]
        names = [name if "." in name else f"{name}.service" for name in names]
        if verb in ("daemon-reload", "reset-failed"):
            return 0, ""
        if verb not in VERBS:
            return 1, f"the simulator's systemctl does not know {verb!r}"
        for name in names:
            if not (self.units / name).is_file():
                return 5, f"Unit {name} not found in {self.units}."
            if verb == "enable":
                self.wanted.mkdir(parents=True, exist_ok=True)
                (self.wanted / name).touch()
            if verb == "disable":
                (self.wanted / name).unlink(missing_ok=True)
            if verb in ("stop", "restart") or (verb == "disable" and "--now" in flags):
                self.stop(name)
            if verb in ("start", "restart") or (verb == "enable" and "--now" in flags):
                self.start(name)
            if verb in ("is-active", "status") and name not in self.running:
                return 3, "inactive"
        return 0, "active" if verb in ("is-active", "status") else ""

    def start(self, name: str) -> None:
        """Start a service that does not run, and keep it running as its unit says."""
        with lock:
            if name in self.running:
                return
            self.running[name] = None
        threading.Thread(target=self._keep, args=(name,), daemon=True).start()

    def stop(self, name: str) -> None:
        """End a service."""
        with lock:
            process = self.running.pop(name, None)
        if process is not None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGTERM)

    def _keep(self, name: str) -> None:
        unit = self._read(name)
        environment = dict(self.environment)
        for line in unit.get("EnvironmentFile", []):
            with contextlib.suppress(OSError):
                lines = Path(line.lstrip("-")).read_text().splitlines()
                unit.setdefault("Environment", []).extend(each for each in lines if "=" in each)
        for line in unit.get("Environment", []):
            environment |= dict(word.split("=", 1) for word in shlex.split(line))
        words = shlex.split(unit["ExecStart"][-1].lstrip("-@+!:"))
        command = [each for word in words for each in expand(word, environment)]
        again = unit.get("Restart", ["no"])[-1]
        while not over.is_set():
            cwd = unit.get("WorkingDirectory", [None])[-1]
            try:
                process = run(command, environment, self.logs / f"{name}.log", cwd)
            except OSError as error:
                (self.logs / f"{name}.log").write_text(f"{error}\n")
                break
            with lock:
                if name not in self.running:  # stopped meanwhile
                    os.killpg(process.pid, signal.SIGTERM)
                else:
                    self.running[name] = process
            code = finished(process)
            with lock:
                stopped = self.running.get(name) is not process
            if stopped or not (again == "always" or (again == "on-failure" and code)):
                break
            time.sleep(0.1)
        with lock:
            if self.running.get(name) in (None, locals().get("process")):
                self.running.pop(name, None)

    def _read(self, name: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        text = (self.units / name).read_text().replace("\\\n", " ")
        for line in text.splitlines():
            key, equals, value = line.strip().partition("=")
            if equals and not key.startswith(("#", ";")):
                found.setdefault(key.strip(), []).append(value.strip().replace("%%", "%"))
        return found

    def serve(self) -> None:
        """Answer the machine's ``systemctl`` until the end."""
        path = self.logs / "systemctl.socket"
        path.unlink(missing_ok=True)
        with contextlib.chdir(self.logs), socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)  # its whole path may be too long
            server.listen()
            threading.Thread(target=self._answer, args=(server.dup(),), daemon=True).start()

    def _answer(self, server: socket.socket) -> None:
        while True:
            asked, _ = server.accept()
            with asked, asked.makefile("rw") as file:
                try:
                    code, text = self.call(json.loads(file.readline()))
                except (OSError, ValueError, KeyError) as error:
                    code, text = 1, f"{type(error).__name__}: {error}"
                file.write(json.dumps([code, text]) + "\n")


def systemctl(tools: str, words: list[str]) -> int:
    """What the machine's ``systemctl`` is: it asks the first process."""
    os.chdir(tools)
    with socket.socket(socket.AF_UNIX) as server:
        server.connect("systemctl.socket")
        with server.makefile("rw") as file:
            file.write(json.dumps(words) + "\n")
            file.flush()
            code, text = json.loads(file.readline())
    if text:
        print(text)
    return int(code)


def expand(word: str, environment: dict[str, str]) -> list[str]:
    """A word of a unit's command, with its variables put in as systemd does."""
    if re.fullmatch(r"\$\w+", word):
        return environment.get(word[1:], "").split()
    put = {"$$": "$"} | {f"${{{name}}}": value for name, value in environment.items()}
    return [re.sub(r"\$\$|\$\{\w+\}", lambda found: put.get(found[0], ""), word)]
