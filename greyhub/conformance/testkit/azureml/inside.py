"""The first process of a simulated machine; run by its path, with the standard library alone.

Its first line of input is what to do, as JSON. It lives as long as its input is
open: when the simulator ends, however it ends, everything on the machine ends.
Events are written to its output, a line of JSON each.

As an instance it runs the creation script once, the startup script at each boot,
and stands in for systemd. As a job it runs one command.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

OWN = ("/etc", "/home", "/opt", "/root", "/srv", "/usr/local")
"""Directories of which an isolated machine sees the host's files, and keeps its changes."""

TOOLS = "/usr/local/lib/azureml-simulator"
"""Holds the service manager's socket, the logs, and the mark that the machine was created."""

UNITS = "/etc/systemd/system"

_lock = threading.RLock()
_managed: set[int] = set()
_over = threading.Event()


def run(command: list[str], environment: dict[str, str], log: Path, cwd: str | None = None) -> Any:
    """A process in a session of its own, with its output in a file."""
    with _lock, log.open("ab") as out:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        _managed.add(process.pid)
    return process


def finished(process: Any, timeout: float | None = None) -> int:
    """The exit code of a process that `run` has started."""
    code = process.wait(timeout)
    with _lock:
        _managed.discard(process.pid)
    return int(code)


def reap() -> None:
    """Collect what nobody else waits for, as the first process must."""
    while True:
        with contextlib.suppress(ChildProcessError):
            seen = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            with _lock:
                if seen and seen.si_pid not in _managed:
                    os.waitpid(seen.si_pid, 0)
        time.sleep(0.01)


def descendants() -> list[int]:
    """Every process below this one."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError):
                stat = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
                if stat[0] != "Z":
                    parents[int(entry)] = int(stat[1])
    below, found = {os.getpid()}, list[int]()
    while more := [pid for pid, parent in parents.items() if parent in below and pid not in below]:
        below.update(more)
        found += more
    return found


def end_all(grace: float) -> None:
    """SIGTERM to everything, SIGKILL to what is left after ``grace`` seconds."""
    _over.set()
    until = time.monotonic() + grace
    if grace:
        for pid in descendants():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGTERM)
    while left := descendants():
        if time.monotonic() >= until:
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def say(**event: Any) -> None:
    """Tell the simulator."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(event).encode() + b"\n")


def expand(word: str, environment: dict[str, str]) -> list[str]:
    """A word of a unit's command, with its variables put in as systemd does."""
    if re.fullmatch(r"\$\w+", word):
        return environment.get(word[1:], "").split()
    put = {"$$": "$"} | {f"${{{name}}}": value for name, value in environment.items()}
    return [re.sub(r"\$\$|\$\{\w+\}", lambda found: put.get(found[0], ""), word)]


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
        self.running: dict[str, Any] = {}

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
        if verb not in ("enable", "disable", "start", "stop", "restart", "is-active", "status"):
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
        with _lock:
            if name in self.running:
                return
            self.running[name] = None
        threading.Thread(target=self._keep, args=(name,), daemon=True).start()

    def stop(self, name: str) -> None:
        """End a service."""
        with _lock:
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
        while not _over.is_set():
            cwd = unit.get("WorkingDirectory", [None])[-1]
            try:
                process = run(command, environment, self.logs / f"{name}.log", cwd)
            except OSError as error:
                (self.logs / f"{name}.log").write_text(f"{error}\n")
                break
            with _lock:
                if name not in self.running:  # stopped meanwhile
                    os.killpg(process.pid, signal.SIGTERM)
                else:
                    self.running[name] = process
            code = finished(process)
            with _lock:
                stopped = self.running.get(name) is not process
            if stopped or not (again == "always" or (again == "on-failure" and code)):
                break
            time.sleep(0.1)
        with _lock:
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


