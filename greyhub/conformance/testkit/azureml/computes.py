"""The operations of computes: what is refused, what is begun, what is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from greyhub.conformance.testkit.azureml import facts
from greyhub.conformance.testkit.azureml.arm import Answer, Call, Route
from greyhub.conformance.testkit.azureml.compute import Compute
from greyhub.conformance.testkit.azureml.errors import bad_request, conflict, not_found
from greyhub.conformance.testkit.azureml.lifecycle import FAILED, Lifecycle
from greyhub.conformance.testkit.azureml.machine import Machine, read_script
from greyhub.conformance.testkit.azureml.paging import page
from greyhub.conformance.testkit.azureml.state import PROVIDER, Cloud, Document, Operation
from greyhub.conformance.testkit.machine.host import can_isolate

ACTIONS = {
    "start": ({"Stopped"}, "Starting"),
    "stop": ({"Running", "JobRunning", "SetupFailed", "UserSetupFailed", "Unusable"}, "Stopping"),
    "restart": ({"Running", "JobRunning", "SetupFailed", "UserSetupFailed"}, "Restarting"),
}
"""From which states each is allowed, and the state while it is done."""

BUSY = {"Creating", "SettingUp", "UserSettingUp", "Starting", "Stopping", "Restarting", "Deleting"}
"""States in which an instance cannot be overwritten."""

DEFAULT_QUOTA = 100
"""The vCPUs of a family, where the subscription does not say."""

_COMPUTES = "/subscriptions/{subscription}/resourceGroups/{group}/providers/"
_COMPUTES += f"{PROVIDER}/workspaces/{{workspace}}/computes"
_STATUS = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}"
_STATUS += "/computeOperationsStatus/{operation}"
_RIGHT = f"{PROVIDER}/workspaces/computes"


class Computes:
    """The computes of one workspace."""

    def __init__(self, cloud: Cloud, isolate: bool, machine: type[Any] | None = Machine) -> None:
        self.cloud, self.isolate, self.machine = cloud, isolate, machine
        self.lifecycle = Lifecycle(cloud)
        self.all: dict[str, Compute] = {}
        self.overwritten: list[str] = []
        self._made = 0

    def routes(self) -> list[Route]:
        """The operations of computes, and of the status of long ones."""
        one, body = _COMPUTES + "/{name}", "ComputeResource"
        how = {"underlyingResourceAction": "Delete|Detach"}
        return [
            Route("GET", _COMPUTES, f"{_RIGHT}/read", self.listed, answered="ComputeList"),
            Route("GET", one, f"{_RIGHT}/read", self.get, answered=body),
            Route("PUT", one, f"{_RIGHT}/write", self.put, body, body),
            Route("DELETE", one, f"{_RIGHT}/delete", self.delete, query=how),
            *(
                Route("POST", f"{one}/{word}", f"{_RIGHT}/{word}/action", self._action(word))
                for word in ACTIONS
            ),
            Route("GET", _STATUS, "", self.status, answered="OperationStatus"),
        ]

    def listed(self, call: Call) -> Answer:
        """The computes that are seen, a page at a time."""
        self.cloud.demand(call.names)
        return page(self.cloud, call, self.cloud.documents.every("computes"), "computes")

    def get(self, call: Call) -> Answer:
        """One compute as it is seen."""
        self.cloud.demand(call.names)
        return Answer(body=self.cloud.documents.get("computes", call.names["name"]))

    def put(self, call: Call) -> Answer:
        """Make a compute, or overwrite the one that there is, and its disk."""
        self.cloud.demand(call.names)
        name = call.names["name"]
        old = self.all.get(name)
        self._demand_name(name, old)
        if old and (old.provisioning in ("Creating", "Deleting") or old.state in BUSY):
            raise conflict(f"Another operation on the compute '{name}' is in progress.")
        self._demand_size(call.body, old)
        if old:
            self.overwritten.append(name)
        made = self.all[name] = self._make(name, call)
        operation = self.cloud.begin()
        self.lifecycle.create(made, operation, old)
        body = self.cloud.documents.newest("computes", name)
        return self._accepted(call, operation, 200 if old else 201, body)

    def delete(self, call: Call) -> Answer:
        """Delete a compute and its disk; or tell that there is none."""
        self.cloud.demand(call.names)
        found = self.all.get(call.names["name"])
        if found is None:
            return Answer(204)
        if found.provisioning == "Deleting":
            raise conflict(f"The compute '{found.name}' is being deleted.")
        operation = self.cloud.begin()
        self.lifecycle.delete(found, operation, self.all)
        return self._accepted(call, operation, 202)

    def status(self, call: Call) -> Answer:
        """How far a long operation is."""
        found = self.cloud.operations.get(call.names["operation"])
        if found is None:
            raise not_found("operation", call.names["operation"])
        body: Document = {"id": found.id, "name": found.id, "status": found.status}
        body |= {"startTime": found.started} | ({"endTime": found.ended} if found.ended else {})
        return Answer(body=body | ({"error": found.error} if found.error else {}))

    def used(self, family: str, but: Compute | None = None) -> int:
        """VCPUs of a family that instances hold; one that is stopped holds them as well."""
        every = [each for each in self.all.values() if each is not but and each.is_instance]
        sizes = [self.cloud.size(each.size) for each in every]
        return sum(size.cpus for size in sizes if size and size.family == family)

    def set_state(self, name: str, state: str) -> None:
        """Put an instance into a state, as if Azure had found it so."""
        found = self.all[name]
        if state in FAILED:
            self.lifecycle.fail(found, state, f"The compute instance is {state}.")
            return
        found.state = state
        self.lifecycle.publish(found)

    async def kill(self, name: str, state: str) -> None:
        """End an instance's machine at once, as when its host dies."""
        machine = self.all[name].machine
        if machine:
            await machine.kill()
        self.set_state(name, state)

    async def reset(self, name: str) -> None:
        """Cut an instance's power, and start its machine again."""
        machine = self.all[name].machine
        if machine:
            await machine.kill()
            await machine.boot()

    async def remove(self, name: str) -> None:
        """Delete a compute, whatever is being done with it, and wait for it."""
        if found := self.all.get(name):
            if found.provisioning != "Deleting":
                self.lifecycle.delete(found, self.cloud.begin(), self.all)
            if found.task:
                await found.task

    async def close(self) -> None:
        """End every machine."""
        tasks = [each.task for each in self.all.values() if each.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        machines = [each.machine for each in self.all.values() if each.machine]
        await asyncio.gather(*(machine.kill() for machine in machines))

    def _demand_name(self, name: str, old: Compute | None) -> None:
        if not re.fullmatch(facts.NAME, name):
            said = f"Compute name '{name}' is not available. Reason: Invalid."
            raise bad_request(f"{said} It must match {facts.NAME}")
        mine = {each.lower() for each in self.all}
        if name.lower() in self.cloud.taken or (old is None and name.lower() in mine):
            said = f"Compute name '{name}' is not available. Reason: AlreadyExists."
            raise conflict(f"{said} It must be unique across all computes of the region.")

    def _demand_size(self, body: Document, old: Compute | None) -> None:
        said = dict(body["properties"].get("properties") or {})
        size = self.cloud.size(said.get("vmSize") or "")
        if size is None:
            wanted = said.get("vmSize")
            raise bad_request(f"The VM size '{wanted}' is not available in {self.cloud.region}.")
        if body["properties"]["computeType"] != "ComputeInstance":
            return
        limit, used = self.cloud.quota.get(size.family, DEFAULT_QUOTA), self.used(size.family, old)
        if used + size.cpus > limit:
            raise bad_request(
                f"The specified subscription has a {size.family} vCPU quota of {limit}, of which "
                f"{used} are used, and cannot accommodate the requested {size.cpus} vCPUs."
            )
        for script in ((said.get("setupScripts") or {}).get("scripts") or {}).values():
            try:
                read_script(script or {"scriptSource": "inline"})
            except ValueError as error:
                raise bad_request(f"A setup script cannot be run: {error}") from None

    def _make(self, name: str, call: Call) -> Compute:
        self._made += 1
        address = f"127.1.{self._made // 250}.{self._made % 250 + 1}"
        folder = self.cloud.folder / "disks" / name
        made = Compute(name, call.body, folder, address, call.application.object_id)
        scripts = (made.properties.get("setupScripts") or {}).get("scripts")
        if self.machine and made.is_instance and scripts:
            isolate = self.isolate and can_isolate(self.cloud.folder)
            made.machine = self.machine(name, folder, scripts, isolate=isolate)
        return made

    def _action(self, word: str) -> Callable[[Call], Answer]:
        allowed, during = ACTIONS[word]

        def handle(call: Call) -> Answer:
            self.cloud.demand(call.names)
            found = self.all.get(call.names["name"])
            if found is None or not found.is_instance:
                raise not_found("compute", call.names["name"])
            if found.state not in allowed:
                raise conflict(f"The compute '{found.name}' is {found.state}: it cannot {word}.")
            operation = self.cloud.begin()
            self.lifecycle.act(found, word, during, operation)
            return self._accepted(call, operation, 202)

        return handle

    def _accepted(self, call: Call, operation: Operation, status: int, body: Any = None) -> Answer:
        url = self.cloud.status_url(operation, call.version, "computeOperationsStatus")
        return Answer(status, body, {"Azure-AsyncOperation": url})
