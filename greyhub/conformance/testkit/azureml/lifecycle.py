"""What happens to a compute between a request and the state that it asks for."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine
from typing import Any

from greyhub.conformance.testkit.azureml.compute import Compute, last_operation, shown
from greyhub.conformance.testkit.azureml.machine import ScriptFailed
from greyhub.conformance.testkit.azureml.state import Cloud, Operation, now

FAILED = ("CreateFailed", "SetupFailed", "UserSetupFailed", "Unusable")
"""States of an instance that come with errors."""


class Lifecycle:
    """Carries out operations, each in a task of its own.

    Attributes
    ----------
    failures : list of tuple
        Operation, state and name (or nothing) of what is to fail next.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.failures: list[tuple[str, str, str]] = []

    def create(self, it: Compute, operation: Operation, old: Compute | None) -> None:
        """Make it, in the place of an old one whose disk is lost."""
        self._run(it, self._create(it, operation, old), operation)

    def act(self, it: Compute, word: str, during: str, operation: Operation) -> None:
        """Start, stop or restart it."""
        it.state, it.last = during, last_operation(word, "InProgress")
        self._run(it, self._act(it, word, operation), operation)

    def delete(self, it: Compute, operation: Operation, home: dict[str, Compute]) -> None:
        """Delete it, whatever was done with it."""
        it.provisioning, it.state = "Deleting", it.state and "Deleting"
        self._run(it, self._delete(it, operation, home, it.task), operation)

    def fail(self, it: Compute, state: str, message: str) -> dict[str, str]:
        """Put it into a failed state; the error that it shows."""
        error = {"code": state, "message": message}
        it.state, it.errors, it.provisioning = state, [{"error": error}], "Failed"
        self.publish(it)
        return error

    def publish(self, it: Compute) -> None:
        """Show it as it is now."""
        it.modified = now()
        self.cloud.documents.publish("computes", it.name, shown(self.cloud, it))

    def _run(self, it: Compute, work: Coroutine[Any, Any, None], operation: Operation) -> None:
        self.publish(it)
        it.task = asyncio.get_running_loop().create_task(self._carry(work, operation))

    async def _carry(self, work: Coroutine[Any, Any, None], operation: Operation) -> None:
        try:
            await work
        except asyncio.CancelledError:
            said = "The operation was preempted by a more recent one."
            operation.finish({"code": "OperationPreempted", "message": said})
            raise
        except Exception as error:
            self.cloud.own_faults.append(error)

    async def _create(self, it: Compute, operation: Operation, old: Compute | None) -> None:
        if old and old.machine:
            await old.machine.kill()
        shutil.rmtree(it.folder, ignore_errors=True)
        await asyncio.sleep(self.cloud.times.create)
        if it.is_instance:
            await self._boot(it, "create", operation)
            return
        it.provisioning = "Succeeded"
        self.publish(it)
        operation.finish()

    async def _act(self, it: Compute, word: str, operation: Operation) -> None:
        if word in ("stop", "restart"):
            if it.machine:
                await it.machine.shut_down()
            await asyncio.sleep(self.cloud.times.stop)
        if word == "stop":
            if not self._told_to_fail(it, word, operation):
                self._done(it, word, "Stopped", operation)
            return
        await asyncio.sleep(self.cloud.times.start)
        await self._boot(it, word, operation)

    async def _boot(self, it: Compute, word: str, operation: Operation) -> None:
        """The machine runs its scripts; then the instance is Running, or has failed."""
        if self._told_to_fail(it, word, operation):
            return
        if it.machine:
            if word == "create":
                it.state = "UserSettingUp"
                self.publish(it)
            try:
                await it.machine.boot()
            except ScriptFailed as error:
                self._failed(it, word, "UserSetupFailed", str(error), operation)
                return
        self._done(it, word, "Running", operation)

    def _done(self, it: Compute, word: str, state: str, operation: Operation) -> None:
        it.state, it.provisioning, it.errors = state, "Succeeded", []
        it.last = last_operation(word, "Succeeded")
        self.publish(it)
        operation.finish()

    def _failed(
        self, it: Compute, word: str, state: str, message: str, operation: Operation
    ) -> None:
        it.last = last_operation(word, f"{word.title()}Failed")
        operation.finish(self.fail(it, state, message))

    def _told_to_fail(self, it: Compute, word: str, operation: Operation) -> bool:
        for index, (which, state, name) in enumerate(self.failures):
            if which == word and name in ("", it.name):
                del self.failures[index]
                said = f"The compute instance could not {word}: it is {state}."
                self._failed(it, word, state, said, operation)
                return True
        return False

    async def _delete(
        self,
        it: Compute,
        operation: Operation,
        home: dict[str, Compute],
        before: asyncio.Task[None] | None,
    ) -> None:
        if before:
            before.cancel()
            await asyncio.gather(before, return_exceptions=True)
            it.provisioning, it.state = "Deleting", it.state and "Deleting"
        if it.machine:
            await it.machine.kill()
        await asyncio.sleep(self.cloud.times.delete)
        shutil.rmtree(it.folder, ignore_errors=True)
        del home[it.name]
        self.cloud.documents.publish("computes", it.name, None)
        operation.finish()
