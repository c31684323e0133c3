"""``python -m tests.conformance.strangers.ec2.serve``: EC2's API, until it is killed.

Made to be the first process of a PID namespace, in network and mount namespaces of its
own. It prints the URL of the API, and writes nothing outside of these.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

os.environ |= {
    "MOTO_ENABLE_AMI_VALIDATION": "true",
    "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
}

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

HERE = Path("/run")
"""A file system that ends with this process."""

MOST_USER_DATA = 16384
"""Bytes, before they are encoded: EC2's own limit."""

BOOT = """\
hostname "$1"
trap 'exit 0' TERM  # by which shutdown tells it
sh "$2" &
sleep infinity &
wait
"""

PROGRAMS = {
    "python": f'exec {sys.executable} "$@"',
    "docker": f'exec {sys.executable} -S -E {Path(__file__).with_name("docker.py")} "$@"',
    "shutdown": "kill -TERM 1",
}
"""What each instance finds first. Its images hold this interpreter, and all that it can import."""


@dataclass
class Machine:
    """What runs, for one of moto's instances."""

    instance: Any
    commands: list[str]
    process: subprocess.Popen[bytes]

    def shown(self) -> dict[str, Any]:
        """What the tests may know of it."""
        tags = {each["key"]: each["value"] for each in self.instance.get_tags()}
        return {"id": self.instance.id, "tags": tags, "commands": self.commands}


class Machines:
    """What moto does not do: instances run, there may be no room, and user data has a limit."""

    def __init__(self) -> None:
        self.fault: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._running: dict[str, Machine] = {}
        self._count = 0
        self._run, self._terminate = InstanceBackend.run_instances, Instance.terminate

    def install(self) -> None:
        """Let moto's instances run from now on."""
        machines = self

        def run_instances(backend: Any, image: Any, count: int, *args: Any, **kwargs: Any) -> Any:
            return machines.run(backend, image, count, *args, **kwargs)

        def terminate(instance: Any, *args: Any, **kwargs: Any) -> Any:
            with machines._lock:
                machines.end(instance.id)
                if instance.state == "terminated":  # EC2 says so again; moto would raise
                    return instance.instance_state
                return machines._terminate(instance, *args, **kwargs)

        InstanceBackend.run_instances = run_instances  # type: ignore[method-assign]
        Instance.terminate = terminate  # type: ignore[method-assign]

    def run(
        self, backend: Any, image: Any, count: int, user_data: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """RunInstances."""
        text = user_data.decode() if user_data else ""
        if len(text.encode()) > MOST_USER_DATA:
            raise EC2ClientError(
                "InvalidParameterValue", f"User data is limited to {MOST_USER_DATA} bytes"
            )
        with self._lock:
            if len(self._running) + count > self.fault.get("most", sys.maxsize):
                raise EC2ClientError(
                    "InsufficientInstanceCapacity",
                    "There is no Spot or On-Demand capacity available that matches your request.",
                )
            reservation = self._run(backend, image, count, user_data, *args, **kwargs)
            for instance in reservation.instances:
                self._start(instance, commands(text))
        return reservation

    def _start(self, instance: Any, runcmd: list[str]) -> None:
        """Boot a machine: a network, a name and processes of its own."""
        self._count += 1
        link = f"veth{self._count}"
        name, address = instance.id, instance.private_ip
        folder = HERE / name
        folder.mkdir()
        (folder / "runcmd").write_text("\n".join(runcmd))
        ip(
            f"netns add {name}",
            f"link add {link} type veth peer name eth0 netns {name}",
            f"link set {link} master region up",
        )
        ip(f"addr add {address}/16 dev eth0", "link set eth0 up", "link set lo up", namespace=name)
        alone = ["unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        environment = {
            "PATH": f"{HERE}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LANG": "C.UTF-8",
            "ABSENT": self.fault.get("absent", ""),
        }
        host = "ip-" + address.replace(".", "-")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", name, *alone, "sh", HERE / "boot", host, "runcmd"],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        machine = self._running[name] = Machine(instance, runcmd, process)
        threading.Thread(target=self._watch, args=(machine,), daemon=True).start()

    def end(self, name: str) -> None:
        """Kill a machine: first its processes, whose peers are told by the kernel."""
        machine = self._running.pop(name, None)
        if machine is None:
            return
        if machine.process.poll() is None:
            # All else in its PID namespace is gone when its first process is.
            for child in children(machine.process.pid) or [machine.process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            machine.process.wait()
        ip(f"netns del {name}")

    def _watch(self, machine: Machine) -> None:
        """What shuts itself down is terminated, or else stopped, as was asked for."""
        machine.process.wait()
        instance = machine.instance
        if instance.id not in self._running:
            return
        if instance.instance_initiated_shutdown_behavior == "terminate":
            instance.terminate()
        else:
            self.end(instance.id)
            instance.stop()

    def __call__(self, request: Request) -> Any:
        """The tests' own requests, which are none of EC2's: the JSON of the answer."""
        words = request.path.split("/")[2:]
        if words == ["fault"]:
            self.fault = request.get_json()
        elif request.method == "DELETE":
            if machine := self._running.get(words[1]):
                machine.instance.terminate()
        else:
            return [machine.shown() for machine in list(self._running.values())]
        return {}


def commands(user_data: str) -> list[str]:
    """What cloud-init runs."""
    told = yaml.safe_load(user_data) if user_data.startswith("#cloud-config") else None
    return [str(each) for each in (told or {}).get("runcmd") or ()]


def children(pid: int) -> list[int]:
    """The children of a process."""
    with contextlib.suppress(OSError):
        return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return []


def ip(*lines: str, namespace: str = "") -> None:
    """Run lines of iproute2."""
    where = ["-n", namespace] if namespace else []
    subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(lines), text=True, check=True)


def main() -> None:
    """Serve."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", HERE], check=True)
    (HERE / "bin").mkdir()
    for name, line in PROGRAMS.items():
        (HERE / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (HERE / "bin" / name).chmod(0o755)
    (HERE / "boot").write_text(BOOT)
    ip("link set lo up", "link add region type bridge")
    ip("addr add 172.31.0.1/16 dev region", "link set region up")  # moto's default VPC
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    machines, moto = Machines(), DomainDispatcherApplication(create_backend_app)
    machines.install()

    def serve(environ: Any, start: Any) -> Any:
        if not environ["PATH_INFO"].startswith("/simulator/"):
            return moto(environ, start)
        answer = json.dumps(machines(Request(environ)))
        return Response(answer, mimetype="application/json")(environ, start)

    server = make_server("127.0.0.1", 0, serve, True, request_handler=MotoRequestHandler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
