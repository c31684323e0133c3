"""Run a pod to its end: what it says is read as it says it, and it is gone afterwards."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from greyhub.errors import HomeError
from greyhub.kubernetes.failures import failure
from greyhub.kubernetes.objects import START, Objects
from greyhub.kubernetes.requests import Unreachable

T = TypeVar("T")

SILENCE: Final = 90.0
"""Seconds without a word after which the log is asked for again."""

ENDING: Final = 60.0
"""Seconds that a pod may take to go."""

STARTING: Final = 900.0
"""Seconds that a pod may take to begin: an image, a volume, a new node."""

TROUBLES: Final = 60
"""How often a log is asked for in vain, one time after the other."""

CONTAINER: Final = "work"
"""The name of the container whose log it is."""


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of a command; one that SIGTERM has ended ends the process."""
    try:
        return asyncio.run(work)
    except asyncio.CancelledError:
        raise SystemExit(128 + signal.SIGTERM) from None


def end_with_signal() -> None:
    """Let SIGTERM cancel the task that calls this, so that what it began is ended, too."""
    task = asyncio.current_task()
    assert task
    with suppress(ValueError, RuntimeError):  # signals are the main thread's
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


class PodRun:
    """A pod that does one piece of work; made by `running`."""

    def __init__(self, objects: Objects, name: str, uid: str) -> None:
        self.objects, self.name, self.uid = objects, name, uid
        self.read = 0
        """Lines that were read already."""

    async def lines(self) -> AsyncIterator[str]:
        """What the pod says, until it ends; each line once, also where the log breaks off.

        Raises
        ------
        greyhub.errors.HomeError
            It cannot be started, or it is gone.
        """
        await self._begun()
        troubles = 0
        while True:
            ended = (await self.pod())["status"].get("phase") in ("Succeeded", "Failed")
            try:
                async for line in self._log():
                    yield line
                    troubles = 0
                if ended:
                    return
            except Exception:  # whatever it is, the log is there still
                troubles += 1
                if troubles > TROUBLES:
                    raise
            await asyncio.sleep(1)

    async def pod(self) -> Mapping[str, Any]:
        """The pod as it is now; `HomeError` if it is gone."""
        found = await _known(self.objects, self.name)
        if found is None or found["metadata"]["uid"] != self.uid:
            raise HomeError(
                f"the pod {self.name} was deleted by others before it came to its end.\n"
                "  fix: if no other command has taken its place, run the same command again"
            )
        return found

    async def _begun(self) -> None:
        why = None
        with suppress(TimeoutError):
            async with asyncio.timeout(STARTING):
                while not _has_begun(pod := await self.pod()):
                    if (why := failure(pod)) and why.final:
                        break
                    await asyncio.sleep(1)
                else:
                    return
        raise HomeError(f"the pod {self.name} does not start: {why or 'it takes too long.'}")

    async def _log(self) -> AsyncIterator[str]:
        answer = await self.objects.api.read_namespaced_pod_log(
            self.name,
            self.objects.namespace,
            container=CONTAINER,
            follow=True,
            _preload_content=False,
            _request_timeout=(10, SILENCE),
        )
        rest, number = b"", 0
        try:
            if answer.status != 200:
                raise Unreachable(f"its log: {answer.status} {answer.reason}")
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    number += 1
                    if number > self.read:
                        self.read = number
                        yield line.decode(errors="replace")
        finally:
            answer.close()


def _has_begun(pod: Mapping[str, Any]) -> bool:
    """Whether there is a log: a short work ends before the pod's phase says that it began."""
    status = pod["status"]
    return status.get("phase") in ("Running", "Succeeded", "Failed") or any(
        each["name"] == CONTAINER and "terminated" in each["state"]
        for each in status.get("containerStatuses") or ()
    )


@asynccontextmanager
async def running(
    objects: Objects, pod: Mapping[str, Any], secret: Mapping[str, Any] | None = None
) -> AsyncIterator[PodRun]:
    """A pod, and the Secret that it reads; both are gone afterwards, whatever happens.

    One of the same name is what is left of an earlier time: it is ended first. One that takes
    its place meanwhile is another command's, and is left alone.
    """
    from kubernetes_asyncio.client import V1ObjectMeta, V1Pod, V1Secret

    about, start = pod["metadata"], secrets.token_hex(8)
    name = about["name"]
    mark = V1ObjectMeta(
        name=name,
        labels=about.get("labels"),
        annotations={**about.get("annotations", {}), START: start},
    )
    made = V1Pod(metadata=mark, spec=pod["spec"])
    try:
        if secret:
            about = V1ObjectMeta(name=name, labels=about.get("labels"))
            await objects.write("secret", V1Secret(metadata=about, string_data=dict(secret)))
        while not (found := await objects.create_pod(made)) or _start(found) != start:
            await end_run(objects, name)
        yield PodRun(objects, name, found["uid"])
    finally:
        there = await _known(objects, name)
        if there is None or _start(there["metadata"]) == start:
            if there is not None:
                await end_run(objects, name, there["metadata"]["uid"])
            if secret:
                await objects.delete("secret", name)


def _start(about: Mapping[str, Any]) -> str:
    return str((about.get("annotations") or {}).get(START, ""))


async def end_run(objects: Objects, name: str, uid: str = "") -> bool:
    """End a pod; whether it is known to be gone. With its identity, another of its name stays."""
    await objects.delete_pod(name, grace=5, uid=uid)
    with suppress(TimeoutError):
        async with asyncio.timeout(ENDING):
            while True:
                found = await _known(objects, name)
                if found is None or (uid and found["metadata"]["uid"] != uid):
                    return True
                await asyncio.sleep(0.5)
    return False


async def _known(objects: Objects, name: str) -> Mapping[str, Any] | None:
    """A pod as it is now, or None; an API server that is away is asked again."""
    clock = asyncio.get_running_loop().time
    until = clock() + objects.patience
    while True:
        try:
            return await objects.pod(name)
        except Unreachable:
            if clock() > until:
                raise
        await asyncio.sleep(1)
