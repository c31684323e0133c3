"""What a live workspace answers, beside the official types that the simulator keeps to.

    python -m greyhub.conformance.testkit.azureml.live -f greyhub_config.py [--make]

Asks the workspace of a config file all that the hub asks it, by the client that the hub uses, and
tells where an answer is not as the types say, how long things take, and which states are seen.
With ``--make`` it also makes an instance and a job, stops and starts the instance, and deletes
both: that costs money for some minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import re
import secrets
import time
from collections.abc import Awaitable, Iterator, Mapping
from typing import Any, Final

from greyhub.azureml.connection import Answer
from greyhub.azureml.errors import AzureMLError, NotFound
from greyhub.azureml.names import tags
from greyhub.azureml.settings import AzureML
from greyhub.azureml.states import state
from greyhub.azureml.workspace import Workspace
from greyhub.conformance.testkit.azureml import facts

TYPES: Final = {
    r"/computes": "ComputeList",
    r"/computes/[^/]+": "ComputeResource",
    r"/data": "DataContainerList",
    r"/data/[^/]+/versions": "DataVersionList",
    r"/data/[^/]+/versions/[^/]+": "DataVersionResource",
    r"/datastores": "DatastoreList",
    r"/datastores/[^/]+": "DatastoreResource",
    r"/jobs": "JobList",
    r"/jobs/[^/]+": "JobResource",
    r"/providers/Microsoft\.Authorization/permissions": "PermissionList",
}
"""The type of an answer, by its path below the workspace."""

LONGEST: Final = 1800.0
"""Seconds that one step may take."""


class Recorded(Workspace):
    """A client that keeps what each answer has that the types have not."""

    def __init__(self, settings: AzureML) -> None:
        super().__init__(settings)
        self.problems: set[str] = set()
        self.headers: set[str] = set()
        self._ask_azure = self.connection.request
        self.connection.request = self._recorded  # type: ignore[method-assign]

    async def _recorded(self, method: str, path: str, doing: str, **more: Any) -> Answer:
        answer = await self._ask_azure(method, path, doing, **more)
        self.headers |= {each for each in answer.headers if each.lower().startswith("x-ms-rate")}
        _, mine, below = path.partition(self.settings.scope)
        for pattern, kind in TYPES.items():
            if mine and answer.body and re.fullmatch(pattern, below.partition("?")[0]):
                found = facts.problems(kind, answer.body, sent=False)
                self.problems |= {f"{method} {pattern}: {_anywhere(each)}" for each in found}
        return answer


async def look(azure: Recorded) -> Iterator[str]:
    """Read all that the hub reads; a line for each."""
    told = []

    async def one(what: str, asked: Awaitable[Any]) -> Any:
        began = time.monotonic()
        try:
            found = await asked
        except AzureMLError as error:
            told.append(f"{what}: {error.what}")
            return []
        count = f"{len(found)}, " if isinstance(found, list | Mapping) else ""
        told.append(f"{what}: {count}{time.monotonic() - began:.1f} s")
        return found

    await one("the workspace", azure.itself())
    await one("rights", azure.permissions())
    await one("sizes", azure.sizes())
    await one("quotas", azure.usages())
    await one("computes", azure.computes())
    await one("jobs", azure.jobs())
    await one("datastores", azure.datastores())
    for asset in (await one("data assets", azure.data_assets()))[:5]:
        await one(f"versions of {asset['name']}", azure.data_versions(asset["name"]))
    return iter(told)


async def watched(azure: Recorded, name: str, wanted: str) -> str:
    """Wait until an instance is in a state, or has failed; the states on the way."""
    began, seen = time.monotonic(), [""]
    while time.monotonic() - began < LONGEST:
        try:
            now = state(await azure.compute(name))
        except NotFound:
            now = "gone"
        if now != seen[-1]:
            seen.append(now)
        if now == wanted or now.endswith("Failed"):
            break
        await asyncio.sleep(azure.settings.poll_interval)
    return f"{' > '.join(seen[1:])} in {time.monotonic() - began:.0f} s"


async def make(azure: Recorded, size: str, environment: str) -> Iterator[str]:
    """Make an instance and a job, and delete them; a line for each step."""
    told, name = [], f"greyhub-live-{secrets.token_hex(3)}z"
    script = base64.b64encode(b"#!/bin/sh\nsystemctl --version\nid\npython3 --version\n").decode()
    given = {"scriptData": script, "scriptSource": "inline", "timeout": "5m"}
    owned = tags("live", "nobody", "")
    try:
        body = {
            "location": (await azure.itself())["location"],
            "tags": owned,
            "properties": {
                "computeType": "ComputeInstance",
                "properties": {
                    "vmSize": size,
                    "setupScripts": {"scripts": {"creationScript": given}},
                },
            },
        }
        await azure.create_compute(name, body)
        told.append(f"create: {await watched(azure, name, 'Running')}")
        await azure.stop(name)
        told.append(f"stop: {await watched(azure, name, 'Stopped')}")
        await azure.start(name)
        told.append(f"start: {await watched(azure, name, 'Running')}")
        if environment:
            told.append(f"job: {await _job(azure, name, size, environment, owned)}")
    finally:
        await azure.delete(name)
        told.append(f"delete: {await watched(azure, name, 'gone')}")
    return iter(told)


async def _job(
    azure: Recorded, name: str, size: str, environment: str, owned: Mapping[str, str]
) -> str:
    said = {"jobType": "Command", "command": "sleep 600", "environmentId": environment}
    where = {"resources": {"instanceCount": 1, "instanceType": size}, "tags": owned}
    await azure.create_job(name, {"properties": said | where})
    began, seen = time.monotonic(), [""]
    while seen[-1] not in ("Completed", "Failed", "Canceled"):
        if time.monotonic() - began > LONGEST:
            break
        if seen[-1] == "Running":
            await azure.cancel_job(name)
        await asyncio.sleep(azure.settings.poll_interval)
        now = str((await azure.job(name))["properties"]["status"])
        if now != seen[-1]:
            seen.append(now)
    return f"{' > '.join(seen[1:])} in {time.monotonic() - began:.0f} s"


def _anywhere(problem: str) -> str:
    return re.sub(r"\[\d+\]", "[]", problem)


async def compare(settings: AzureML, *, size: str = "", environment: str = "") -> Iterator[str]:
    """Lines of all that was seen; the last ones are what is not as the types say."""
    azure = Recorded(settings)
    try:
        lines = [*await look(azure)]
        if size:
            lines += [*await make(azure, size, environment)]
        skew = azure.connection.skew
    finally:
        await azure.close()
    lines.append(f"clock: {skew or 0:.1f} s ahead")
    lines.append(f"headers of limits: {', '.join(sorted(azure.headers)) or 'none'}")
    lines += [f"not as the types say: {each}" for each in sorted(azure.problems)]
    return iter(lines if azure.problems else [*lines, "every answer is as the types say"])


def main() -> None:
    """Print the lines."""
    from greyhub.cli.reading import read

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-f", "--file", default="greyhub_config.py")
    parser.add_argument("--make", action="store_true", help="make an instance and a job, too")
    parser.add_argument("--size", default="Standard_DS11_v2", help="of the instance")
    parser.add_argument("--environment", default="", help="the job's, a resource id")
    given = parser.parse_args()
    settings = AzureML(config=read(given.file).application.config)
    size = given.size if given.make else ""
    for line in asyncio.run(compare(settings, size=size, environment=given.environment)):
        print(line)


if __name__ == "__main__":
    main()
