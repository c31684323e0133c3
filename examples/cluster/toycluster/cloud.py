"""A cloud in one process: it runs schedulers and workers as jobs, and counts them.

Its API is JSON over HTTP, one request at a time. Jobs are forked from it, so that
they begin in a moment. Each cluster has a lease that its notebook renews.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from .client import ask

LEASE = 2.5
"""Seconds after which a cluster that nobody renews is ended."""


class Cloud(HTTPServer):
    """The cloud: listens as soon as it is made, and serves where it is told to."""

    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.clusters: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.numbers = iter(range(1, 1 << 30))
        self.room: int | None = None
        self.broken = False

    def serve(self) -> None:
        """Serve as long as there is the process that began this one."""
        self.timeout = 0.1
        operator = os.getppid()
        while os.getppid() == operator:
            self.handle_request()
            self.look_after()

    def look_after(self) -> None:
        """Bury the dead, and end what nobody pays for any more."""
        for job in self.jobs.values():
            for pid in list(job["pids"]):
                with suppress(ChildProcessError):
                    if os.waitpid(pid, os.WNOHANG)[0] == pid:
                        job["pids"].remove(pid)
        now = time.monotonic()
        for name, cluster in list(self.clusters.items()):
            scheduler = self.jobs.get(cluster.get("scheduler", ""))
            lost = scheduler is not None and not scheduler["pids"]
            if self.ends_with(cluster, lost) or (not cluster["keep"] and now > cluster["lease"]):
                self.end_cluster(name)
        self.jobs = {name: job for name, job in self.jobs.items() if job["pids"]}

    def ends_with(self, cluster: dict[str, Any], lost: bool) -> bool:
        """Whether a cluster ends with its scheduler, if that is lost."""
        return lost

    def reap(self) -> None:
        """End now what is to end when its lease is over."""
        for cluster in self.clusters.values():
            if not cluster["keep"]:
                cluster["lease"] = 0.0
        self.look_after()

    def end_cluster(self, name: str) -> None:
        """End all jobs of a cluster, and forget it."""
        for job in list(self.jobs.values()):
            if job["labels"]["cluster"] == name:
                self.end_job(job)
        self.clusters.pop(name, None)

    def end_job(self, job: dict[str, Any]) -> None:
        """End a job's processes."""
        for pid in job["pids"]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def begin_job(self, job: dict[str, Any], desk: Desk) -> dict[str, Any]:
        """Fork a job's processes; `desk` is where it was asked for."""
        name = f"job-{next(self.numbers)}"
        self.jobs[name] = job = {**job, "name": name, "address": "", "pids": []}
        for number in range(job.get("group", 1)):
            pid = os.fork()
            if pid == 0:
                self._become(job, number, desk)
            job["pids"].append(pid)
        if job["kind"] == "scheduler":
            self.clusters[job["labels"]["cluster"]]["scheduler"] = name
        return job

    def begin(self, job: dict[str, Any]) -> Callable[..., Coroutine[Any, Any, None]]:
        """What a job's process does."""
        from . import jobs

        return {"scheduler": jobs.scheduler, "worker": jobs.worker}[job["kind"]]

    def _become(self, job: dict[str, Any], number: int, desk: Desk) -> None:
        os.setsid()
        # Whoever waits for the end of the answer must not wait for the end of the job.
        self.socket.close()
        desk.rfile.close()
        desk.connection.close()
        os.environ.clear()
        os.environ.update(job.get("environment", {}))
        try:
            asyncio.run(self.begin(job)(self.url, job, number))
        finally:
            os._exit(0)