def isolate(disk: str, name: str) -> None:
    """Private views of the host's directories, ``/proc`` and ``/tmp``, in a namespace already."""
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
        words = (source, target, kind, flags, data)
        if libc.mount(*(each.encode() if isinstance(each, str) else each for each in words)):
            raise OSError(ctypes.get_errno(), f"mount {kind} on {target}")

    mount("proc", "/proc", "proc")
    bind = 4096
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for target in OWN:
        if not os.path.isdir(target) or disk.startswith(target + "/"):
            continue
        upper, work = disk + target, f"{disk}/.work{target.replace('/', '_')}"
        os.makedirs(upper, exist_ok=True)
        os.makedirs(work, exist_ok=True)
        held = {p: os.open(p, os.O_PATH) for p in points if p.startswith(target + "/")}
        options = f"lowerdir={target},upperdir={upper},workdir={work}"
        mount("overlay", target, "overlay", 0, options)
        for point, number in held.items():
            mount(f"/proc/self/fd/{number}", point, "", bind)
            os.close(number)
    needed = (sys.prefix, sys.base_prefix, os.path.realpath(sys.executable), __file__)
    if not any(path.startswith("/tmp/") for path in needed):  # noqa: S108 - the machine's own
        mount("tmpfs", "/tmp", "tmpfs")  # noqa: S108
    libc.sethostname(name.encode(), len(name))


def instance(spec: dict[str, Any]) -> None:
    """Boot: services that are enabled, then the scripts; then go on."""
    root = "" if spec["isolate"] else spec["disk"]
    if spec["isolate"]:
        isolate(spec["disk"], spec["name"])
    tools = Path(root + TOOLS)
    home = Path(root + "/home/azureuser")
    for folder in (tools, home, Path(root + UNITS), Path(root + "/usr/local/bin")):
        folder.mkdir(parents=True, exist_ok=True)
    command = shlex.join([sys.executable, "-IS", __file__, "systemctl", str(tools)])
    shim = Path(root + "/usr/local/bin/systemctl")
    shim.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    shim.chmod(0o755)
    path = [f"{root}/usr/local/bin", os.path.dirname(sys.executable), os.defpath, "/usr/sbin:/sbin"]
    environment = {
        "PATH": ":".join(path),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "CI_NAME": spec["name"],
    }
    services = Services(root, environment)
    services.serve()
    services.start_enabled()
    created = tools / "created"
    for kind in ("creation", "startup"):
        script = spec["scripts"].get(kind)
        if not script or (kind == "creation" and created.exists()):
            continue
        text = script["text"].replace(UNITS, root + UNITS)
        file = tools / f"{kind}.sh"
        file.write_text(text)
        words = ["bash", str(file), *shlex.split(script["arguments"])]
        process = run(words, environment, tools / f"{kind}.log", str(home))
        try:
            code = finished(process, script["timeout"])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            say(event="scripts", failed=f"The {kind} script timed out.")
            return
        if code:
            say(event="scripts", failed=f"The {kind} script ended with exit code {code}.")
            return
        if kind == "creation":
            created.touch()
    say(event="scripts", failed="")


def job(spec: dict[str, Any]) -> None:
    """Run one command to its end."""
    environment = {"PATH": f"{os.path.dirname(sys.executable)}:{os.defpath}", "LANG": "C.UTF-8"}
    environment |= {"HOME": spec["disk"]} | spec["environment"]
    command = ["bash", "-c", spec["command"]]
    process = run(command, environment, Path(spec["disk"], "output.log"), spec["disk"])
    code = finished(process)
    end_all(0)
    say(event="end", code=code)
    os._exit(0)


def main() -> None:
    """Be the machine until the input ends."""
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans come here
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    spec = json.loads(sys.stdin.readline())
    if spec["kind"] == "try":
        isolate(spec["disk"], "try")
        return
    threading.Thread(target=reap, daemon=True).start()
    work = instance if spec["kind"] == "instance" else job
    threading.Thread(target=work, args=(spec,), daemon=True).start()
    end_all(float(sys.stdin.readline().strip() or 0))
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["systemctl"]:
        sys.exit(systemctl(sys.argv[2], sys.argv[3:]))
    main()
