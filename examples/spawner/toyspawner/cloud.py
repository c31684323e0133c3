"""The toy cloud: a platform in one process, to be replaced by yours.

It speaks HTTP and JSON, and forgets everything when it ends::

    POST   /servers         {"name", "env", "cmd", "labels"}: 201, or 409 if the name is taken
    GET    /servers         all servers
    DELETE /servers/NAME    ends a server: 204, or 404; ?grace=SECONDS
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from greyhub.conformance.spawner.probe import Probe, will

Answer = tuple[int, Any]
"""An HTTP status and what to say with it."""


class Machine:
    """One server of the cloud: a thread that answers as a notebook server would."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.name: str = wanted["name"]
        self.env: dict[str, str] = wanted["env"]
        self.cmd: list[str] = wanted["cmd"]
        self.labels: dict[str, str] = wanted["labels"]
        self.port = 0
        self.status: int | None = None
        self.probe = Probe(self.env)

    def boot(self) -> None:
        """Run what the probe of the conformance suite would."""
        if "dead" in self.probe.words:
            self.status = 3
        elif "mute" not in self.probe.words:
            self.port = self.probe.listen()

    def end(self, status: int) -> None:
        """Run no more."""
        self.probe.close()
        self.status = status if self.status is None else self.status

    def as_json(self) -> dict[str, Any]:
        """What the API tells."""
        return {
            "name": self.name,
            "address": "127.0.0.1",
            "port": self.port,
            "status": self.status,
            "labels": self.labels,
        }


class Api(BaseHTTPRequestHandler):
    """The cloud's HTTP API."""

    protocol_version = "HTTP/1.1"
    cloud: Any

    def do_GET(self) -> None:
        """List the servers."""
        self.answer(200, [machine.as_json() for machine in list(self.cloud.machines.values())])

    def do_POST(self) -> None:
        """Make a server."""
        self.answer(*self.cloud.create(self.body()))

    def do_DELETE(self) -> None:
        """End a server."""
        url = urlsplit(self.path)
        grace = float(parse_qs(url.query).get("grace", ["0"])[0])
        self.answer(*self.cloud.delete(unquote(url.path.rpartition("/")[2]), grace))

    def body(self) -> Any:
        """What was sent."""
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, status: int, value: Any) -> None:
        """Send one answer."""
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing."""


class Cloud:
    """The platform: start it, and give its `url` to the spawner."""

    api: ClassVar[type[Api]] = Api
    machine: ClassVar[type[Machine]] = Machine

    def __init__(self) -> None:
        self.machines: dict[str, Machine] = {}
        self.lock = threading.Lock()

    def start(self) -> Cloud:
        """Serve, in a thread, at `url`: nothing is open before."""
        handler = type("Handler", (self.api,), {"cloud": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        serve = self.http.serve_forever
        threading.Thread(target=serve, args=(0.05,), name="toy-cloud", daemon=True).start()
        return self

    def stop(self) -> None:
        """End everything."""
        self.http.shutdown()
        self.http.server_close()
        self.clear()

    def kill(self, name: str) -> None:
        """Let a machine break down; nobody is told."""
        self.machines[name].end(137)

    def clear(self) -> None:
        """End everything, and forget it."""
        for name in list(self.machines):
            self.kill(name)
        self.machines.clear()

    def running(self) -> list[Machine]:
        """The machines that run."""
        return [machine for machine in list(self.machines.values()) if machine.status is None]

    def create(self, wanted: dict[str, Any]) -> Answer:
        """Make a machine, unless its name is taken or there is no such program."""
        with self.lock:
            if wanted["name"] in self.machines:
                return 409, {"message": f"there is a server {wanted['name']!r} already"}
            if not wanted["cmd"] or wanted["cmd"][0].startswith("/no/"):
                return 422, {"message": f"cmd: there is no program {wanted['cmd'][:1]}"}
            machine = self.machine(wanted)
            self.machines[machine.name] = machine
            self.equip(machine, wanted)
            machine.boot()
        return 201, machine.as_json()

    def equip(self, machine: Any, wanted: dict[str, Any]) -> None:
        """Give a machine more, before it boots."""

    def delete(self, name: str, grace: float) -> Answer:
        """End a machine, which has its grace."""
        machine = self.machines.get(name)
        if machine is None:
            return 404, {"message": f"there is no server {name!r}"}
        if grace and machine.status is None:
            will(machine.env, "SIGTERM")
            if "stubborn" in machine.probe.words:
                time.sleep(grace)
        machine.end(143)
        with self.lock:
            self.machines.pop(name, None)
        return 204, None
