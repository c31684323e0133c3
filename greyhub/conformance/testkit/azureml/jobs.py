"""Command jobs of the workspace, each a process, and the nodes of the clusters they run on."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greyhub.conformance.testkit.azureml.arm import Answer, Call, Route
from greyhub.conformance.testkit.azureml.computes import Computes
from greyhub.conformance.testkit.azureml.errors import bad_request, conflict, not_found
from greyhub.conformance.testkit.azureml.paging import page
from greyhub.conformance.testkit.azureml.state import PROVIDER, Cloud, Document, Operation
from greyhub.conformance.testkit.machine.host import Process

ENDED = ("Completed", "Failed", "Canceled")

_WORKSPACE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/"
_WORKSPACE += f"{PROVIDER}/workspaces/{{workspace}}"
_RIGHT = f"{PROVIDER}/workspaces"


@dataclass
class Job:
    """One command job."""

    name: str
    body: Document
    process: Process
    compute: str
    """The cluster that it runs on; empty if it is serverless."""
    address: str
    status: str = "NotStarted"
    code: int | None = None
    task: asyncio.Task[None] | None = None
    temporary: tuple[Path, ...] = ()
    """What is its own below /tmp: elsewhere its container's, and gone with that."""

    @property
    def output(self) -> Path:
        """The file with what it has written."""
        return self.process.folder / "output.log"

    async def end(self, grace: float = 0) -> None:
        """End its process; its temporary files go with it."""
        await self.process.end(grace)
        for path in self.temporary:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)


