"""The first process of a simulated machine; it needs the standard library alone.

Its first line of input is what to do, as JSON. It lives as long as its input is
open: when the process that started it ends, however that ends, everything on the
machine ends. It writes events to its output, a line of JSON each.

As an instance it runs the creation script once, the startup script at each boot,
and stands in for systemd. As a job it runs one command.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from greyhub.conformance.testkit.machine.processes import end_all, finished, reap, run
from greyhub.conformance.testkit.machine.services import TOOLS, UNITS, Services

OWN = ("/etc", "/home", "/opt", "/root", "/srv", "/usr/local", "/var/lib")
"""Directories of which an isolated machine sees the host's files, and keeps its changes."""

SYSTEMCTL = """
import sys
sys.path.insert(0, {root!r})
from greyhub.conformance.testkit.machine.services import systemctl
sys.exit(systemctl({tools!r}, sys.argv[1:]))
"""


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
            with contextlib.suppress(OSError):
                mount(f"/proc/self/fd/{number}", point, "", bind)
            os.close(number)
    # The host's own services are not the machine's.
    units = disk + "/.units"
    for folder in (units, UNITS):
        os.makedirs(folder, exist_ok=True)
    mount(units, UNITS, "", bind)
    needed = (sys.executable, os.path.realpath(sys.executable), sys.base_prefix, __file__)
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
    for folder in ("/home/azureuser", "/usr/local/bin", "/var/lib", TOOLS, UNITS):
        Path(root + folder).mkdir(parents=True, exist_ok=True)
    program = SYSTEMCTL.format(root=str(Path(__file__).parents[4]), tools=str(tools))
    shim = Path(root + "/usr/local/bin/systemctl")
    shim.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-ISc", program])} "$@"\n')
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
        text = script["text"]
        for place in (UNITS, "/var/lib"):
            text = text.replace(place, root + place)
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


def say(**event: Any) -> None:
    """Tell the simulator."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(event).encode() + b"\n")


def told(work: Callable[[dict[str, Any]], None], spec: dict[str, Any]) -> None:
    """Do the work; say that the machine has failed if it cannot be done."""
    try:
        work(spec)
    except Exception as error:
        say(event="scripts", failed=f"The machine could not boot: {error!r}.")
        raise


def main() -> None:
    """Be the machine until the input ends, or says how long processes have to end."""
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans come here
    os.chdir("/")  # where the simulator stands may not be on the machine
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    spec = json.loads(sys.stdin.readline())
    if spec["kind"] == "try":
        isolate(spec["disk"], "try")
        return
    threading.Thread(target=reap, daemon=True).start()
    work = instance if spec["kind"] == "instance" else job
    threading.Thread(target=told, args=(work, spec), daemon=True).start()
    end_all(float(sys.stdin.readline().strip() or 0))
    os._exit(0)