class Running:
    """A cloud in a process of its own, as its operator sees it."""

    cloud_class = Cloud

    def start(self) -> None:
        """Let it run."""
        cloud = self.cloud_class()
        self.url = cloud.url
        self._pid = os.fork()
        if self._pid == 0:
            try:
                cloud.serve()
            finally:
                os._exit(1)
        cloud.socket.close()

    def stop(self) -> None:
        """End it."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def parts(self) -> list[tuple[str, str, dict[str, str], list[str]]]:
        """The processes of all jobs: a name, the kind, labels and the command line."""
        return [
            (f"{job['name']}/{pid}", job["kind"], job["labels"], job["command"])
            for job in ask("GET", f"{self.url}/jobs")
            for pid in job["pids"]
        ]

    def kill(self, name: str) -> None:
        """End a process at once, as a node does that fails."""
        with suppress(ProcessLookupError):
            os.kill(int(name.partition("/")[2]), signal.SIGKILL)

    @contextmanager
    def fault(self, kind: str, room: int = 0) -> Iterator[None]:
        """Have no room for more workers, or let no scheduler come up."""
        faults = {"full": {"room": room}, "scheduler": {"broken": True}}
        ask("POST", f"{self.url}/fault", faults[kind])
        try:
            yield
        finally:
            ask("POST", f"{self.url}/fault", {})

    def reap(self) -> None:
        """End what nobody renews, now."""
        ask("POST", f"{self.url}/reap")


class Desk(BaseHTTPRequestHandler):
    """One request."""

    server: Cloud

    def log_message(self, *args: Any) -> None:
        """Nothing is logged."""

    def answer(self, status: int, body: Any = None) -> None:
        """Answer in JSON."""
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(content)

    def body(self) -> dict[str, Any]:
        """What was sent."""
        found: dict[str, Any] = json.loads(
            self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}"
        )
        return found

    def do_GET(self) -> None:
        """What there is."""
        cloud, parts = self.server, self.path.strip("/").split("/")
        cloud.look_after()
        if parts == ["jobs"]:
            self.answer(200, list(cloud.jobs.values()))
        elif parts[0] == "jobs":
            job = cloud.jobs.get(parts[1])
            self.answer(200 if job else 404, job)
        elif parts == ["clusters"]:
            self.answer(200, [cluster["labels"] for cluster in cloud.clusters.values()])
        else:
            cluster = cloud.clusters.get(parts[1])
            jobs = [j for j in cloud.jobs.values() if j["labels"]["cluster"] == parts[1]]
            self.answer(200 if cluster else 404, {**(cluster or {}), "jobs": jobs})

    def do_POST(self) -> None:
        """Something new."""
        cloud, parts, body = self.server, self.path.strip("/").split("/"), self.body()
        if parts == ["clusters"]:
            name = body["labels"]["cluster"]
            if name in cloud.clusters:
                return self.answer(409, {"message": f"there is a cluster {name} already"})
            period = body.setdefault("period", LEASE)
            cloud.clusters[name] = {**body, "lease": time.monotonic() + period}
            return self.answer(201, {})
        if parts == ["jobs"]:
            cluster = cloud.clusters.get(body["labels"]["cluster"])
            if cluster is None:
                return self.answer(410, {"message": "the cluster has ended"})
            mine = [
                job
                for job in cloud.jobs.values()
                if job["labels"] == body["labels"] and job["kind"] == "worker" and job["pids"]
            ]
            if body["kind"] == "worker" and cloud.room is not None and len(mine) >= cloud.room:
                return self.answer(403, {"message": "there is no capacity"})
            return self.answer(201, cloud.begin_job({**body, "broken": cloud.broken}, self))
        if parts == ["fault"]:
            cloud.room, cloud.broken = body.get("room"), body.get("broken", False)
            return self.answer(200, {})
        if parts == ["reap"]:
            cloud.reap()
        return self.answer(200, {})

    def do_PUT(self) -> None:
        """A change, or a lease that is renewed."""
        cloud, parts, body = self.server, self.path.strip("/").split("/"), self.body()
        cloud.look_after()
        if parts[0] == "jobs" and parts[1] in cloud.jobs:
            cloud.jobs[parts[1]].update(body)
        elif parts[0] == "clusters" and parts[1] in cloud.clusters:
            cluster = cloud.clusters[parts[1]]
            cluster["lease"] = time.monotonic() + cluster["period"]
            cluster.update(body)
        else:
            return self.answer(404)
        return self.answer(200, {})

    def do_DELETE(self) -> None:
        """The end of a cluster or a job."""
        cloud, parts = self.server, self.path.strip("/").split("/")
        if parts[0] == "clusters":
            cloud.end_cluster(parts[1])
        elif parts[1] in cloud.jobs:
            cloud.end_job(cloud.jobs[parts[1]])
        self.answer(200, {})
