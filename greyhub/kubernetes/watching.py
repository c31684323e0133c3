"""Watch a kind of objects in a namespace: one list, then what changes, for as long as it takes.

One watch serves all servers of a hub. It is never given up, and what it knows stays
while the API server is away.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from greyhub.kubernetes.objects import time_of
from greyhub.kubernetes.requests import Unreachable, status_of

PAGE: Final = 500
"""Objects in one answer to a list."""

SESSION: Final = 300
"""Seconds after which the server ends a watch; the next goes on where it ended."""

SILENCE: Final = 90.0
"""Seconds without a word, bookmarks included, after which a watch is taken for dead."""

LONGEST_PAUSE: Final = 15.0


class Watch:
    """The objects of one kind, kept up to date by a task.

    Parameters
    ----------
    list_objects : callable
        The client's method, such as ``list_namespaced_pod``.
    where : Mapping[str, str]
        Its arguments: ``namespace``, ``label_selector``, ``field_selector``.
    log : logging.Logger
        Is told of outages.
    """

    def __init__(
        self,
        list_objects: Callable[..., Any],
        where: Mapping[str, str],
        log: logging.Logger | logging.LoggerAdapter[Any],
    ) -> None:
        self._list, self.log = list_objects, log
        self._by_pod: dict[str, dict[str, Any]] = {}
        self._wakers: dict[str, asyncio.Event] = {}
        self._where = {**where, "_preload_content": False}
        self.resources: dict[str, Any] = {}
        """The objects, by ``namespace/name``."""
        self.trouble: str = ""
        """Why the API server cannot be asked at the moment."""
        self.refused = False
        """Whether it is not to be asked by this hub: it has not the right."""
        self._loaded = asyncio.Event()
        self._task = asyncio.ensure_future(self._run())

    @property
    def pods(self) -> dict[str, Any]:
        """The objects, if they are pods; KubeSpawner's name for them."""
        return self.resources

    def about(self, pod: str) -> list[Any]:
        """The objects about one pod, ``namespace/name``, in the order of their time."""
        return sorted(self._by_pod.get(pod, {}).values(), key=time_of)

    async def load(self, seconds: float) -> None:
        """Wait until all objects were listed once; `Unreachable` if that takes too long."""
        if not self._loaded.is_set():
            try:
                await asyncio.wait_for(self._loaded.wait(), seconds)
            except TimeoutError:
                raise Unreachable(
                    f"the Kubernetes API server: {self.trouble or 'no answer'}"
                ) from (None)

    async def change(self, pod: str, seconds: float) -> bool:
        """Wait until an object about a pod changes, or for some seconds; whether it changed."""
        waker = self._wakers.setdefault(pod, asyncio.Event())
        with suppress(TimeoutError):
            await asyncio.wait_for(waker.wait(), seconds)
        return waker.is_set()

    async def stop(self) -> None:
        """End the task."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        pause, version = 0.2, ""
        while True:
            try:
                if not version:
                    version = await self._load()
                async for event in self._session(version):
                    version = self._take(event)
                    pause, self.trouble, self.refused = 0.2, "", False
                await asyncio.sleep(0.05)  # whatever ends each session at once
            except asyncio.CancelledError:
                raise
            except Exception as error:
                if status_of(error) == 410:  # too old to go on from: all is listed again
                    version = ""
                    continue
                self._note(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _note(self, error: Exception) -> None:
        said = str(getattr(error, "reason", "") or error) or type(error).__name__
        if not self.trouble:
            self.log.warning("greyhub: the Kubernetes API server is not heard: %s", said)
        self.trouble, self.refused = said, status_of(error) in (401, 403)

    async def _load(self) -> str:
        """List all objects; the version to watch from."""
        found: dict[str, Any] = {}
        page: dict[str, Any] = {"limit": PAGE}
        while True:
            answer = await self._list(**self._where, **page, _request_timeout=(10, SILENCE))
            body = json.loads(await _read(answer))
            for each in body["items"]:
                found[_key(each)] = each
            if not (rest := body["metadata"].get("continue")):
                break
            page["_continue"] = rest
        self.resources.clear()
        self._by_pod.clear()
        for each in found.values():
            self._keep(each)
        self._loaded.set()
        for pod in list(self._wakers):
            self._wake(pod)
        return str(body["metadata"]["resourceVersion"])

    async def _session(self, version: str) -> AsyncIterator[Mapping[str, Any]]:
        answer = await self._list(
            **self._where,
            watch=True,
            resource_version=version,
            allow_watch_bookmarks=True,
            timeout_seconds=SESSION,
            _request_timeout=(10, SILENCE),
        )
        try:
            if answer.status != 200:
                await _read(answer)
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)
        finally:
            answer.close()

    def _take(self, event: Mapping[str, Any]) -> str:
        """Take one event; the version after it."""
        kind, thing = event["type"], event["object"]
        if kind == "ERROR":
            raise Refused(thing.get("code", 0), thing.get("message", ""))
        if kind == "DELETED":
            self._drop(thing)
        elif kind != "BOOKMARK":
            self._keep(thing)
        if kind != "BOOKMARK":
            self._wake(_pod(thing))
        return str(thing["metadata"]["resourceVersion"])

    def _keep(self, thing: Mapping[str, Any]) -> None:
        self.resources[_key(thing)] = thing
        self._by_pod.setdefault(_pod(thing), {})[_key(thing)] = thing

    def _drop(self, thing: Mapping[str, Any]) -> None:
        self.resources.pop(_key(thing), None)
        about = self._by_pod.get(_pod(thing), {})
        about.pop(_key(thing), None)
        if not about:
            self._by_pod.pop(_pod(thing), None)

    def _wake(self, pod: str) -> None:
        if waker := self._wakers.pop(pod, None):
            waker.set()


class Refused(Exception):
    """The API server refused to go on with a watch."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status, self.reason = status, reason

    def __str__(self) -> str:
        return self.reason


async def _read(answer: Any) -> bytes:
    body: bytes = await answer.read()
    if answer.status != 200:
        raise Refused(answer.status, f"{answer.status} {answer.reason}")
    return body


def _key(thing: Mapping[str, Any]) -> str:
    return f"{thing['metadata']['namespace']}/{thing['metadata']['name']}"


def _pod(thing: Mapping[str, Any]) -> str:
    """The pod that an object is about: itself, or the one that an event tells of."""
    about = thing.get("involvedObject")
    return f"{about.get('namespace')}/{about.get('name')}" if about else _key(thing)
