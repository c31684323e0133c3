"""A workspace of Azure ML: its computes and jobs, and what else it has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

from greyhub.azureml import jobs
from greyhub.azureml.assets import Assets
from greyhub.azureml.errors import NotFound, Refused, Unavailable
from greyhub.azureml.refusals import failed
from greyhub.azureml.resources import Operation, Resource, below, operation_url
from greyhub.azureml.settings import AzureML
from greyhub.azureml.shared_list import SharedList
from greyhub.azureml.states import BEING_DELETED, CHANGING, COMING, GOING, failure, state


class Workspace(Assets):
    """One workspace. All who use it share it, see `shared`.

    Each method raises `NotFound` where the resource itself is not there, `Refused`
    where Azure says no, and `Unavailable` where nothing is known.
    """

    def __init__(self, settings: AzureML) -> None:
        super().__init__(settings)
        self.list = SharedList(self._computes, settings.poll_interval)
        self._jobs: dict[str, SharedList] = {}

    # Computes

    async def computes(self) -> Mapping[str, Resource]:
        """All computes by name, in small letters: one list for all who look."""
        return await self.list.look()

    async def compute(self, name: str) -> Resource:
        """A compute as it is now, by a request of its own."""
        return await self._get(below("computes", name), f"the compute {name}")

    async def create_compute(self, name: str, body: Mapping[str, Any]) -> Operation:
        """Begin to make a compute; one that carries the same ``greyhub-`` tags is left as it is.

        It is `finished` when it runs or has failed. Tags of the settings are added.
        """
        whole = {**body, "tags": {**self.settings.tags, **body.get("tags", {})}}
        try:
            made = await self._make(below("computes", name), f"the compute {name}", whole)
        finally:
            self.list.changed()
        return replace(made, compute=name)

    async def start(self, name: str) -> Operation:
        """Begin to start a compute; one that runs or starts is left alone."""
        return await self._act("start", name, COMING)

    async def restart(self, name: str) -> Operation:
        """Begin to restart a compute."""
        return await self._act("restart", name, frozenset({"Restarting"}))

    async def stop(self, name: str) -> Operation:
        """Begin to stop a compute; one that is stopped or stops is left alone."""
        return await self._act("stop", name, GOING)

    async def delete(self, name: str) -> Operation:
        """Begin to delete a compute, with its disk. One that is not there is deleted."""
        doing, path = f"delete the compute {name}", below("computes", name)
        try:
            answer = await self._ask(
                "DELETE", path, doing, params={"underlyingResourceAction": "Delete"}
            )
        except NotFound:
            return Operation(doing)
        except Refused as error:
            if await self._is_in(name, BEING_DELETED, error):
                return Operation(doing, compute=name, deletes=True)
            raise
        finally:
            self._made.pop(path, None)
            self.list.changed()
        return Operation(doing, operation_url(answer), compute=name, deletes=True)

    async def finished(self, operation: Operation, seconds: float) -> None:
        """Wait until a long operation has ended well; outages in between do not matter.

        While the list of computes shows that it goes on, nothing else is asked: many who
        wait make no more requests than one.

        Raises
        ------
        Refused
            It failed, and why.
        Unavailable
            It has not ended in this time, or it is not known how.
        """
        until = time.monotonic() + seconds
        while True:
            trouble = Unavailable(f"to {operation.doing} takes more than {seconds:.0f} s")
            try:
                if not await self._goes_on(operation) and await self.has_ended(operation):
                    break
            except Unavailable as error:
                trouble = error
            if time.monotonic() >= until:
                raise trouble
            await asyncio.sleep(self.settings.poll_interval)
        self.list.changed()
        self._jobs_changed()

    async def _goes_on(self, operation: Operation) -> bool:
        if not operation.compute:
            return False
        found = (await self.computes()).get(operation.compute.lower())
        return found is not None and state(found) in CHANGING

    async def has_ended(self, operation: Operation) -> bool:
        """Whether a long operation has ended well, by one request; `Refused` if it failed."""
        if not operation.url:
            return not operation.compute or await self._is_settled(operation)
        doing = f"see how it goes to {operation.doing}"
        try:
            answer = await self.connection.request("GET", operation.url, doing)
        except NotFound as error:  # Azure forgets operations after a while
            if operation.compute:
                return await self._is_settled(operation)
            raise Unavailable(f"Azure does not know how it went to {operation.doing}") from error
        told = answer.body if isinstance(answer.body, dict) else {}
        if "status" not in told:
            return answer.status != 202  # a Location tells by its status alone
        if told["status"] in ("Failed", "Canceled"):
            self._made.pop(below("computes", operation.compute), None)
            raise failed(told.get("error") or {}, operation.doing)
        return bool(told["status"] == "Succeeded")

    async def _is_settled(self, operation: Operation) -> bool:
        try:
            found = await self.compute(operation.compute)
        except NotFound:
            if operation.deletes:
                return True
            raise
        if operation.deletes:
            return False
        if (wrong := failure(found)) is not None:
            raise wrong
        return state(found) not in CHANGING

    async def nodes(self, job: str) -> list[Resource]:
        """The nodes on which a job runs, each with its ``privateIpAddress``; none if it waits."""
        where = str((await self.job(job))["properties"].get("computeId") or "")
        name = where.rpartition("/")[2]
        if not name:
            return []
        found = await self._all(
            below("computes", name, "listNodes"), f"the nodes of {name}", items="nodes"
        )
        return [each for each in found if each.get("runId") == job]

    # Jobs

    async def jobs(self, tag: str = "") -> Mapping[str, Resource]:
        """The command jobs that are not archived, by name: one list for all who look.

        With ``tag``, those that carry a tag of this name.
        """
        if tag not in self._jobs:
            load = partial(self._of_tag, tag)
            self._jobs[tag] = SharedList(load, self.settings.poll_interval)
        return await self._jobs[tag].look()

    def forget_jobs(self, tag: str) -> None:
        """Nobody looks for the jobs of a tag any more."""
        self._jobs.pop(tag, None)

    async def job(self, name: str) -> Resource:
        """A job as it is now: its state is ``properties.status``."""
        return await self._get(below("jobs", name), f"the job {name}")

    async def create_job(self, name: str, body: Mapping[str, Any]) -> Resource:
        """Submit a job; one that carries the same ``greyhub-`` tags is left as it is."""
        properties = body.get("properties", {})
        tags = {**self.settings.tags, **properties.get("tags", {})}
        whole = {**body, "properties": {**properties, "tags": tags}}
        try:
            return (await self._make(below("jobs", name), f"the job {name}", whole)).resource
        finally:
            self._jobs_changed()

    async def cancel_job(self, name: str) -> Operation:
        """Begin to end a job; one that has ended is left alone."""
        doing = f"cancel the job {name}"
        try:
            answer = await self._ask("POST", below("jobs", name, "cancel"), doing)
        except Refused as error:
            if error.reason in SETTLED_BY_STATE and await self._job_has_ended(name):
                return Operation(doing)
            raise
        finally:
            self._jobs_changed()
        return Operation(doing, operation_url(answer))

    # How it is done

    async def _computes(self) -> Mapping[str, Resource]:
        try:
            found = await self._all("computes", "the computes")
        except NotFound as error:  # of no compute is it known that it is not there
            raise Unavailable(error.what) from error
        return {str(each["name"]).lower(): each for each in found}

    async def _act(self, action: str, name: str, wanted: Collection[str]) -> Operation:
        doing = f"{action} the compute {name}"
        try:
            answer = await self._ask("POST", below("computes", name, action), doing)
        except Refused as error:
            if await self._is_in(name, wanted, error):
                return Operation(doing, compute=name)
            raise
        finally:
            self.list.changed()
        return Operation(doing, operation_url(answer), compute=name)

    async def _is_in(self, name: str, wanted: Collection[str], error: Refused) -> bool:
        """Whether a refusal is for the compute's being already where it should go."""
        if error.reason not in SETTLED_BY_STATE:
            return False
        try:
            return state(await self.compute(name)) in wanted
        except NotFound:
            return wanted is BEING_DELETED

    async def _of_tag(self, tag: str) -> Mapping[str, Resource]:
        params = {"jobType": "Command", "listViewType": "ActiveOnly"}
        try:
            found = await self._all("jobs", "the jobs", params | ({"tag": tag} if tag else {}))
        except NotFound as error:  # of no job is it known that it is not there
            raise Unavailable(error.what) from error
        return {str(each["name"]): each for each in found}

    def _jobs_changed(self) -> None:
        for each in self._jobs.values():
            each.changed()

    async def _job_has_ended(self, name: str) -> bool:
        return jobs.status(await self.job(name)) in jobs.ENDING


SETTLED_BY_STATE: Final = frozenset({"busy", "invalid", "other"})
"""Why Azure refuses what it is doing already, or has done."""

_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Any, Workspace]] = WeakKeyDictionary()


def shared(settings: AzureML) -> Workspace:
    """The one object for a workspace, in this event loop: with its list and its budget."""
    key = (settings.scope.lower(), settings.endpoints, settings.credential, settings.client_id)
    known = _shared.setdefault(asyncio.get_running_loop(), {})
    if key not in known:
        known[key] = Workspace(settings)
    return known[key]
