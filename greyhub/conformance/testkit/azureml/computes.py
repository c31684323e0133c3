"""Computes of the workspace: instances with their states, and clusters."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from greyhub.conformance.testkit.azureml import facts
from greyhub.conformance.testkit.azureml.arm import Answer, Call, Route
from greyhub.conformance.testkit.azureml.errors import bad_request, conflict, not_found
from greyhub.conformance.testkit.azureml.machine import (
    Machine,
    ScriptFailed,
    can_isolate,
    read_script,
)
from greyhub.conformance.testkit.azureml.paging import page
from greyhub.conformance.testkit.azureml.state import Cloud, Document, Operation, now

ACTIONS = {
    "start": ({"Stopped"}, "Starting"),
    "stop": ({"Running", "JobRunning", "SetupFailed", "UserSetupFailed", "Unusable"}, "Stopping"),
    "restart": ({"Running", "JobRunning", "SetupFailed", "UserSetupFailed"}, "Restarting"),
}
"""From which states each is allowed, and the state while it is done."""

TRANSITIONS = {"Creating", "SettingUp", "UserSettingUp", "Starting", "Stopping", "Restarting"}
"""States in which only deletion is taken."""

_COMPUTES = "/subscriptions/{subscription}/resourceGroups/{group}/providers/"
_COMPUTES += "Microsoft.MachineLearningServices/workspaces/{workspace}/computes"
_RIGHT = "Microsoft.MachineLearningServices/workspaces/computes"


@dataclass
class Compute:
    """One compute. A cluster has neither a state nor a machine."""

    name: str
    body: Document
    folder: Path
    address: str
    creator: str
    provisioning: str = "Creating"
    state: str | None = None
    errors: list[Document] = field(default_factory=list)
    last: Document | None = None
    created: str = field(default_factory=now)
    modified: str = field(default_factory=now)
    machine: Machine | None = None
    task: asyncio.Task[None] | None = None

    @property
    def is_instance(self) -> bool:
        """Whether it is a compute instance."""
        return bool(self.body["properties"]["computeType"] == "ComputeInstance")

    @property
    def properties(self) -> Document:
        """The properties of its type, as they were sent."""
        return dict(self.body["properties"].get("properties") or {})


class Computes:
    """The computes of one workspace."""

    def __init__(self, cloud: Cloud, isolate: bool) -> None:
        self.cloud, self.isolate = cloud, isolate
        self.all: dict[str, Compute] = {}
        self.overwritten: list[str] = []
        self.failures: list[tuple[str, str, str]] = []
        self._number = 0

    def routes(self) -> list[Route]:
        """The operations of computes, and of the status of long ones."""
        one = _COMPUTES + "/{name}"
        what = {"underlyingResourceAction": "Delete|Detach"}
        status = "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices"
        status += "/locations/{location}/computeOperationsStatus/{operation}"
        actions = [
            Route("POST", f"{one}/{word}", f"{_RIGHT}/{word}/action", self._handler(word))
            for word in ACTIONS
        ]
        return [
            Route("GET", _COMPUTES, f"{_RIGHT}/read", self.listed, answered="ComputeList"),
            Route("GET", one, f"{_RIGHT}/read", self.get, answered="ComputeResource"),
            Route("PUT", one, f"{_RIGHT}/write", self.put, "ComputeResource", "ComputeResource"),
            Route("DELETE", one, f"{_RIGHT}/delete", self.delete, query=what),
            *actions,
            Route("GET", status, "", self.status, answered="OperationStatus"),
        ]

    def listed(self, call: Call) -> Answer:
        """The computes that are seen, a page at a time."""
        self._here(call)
        return page(self.cloud, call, self.cloud.documents.every("computes"), "computes")

    def get(self, call: Call) -> Answer:
        """One compute as it is seen."""
        self._here(call)
        return Answer(body=self.cloud.documents.get("computes", call.names["name"]))

    def put(self, call: Call) -> Answer:
        """Make a compute, or overwrite the one that there is."""
        self._here(call)
        name = call.names["name"]
        if not re.fullmatch(facts.NAME, name):
            raise bad_request(
                f"Compute name '{name}' is not available. Reason: Invalid: {facts.NAME}"
            )
        old = self.all.get(name)
        if name.lower() in self.cloud.taken or (not old and self._same(name)):
            raise conflict(
                f"Compute name '{name}' is not available. Reason: AlreadyExists. "
                "It must be unique across all computes of the region."
            )
        if old and (old.provisioning in ("Creating", "Deleting") or old.state in TRANSITIONS):
            raise conflict(f"Another operation on the compute '{name}' is in progress.")
        self._afford(call.body, old)
        if old:
            self.overwritten.append(name)
            self._power_off(old)
            shutil.rmtree(old.folder, ignore_errors=True)
        made = self._make(name, call)
        operation = self.cloud.begin()
        self._publish(made)
        self._run(made, self._create(made, operation))
        return self._accepted(call, operation, 200 if old else 201, self._document(made))

    def delete(self, call: Call) -> Answer:
        """Delete a compute and its disk; or tell that there is none."""
        self._here(call)
        found = self.all.get(call.names["name"])
        if found is None:
            return Answer(204)
        if found.provisioning == "Deleting":
            raise conflict(f"The compute '{found.name}' is being deleted.")
        if found.task:
            found.task.cancel()
        operation = self.cloud.begin()
        found.provisioning, found.state = "Deleting", found.state and "Deleting"
        self._publish(found)
        self._run(found, self._delete(found, operation))
        return self._accepted(call, operation, 202)

    def status(self, call: Call) -> Answer:
        """How far a long operation is."""
        found = self.cloud.operations.get(call.names["operation"])
        if found is None:
            raise not_found("operation", call.names["operation"])
        body = {"id": found.id, "name": found.id, "status": found.status}
        body |= {"startTime": found.started} | ({"endTime": found.ended} if found.ended else {})
        return Answer(body=body | ({"error": found.error} if found.error else {}))

    def set_state(self, name: str, state: str) -> None:
        """Put an instance into a state, as if Azure had found it so."""
        found = self.all[name]
        if state in ("CreateFailed", "SetupFailed", "UserSetupFailed", "Unusable"):
            self._fail(found, state, f"The compute instance is {state}.")
            return
        found.state = state
        self._publish(found)

    async def kill(self, name: str, state: str = "Unusable") -> None:
        """End an instance's machine at once, as when its host dies."""
        found = self.all[name]
        if found.machine:
            await found.machine.kill()
        self.set_state(name, state)

    async def close(self) -> None:
        """End every machine."""
        tasks = [each.task for each in self.all.values() if each.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        machines = [each.machine for each in self.all.values() if each.machine]
        await asyncio.gather(*(machine.kill() for machine in machines))

    def _here(self, call: Call) -> None:
        self.cloud.demand(call.names)

    def _same(self, name: str) -> bool:
        return name.lower() in (each.lower() for each in self.all)

    def _afford(self, body: Document, old: Compute | None) -> None:
        said = dict(body["properties"].get("properties") or {})
        size = self.cloud.size(said.get("vmSize") or "")
        if size is None:
            raise bad_request(
                f"The requested VM size '{said.get('vmSize')}' is not available in "
                f"{self.cloud.region}."
            )
        if body["properties"]["computeType"] != "ComputeInstance":
            return
        for script in ((said.get("setupScripts") or {}).get("scripts") or {}).values():
            try:
                read_script(script or {"scriptSource": "inline"})
            except ValueError as error:
                raise bad_request(f"A setup script cannot be run: {error}") from None
        limit = self.cloud.quota.get(size.family, 100)
        used = self.used(size.family, but=old)
        if used + size.cpus > limit:
            raise bad_request(
                f"The specified subscription has a {size.family} vCPU quota of {limit}, of which "
                f"{used} are used, and cannot accommodate the requested {size.cpus} vCPUs."
            )

    def used(self, family: str, but: Compute | None = None) -> int:
        """VCPUs of a family that instances hold; one that is stopped holds them as well."""
        sizes = (
            self.cloud.size(each.properties.get("vmSize") or "")
            for each in self.all.values()
            if each is not but and each.is_instance
        )
        return sum(size.cpus for size in sizes if size and size.family == family)

    def _make(self, name: str, call: Call) -> Compute:
        self._number += 1
        address = f"127.1.{self._number // 250}.{self._number % 250 + 1}"
        folder = self.cloud.folder / "disks" / name
        who = call.application.object_id
        made = Compute(name, call.body, folder, address, who)
        scripts = (made.properties.get("setupScripts") or {}).get("scripts")
        if made.is_instance and scripts:
            isolate = self.isolate and can_isolate(self.cloud.folder)
            made.machine = Machine(name, folder, scripts, isolate=isolate)
        self.all[name] = made
        return made

    def _handler(self, word: str) -> Callable[[Call], Answer]:
        def handle(call: Call) -> Answer:
            self._here(call)
            found = self.all.get(call.names["name"])
            if found is None or not found.is_instance:
                raise not_found("compute", call.names["name"])
            allowed, during = ACTIONS[word]
            if found.state not in allowed:
                raise conflict(f"The compute '{found.name}' is {found.state}: it cannot {word}.")
            operation = self.cloud.begin()
            found.state = during
            found.last = _last(word, "InProgress")
            self._publish(found)
            self._run(found, self._act(found, word, operation))
            return self._accepted(call, operation, 202)

        return handle

    def _accepted(self, call: Call, operation: Operation, status: int, body: Any = None) -> Answer:
        url = self.cloud.status_url(operation, call.version, "computeOperationsStatus")
        return Answer(status, body, {"Azure-AsyncOperation": url})

    def _run(self, compute: Compute, work: Coroutine[Any, Any, None]) -> None:
        compute.task = asyncio.get_running_loop().create_task(work)

    async def _create(self, it: Compute, operation: Operation) -> None:
        await asyncio.sleep(self.cloud.times.create)
        if not it.is_instance:
            it.provisioning = "Succeeded"
            self._publish(it)
            operation.finish()
            return
        await self._boot(it, "create", operation)

    async def _act(self, it: Compute, word: str, operation: Operation) -> None:
        times = self.cloud.times
        if word in ("stop", "restart"):
            if it.machine:
                await it.machine.shut_down()
            await asyncio.sleep(times.stop)
        if word == "stop":
            if not self._told_to_fail(it, "stop", operation):
                it.state, it.provisioning, it.errors = "Stopped", "Succeeded", []
                self._done(it, word, operation)
            return
        await asyncio.sleep(times.start)
        await self._boot(it, word, operation)

    async def _boot(self, it: Compute, word: str, operation: Operation) -> None:
        """The machine runs its scripts; then the instance is Running, or has failed."""
        if self._told_to_fail(it, word, operation):
            return
        if it.machine:
            if word == "create":
                it.state = "UserSettingUp"
                self._publish(it)
            try:
                await it.machine.boot()
            except ScriptFailed as error:
                self._fail(it, "UserSetupFailed", str(error), operation, word)
                return
        it.state, it.provisioning, it.errors = "Running", "Succeeded", []
        self._done(it, word, operation)

    def _done(self, it: Compute, word: str, operation: Operation) -> None:
        it.last = _last(word, "Succeeded")
        self._publish(it)
        operation.finish()

    def _told_to_fail(self, it: Compute, word: str, operation: Operation) -> bool:
        for index, (which, state, name) in enumerate(self.failures):
            if which == word and name in ("", it.name):
                del self.failures[index]
                said = f"The compute instance could not {word}: it is {state}."
                self._fail(it, state, said, operation, word)
                return True
        return False

    def _fail(
        self,
        it: Compute,
        state: str,
        message: str,
        operation: Operation | None = None,
        word: str = "",
    ) -> None:
        error = {"code": state, "message": message}
        it.state, it.errors = state, [{"error": error}]
        it.provisioning = "Failed"
        if word:
            it.last = _last(word, f"{word.title()}Failed")
        self._publish(it)
        if operation:
            operation.finish(error)

    async def _delete(self, it: Compute, operation: Operation) -> None:
        if it.machine:
            await it.machine.kill()
        await asyncio.sleep(self.cloud.times.delete)
        shutil.rmtree(it.folder, ignore_errors=True)
        del self.all[it.name]
        self.cloud.documents.publish("computes", it.name, None)
        operation.finish()

    def _power_off(self, it: Compute) -> None:
        if it.machine:
            it.machine.cut_power()

    def _publish(self, it: Compute) -> None:
        it.modified = now()
        self.cloud.documents.publish("computes", it.name, self._document(it))

    def _document(self, it: Compute) -> Document:
        sent = it.body["properties"]
        common = {
            "computeType": sent["computeType"],
            "computeLocation": sent.get("computeLocation") or self.cloud.region,
            "provisioningState": it.provisioning,
            "description": sent.get("description"),
            "createdOn": it.created,
            "modifiedOn": it.modified,
            "resourceId": None,
            "provisioningErrors": it.errors or None,
            "isAttachedCompute": False,
            "disableLocalAuth": sent.get("disableLocalAuth") or False,
            "properties": it.properties | (self._seen(it) if it.is_instance else self._nodes(it)),
        }
        identity = it.body.get("identity")
        if identity and "SystemAssigned" in identity["type"]:
            identity = identity | {"principalId": it.creator, "tenantId": self.cloud.tenant}
        return self.cloud.resource("computes", it.name) | {
            "location": it.body.get("location") or self.cloud.region,
            "tags": it.body.get("tags"),
            "identity": identity,
            "properties": common,
        }

    def _seen(self, it: Compute) -> Document:
        """What Azure adds to an instance; nothing of it is known while it is created."""
        ready = it.state is not None
        host = f"https://{it.name}.{self.cloud.region}.instances.azureml.ms"
        places = {"Jupyter": "/tree/", "Jupyter Lab": "/lab/"}
        applications = [
            {"displayName": name, "endpointUri": host + path} for name, path in places.items()
        ]
        endpoints = {"publicIpAddress": None, "privateIpAddress": it.address}
        return {
            "state": it.state,
            "applications": applications if ready else None,
            "connectivityEndpoints": endpoints if ready else None,
            "createdBy": {
                "userId": it.creator,
                "userOrgId": self.cloud.tenant,
                "userName": None,
            },
            "errors": it.errors,
            "lastOperation": it.last or _last("create", "InProgress"),
        }

    def _nodes(self, it: Compute) -> Document:
        return {"allocationState": "Steady", "errors": it.errors or None, "currentNodeCount": 0}


def _last(word: str, status: str) -> Document:
    return {
        "operationName": word.title(),
        "operationTime": now(),
        "operationStatus": status,
        "operationTrigger": "User",
    }