class Jobs:
    """The jobs of one workspace."""

    def __init__(self, cloud: Cloud, computes: Computes) -> None:
        self.cloud, self.computes = cloud, computes
        self.all: dict[str, Job] = {}

    def routes(self) -> list[Route]:
        """The operations of jobs, and of clusters' nodes."""
        every, one = f"{_WORKSPACE}/jobs", f"{_WORKSPACE}/jobs/{{name}}"
        read, write = f"{_RIGHT}/jobs/read", f"{_RIGHT}/jobs/write"
        nodes = f"{_WORKSPACE}/computes/{{name}}/listNodes"
        result = f"/subscriptions/{{subscription}}/providers/{PROVIDER}"
        result += "/locations/{location}/mfeOperationResults/{operation}"
        of_nodes = "AmlComputeNodesInformation"
        return [
            Route("GET", every, read, self.listed, answered="JobList"),
            Route("GET", one, read, self.get, answered="JobResource"),
            Route("PUT", one, write, self.put, "JobResource", "JobResource"),
            Route("POST", f"{one}/cancel", f"{_RIGHT}/jobs/cancel/action", self.cancel),
            Route("POST", nodes, f"{_RIGHT}/computes/listNodes/action", self.nodes, "", of_nodes),
            Route("GET", result, "", self.result),
        ]

    def listed(self, call: Call) -> Answer:
        """The jobs that are seen, the newest first, also by tag."""
        self.cloud.demand(call.names)
        found = list(reversed(self.cloud.documents.every("jobs")))
        if tag := call.query.get("tag"):
            name, has_value, value = tag.partition("=")
            tags = [(each, each["properties"].get("tags") or {}) for each in found]
            found = [
                each for each, of in tags if name in of and (not has_value or of[name] == value)
            ]
        return page(self.cloud, call, found, "jobs")

    def get(self, call: Call) -> Answer:
        """One job as it is seen."""
        self.cloud.demand(call.names)
        return Answer(body=self.cloud.documents.get("jobs", call.names["name"]))

    def put(self, call: Call) -> Answer:
        """Submit a job; of one that there is, only what describes it can be changed."""
        self.cloud.demand(call.names)
        name, said = call.names["name"], call.body["properties"]
        if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}", name):
            raise bad_request(f"The job's name '{name}' may have letters, digits, - and _ alone.")
        if old := self.all.get(name):
            fixed = ("command", "environmentId", "environmentVariables", "computeId", "codeId")
            before = old.body["properties"]
            if any(before.get(each) != said.get(each) for each in fixed):
                raise conflict(f"The job '{name}' is there already, and is another one.")
            old.body = call.body
            self._publish(old)
            return Answer(200, self._document(old))
        compute = self._compute(said)
        address = f"127.2.{len(self.all) // 250}.{len(self.all) % 250 + 1}"
        process = Process(self.cloud.folder / "jobs" / name)
        job = self.all[name] = Job(name, call.body, process, compute, address)
        self._publish(job)
        job.task = asyncio.get_running_loop().create_task(self._run(job))
        return Answer(201, self._document(job))

    def cancel(self, call: Call) -> Answer:
        """Begin to end a job; one that has ended stays as it is."""
        self.cloud.demand(call.names)
        job = self.all.get(call.names["name"])
        if job is None:
            raise not_found("job", call.names["name"])
        if job.status in ENDED:
            return Answer(200)
        operation = self.cloud.begin()
        self._set(job, "CancelRequested")
        task = asyncio.get_running_loop().create_task(self._cancel(job, operation))
        task.add_done_callback(lambda done: done.exception())
        url = self.cloud.status_url(operation, call.version, "mfeOperationResults")
        return Answer(202, None, {"Location": url, "Retry-After": "1"})

    def result(self, call: Call) -> Answer:
        """Whether a cancellation is over."""
        found = self.cloud.operations.get(call.names["operation"])
        if found is None:
            raise not_found("operation", call.names["operation"])
        if found.status != "InProgress":
            return Answer(200)
        url = self.cloud.status_url(found, call.version, "mfeOperationResults")
        return Answer(202, None, {"Location": url, "Retry-After": "1"})

    def nodes(self, call: Call) -> Answer:
        """The nodes of a cluster that run something."""
        self.cloud.demand(call.names)
        found = self.computes.all.get(call.names["name"])
        if found is None or found.is_instance:
            raise not_found("compute", call.names["name"])
        nodes = [
            {
                "nodeId": f"tvmps_{job.name}",
                "privateIpAddress": job.address,
                "publicIpAddress": None,
                "port": 50000,
                "nodeState": "running",
                "runId": job.name,
            }
            for job in self._on(found.name)
        ]
        return Answer(body={"nodes": nodes})

    async def close(self) -> None:
        """End every job."""
        tasks = [job.task for job in self.all.values() if job.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(job.end() for job in self.all.values()))

    def _compute(self, said: Document) -> str:
        target = said.get("computeId")
        if not target:
            size = (said.get("resources") or {}).get("instanceType")
            if size and self.cloud.size(size) is None:
                raise bad_request(f"The size '{size}' is not available in {self.cloud.region}.")
            return ""
        head, _, name = target.rpartition("/computes/")
        found = self.computes.all.get(name)
        if head.lower() != self.cloud.id.lower() or found is None:
            raise bad_request(f"The compute '{target}' does not exist.")
        return str(name)

    def _on(self, compute: str) -> list[Job]:
        return [each for each in self.all.values() if each.compute == compute and _runs(each)]

    def _room(self, job: Job) -> bool:
        found = self.computes.all.get(job.compute)
        if found is None or found.is_instance:
            return True
        most = (found.properties.get("scaleSettings") or {}).get("maxNodeCount", 1)
        return bool(len(self._on(job.compute)) < most)

    async def _run(self, job: Job) -> None:
        try:
            await self._carry(job)
        except Exception as error:
            self.cloud.own_faults.append(error)

    async def _carry(self, job: Job) -> None:
        self._set(job, "Queued")
        await asyncio.sleep(self.cloud.times.queue)
        while not self._room(job):  # noqa: ASYNC110 - many things make room
            await asyncio.sleep(0.05)
        self._set(job, "Starting")
        said = job.body["properties"]
        environment = said.get("environmentVariables") or {}
        names = {"AZUREML_RUN_ID": job.name, "AZUREML_ARM_WORKSPACE_NAME": self.cloud.workspace}
        spec = {"kind": "job", "command": _command(said), "environment": environment | names}
        job.temporary = _temporary(_command(said))
        await job.process.start(spec)
        self._set(job, "Running")
        limit = _seconds((said.get("limits") or {}).get("timeout"))
        try:
            event = await asyncio.wait_for(job.process.event(), limit)
        except TimeoutError:
            event = {}
        await job.end(0 if event else self.cloud.times.cancel_grace)
        job.code = event.get("code")
        self._set(job, "Completed" if job.code == 0 else "Failed")

    async def _cancel(self, job: Job, operation: Operation) -> None:
        if job.task:
            job.task.cancel()
            await asyncio.gather(job.task, return_exceptions=True)
        await job.end(self.cloud.times.cancel_grace)
        if job.status not in ENDED:
            self._set(job, "Canceled")
        operation.finish()

    def _set(self, job: Job, status: str) -> None:
        job.status = status
        self._publish(job)

    def _publish(self, job: Job) -> None:
        self.cloud.documents.publish("jobs", job.name, self._document(job))

    def _document(self, job: Job) -> Document:
        said = {"displayName": job.name, "experimentName": "Default"} | job.body["properties"]
        return self.cloud.resource("jobs", job.name) | {
            "properties": said | {"status": job.status},
        }


def _runs(job: Job) -> bool:
    return job.status in ("Starting", "Running")


def _command(said: Document) -> str:
    """The command, with its inputs put in."""
    inputs: dict[str, Any] = said.get("inputs") or {}

    def put(found: re.Match[str]) -> str:
        given = inputs.get(found[1], {})
        return str(given.get("value", given.get("uri", "")))

    return re.sub(r"\$\{\{\s*inputs\.(\w+)\s*\}\}", put, said["command"])


def _temporary(command: str) -> tuple[Path, ...]:
    """The directories below /tmp that a command names and that are not there yet."""
    found = map(Path, re.findall(r"/tmp/[\w.-]+", command))  # noqa: S108 - theirs
    return tuple(path for path in found if not path.exists())


def _seconds(duration: str | None) -> float | None:
    """An ISO 8601 duration; None if there is none."""
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", duration or "")
    if found is None or not duration:
        return None
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
