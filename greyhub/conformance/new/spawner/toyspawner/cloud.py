"""The toy cloud: a platform in one process, to be replaced by yours.

It speaks HTTP and JSON, and forgets everything when it ends::

    POST   /servers         {"name", "env", "cmd", "labels"}: 201, or 409 if the name is taken
    GET    /servers         all servers
    DELETE /servers/NAME    ends a server: 204, or 404; ?grace=SECONDS

A server that runs is a thread that answers as a notebook server would.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from greyhub.conformance.spawner.probe import Probe, will


@dataclass
class Machine:
    """One server of the cloud."""

    name: str
    env: dict
    cmd: list
    labels: dict
    port: int = 0
    status: int | None = None
    """None while it runs, otherwise its exit status."""
    probe: Probe = field(init=False, repr=False)

    def boot(self):
        """Run what the probe of the conformance suite would."""
        self.probe = Probe(self.env)
        if "dead" in self.probe.words:
            self.status = 3
        elif "mute" not in self.probe.words:
            self.port = self.probe.listen()

    def end(self, status):
        """Run no more."""
        self.probe.close()
        self.status = status if self.status is None else self.status

    def as_json(self):
        """What the API tells."""
        return {
            "name": self.name,
            "address": "127.0.0.1" if self.port else None,
            "port": self.port,
            "status": self.status,
            "labels": self.labels,
        }


class Cloud:
    """The platform. Start it, and give its `url` to the spawner."""

    def __init__(self):
        self.machines = {}
        self.lock = threading.Lock()
        handler = type("Handler", (Api,), {"cloud": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def start(self):
        """Serve, in a thread."""
        serve = self.http.serve_forever
        threading.Thread(target=serve, args=(0.05,), name="toy-cloud", daemon=True).start()
        return self

    def stop(self):
        """End everything."""
        self.http.shutdown()
        self.http.server_close()
        for name in list(self.machines):
            self.kill(name)

    def kill(self, name):
        """A machine breaks down; nobody is told."""
        self.machines[name].end(137)

    def running(self):
        """The machines that run."""
        return [machine for machine in list(self.machines.values()) if machine.status is None]

    def create(self, wanted):
        """A new machine: its status and what to answer."""
        with self.lock:
            if wanted["name"] in self.machines:
                return 409, {"message": f"there is a server {wanted['name']!r} already"}
            if not wanted["cmd"] or wanted["cmd"][0].startswith("/no/"):
                return 422, {"message": f"cmd: there is no program {wanted['cmd'][:1]}"}
            machine = Machine(wanted["name"], wanted["env"], wanted["cmd"], wanted["labels"])
            self.machines[machine.name] = machine
            machine.boot()
        return 201, machine.as_json()

    def delete(self, name, grace):
        """End a machine: its status and what to answer."""
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


class Api(BaseHTTPRequestHandler):
    """The cloud's HTTP API."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """List the servers."""
        self.answer(200, [machine.as_json() for machine in list(self.cloud.machines.values())])

    def do_POST(self):
        """Make a server."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(*self.cloud.create(json.loads(body)))

    def do_DELETE(self):
        """End a server."""
        url = urlsplit(self.path)
        grace = float(parse_qs(url.query).get("grace", ["0"])[0])
        self.answer(*self.cloud.delete(unquote(url.path.rpartition("/")[2]), grace))

    def answer(self, status, value):
        """One JSON answer."""
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Nothing."""
