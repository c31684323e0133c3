"""The Spawner behind ``c.GreyHub.spawner = "kubernetes"``: KubeSpawner, made to lose no server.

KubeSpawner makes the manifests, and reads profiles and options. What it does where
the API server is away, busy or loses a reply is done here instead:

- a watch is never given up, and one that has not begun is no sign that pods are gone;
- a pod that the cache does not know is asked for by name before it counts as gone;
- a create whose reply was lost is found again by the mark of its start, and adopted;
- why a pod does not start is said in words, and as soon as waiting is of no use.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from jupyterhub.utils import maybe_future
from kubernetes_asyncio.client import ApiException
from tornado.web import HTTPError

from greyhub.hub_database import Server
from greyhub.kubernetes.ending import StillThere, end_pod
from greyhub.kubernetes.failures import Failure, exit_status, failure, refusal
from greyhub.kubernetes.objects import SHORT, START, Objects
from greyhub.kubernetes.orphans import delete_orphans, orphans
from greyhub.kubernetes.progress import words
from greyhub.kubernetes.requests import Unreachable
from greyhub.spawners.failed import ServerFailed, ServerRefused
from greyhub.spawners.watched_pod import WatchedPod

MARGIN = 3.0
"""Seconds before JupyterHub's own time-out, which would say nothing of the reason."""

MARGIN_TO_END = 60.0
"""Seconds that a pod may take to go, beyond its own."""

AT_ONCE = 1
"""Seconds of grace where there is no time: with 0, the API server would not wait for the node."""

T = TypeVar("T")


class PodSpawner(WatchedPod):
    """A notebook server per user, in a pod of its own."""

    _told = ""
    """The identity of the pod of which it was said why it ended."""
    _unsure = False
    """Whether a start ended in a way that leaves open whether there is a pod."""
    _removed = False
    """Whether the pod of the last start is known to be deleted."""

    def clear_state(self) -> None:
        """Forget the server that has ended."""
        super().clear_state()
        self._name_pod()
        self._unsure = False

    # Start.

    async def load_user_options(self) -> None:
        """Apply what the user chose; what is not offered is refused."""
        try:
            await super().load_user_options()
        except (ValueError, TypeError) as error:
            raise HTTPError(400, f"This server cannot be started so: {error}") from error

    async def _start(self) -> str:
        self._start_id, self._unsure, self._removed = secrets.token_hex(8), True, False
        self._pod_uid = ""
        waits: dict[str, Failure] = {}
        steps = [asyncio.ensure_future(each) for each in (super()._start(), self._running(waits))]
        try:
            async with asyncio.timeout(max(self.start_timeout - MARGIN, 1)):
                await asyncio.wait(steps, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            if why := waits.get("last"):
                said = f"The server did not start in {self.start_timeout} s: {why}"
                raise ServerRefused(said, kind=why.kind) from None
            raise ServerFailed(
                f"The server did not start in {self.start_timeout} s.", kind="timeout"
            ) from None
        finally:
            for step in steps:
                step.cancel()
            ended = await asyncio.gather(*steps, return_exceptions=True)
        for outcome in ended:  # the reason in words stands before the symptom
            if isinstance(outcome, ServerFailed | ServerRefused):
                raise outcome
        for outcome in ended:
            if isinstance(outcome, str):
                self._unsure = False
                return outcome
        raise next(each for each in ended if isinstance(each, BaseException))

    async def _running(self, waits: dict[str, Failure]) -> str:
        """The address of the pod of this start, once it runs."""
        more = self.internal_ssl or self.services_enabled or self.after_pod_created_hook
        while True:
            pod = self._known()
            if pod and pod["metadata"].get("annotations", {}).get(START) == self._start_id:
                if self.is_pod_running(pod) and not more:
                    self.pod_id = pod["metadata"]["uid"]
                    return str(self._get_pod_url(pod))
                if why := failure(pod, self.events):
                    waits["last"] = why
                    if why.final:
                        raise ServerRefused(
                            f"The server does not start: {why}" + await self._log(why),
                            kind=why.kind,
                        )
            await self._watch("pods").change(self._key, 5)

    def is_pod_running(self, pod: Mapping[str, Any] | None) -> bool:
        """Whether a pod runs, is ready, and has an address."""
        return bool(pod and pod["status"].get("podIP") and super().is_pod_running(pod))

    async def _log(self, why: Failure) -> str:
        """The end of a container's log, for an error."""
        said = why.container and await self.objects.log(self.pod_name, why.container)
        return f"\nThe end of its log:\n{said}" if said else ""

    @property
    def _belongings(self) -> list[tuple[str, str]]:
        """What belongs to the pod, by kind and name, and is made before it."""
        found = [("secret", self.environment_name)]
        if self.internal_ssl:
            found.append(("secret", self.secret_name))
        if self.internal_ssl or self.services_enabled:
            found.append(("service", self.pod_name))
        return found

    async def get_pod_manifest(self) -> Any:
        """The pod; what it refers to is there before it is."""
        pod = await super().get_pod_manifest()
        for kind, _ in self._belongings[1:]:
            if kind == "secret":
                made = self.get_secret_manifest(None)
            else:  # a name that is asked for too early is unknown for half a minute
                port = self._get_pod_port(self.objects.plain(pod))
                made = self.get_service_manifest(None, port)
            made.metadata.owner_references = None
            await self._asked(self.objects.write(kind, made))
        return pod

    async def write_environment(self, secret: Any) -> None:
        """Make the Secret of the server's environment."""
        await self._asked(self.objects.write("secret", secret))

    async def _asked(self, request: Awaitable[T]) -> T:
        """What was asked for; a refusal is an error in words."""
        try:
            return await request
        except Unreachable as error:
            said = f"The server cannot be started: {error}."
            raise ServerFailed(said, kind="api-server") from error
        except ApiException as error:
            if why := refusal(error):
                said = f"The server cannot be started: {why}"
                raise ServerRefused(said, kind=why.kind) from error
            raise

    async def _make_create_pod_request(self, pod: Any, request_timeout: float) -> bool:
        """Create the pod; False to be asked again, once a stale one is gone."""
        found = await self._asked(self.objects.create_pod(pod))
        if found is None:
            return False
        if found.get("annotations", {}).get(START) != self._start_id:
            self.log.info("greyhub: an earlier pod %s is in the way, and is ended", self.pod_name)
            await self._end_pod(AT_ONCE)
            return False
        self._pod_uid = found["uid"]
        for kind, name in self._belongings:
            await self.objects.give(kind, name, self.pod_name, found["uid"])
        return True

    async def _ensure_not_exists(self, kind: str, name: str) -> bool:
        return True  # what KubeSpawner makes after the pod was made before it

    async def _make_create_resource_request(self, kind: str, manifest: Any) -> bool:
        return True

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What happens to the pod, in words."""
        async for event in super().progress():
            raw = event.pop("raw_event", None)
            yield event if raw is None else event | {"message": words(raw)}

    # Poll and stop.

    async def poll(self) -> int | None:
        """None while there is a pod that has not ended, or nobody knows whether there is one."""
        if self._start_future is not None and not self._start_future.done():
            return None
        try:
            watch = self._watch("pods")
            await watch.load(SHORT)
            pod = self._known()
            if pod is None or watch.refused or self._unsure:
                pod = await self.objects.pod(self.pod_name)
        except Unreachable:
            if self._check_pending:
                raise
            return None
        if pod is None:
            return 0 if not self._start_id and not self.server else 1
        return self._status(pod)

    def _status(self, pod: Mapping[str, Any]) -> int | None:
        """The exit status of the server in a pod; None if it has not ended. Logs why it has."""
        ended = exit_status(pod)
        if ended is not None and self._told != pod["metadata"]["uid"] and (why := failure(pod)):
            self._told = pod["metadata"]["uid"]
            self.log.warning("greyhub: the server %s: %s", self._log_name, why.what)
        return ended

    async def get_url(self) -> str:
        """The address of the pod; one that is still being started is waited for."""
        try:
            async with asyncio.timeout(self.start_timeout):
                while (pod := self._known()) and self._status(pod) is None:
                    if self.is_pod_running(pod):
                        return str(self._get_pod_url(pod))
                    await self._watch("pods").change(self._key, 5)
        except TimeoutError:
            pass
        known: str = await super().get_url()
        return known

    async def stop(self, now: bool = False) -> None:
        """Delete the pod, and wait until it is gone.

        Raises
        ------
        ServerFailed
            It is still there.
        greyhub.kubernetes.requests.Unreachable
            It is not known whether it is.
        """
        await self._end_pod(AT_ONCE if now else self.delete_grace_period)
        for kind, name in self._belongings:
            await self.objects.delete(kind, name)
        self._unsure, self._removed = False, True

    async def _end_pod(self, grace: int) -> None:
        try:
            await end_pod(self.objects, self._watch("pods"), self.pod_name, grace, MARGIN_TO_END)
        except StillThere as error:
            raise ServerFailed(str(error)) from None

    async def run_post_stop_hook(self) -> None:
        """The hook, and then the end of what a server that has ended by itself leaves."""
        try:
            await maybe_future(super().run_post_stop_hook())
        finally:
            await self._remove_remains()

    async def _remove_remains(self) -> None:
        """Delete the pod of a server that has ended by itself: once, and without insisting.

        The hub may be about to end, too. What is left is replaced at the next start.
        """
        if self._removed:
            return
        objects = Objects(self.api, self.namespace, SHORT)
        with suppress(ApiException, Unreachable):
            await objects.delete_pod(self.pod_name, AT_ONCE)
            for kind, name in self._belongings:
                await objects.delete(kind, name)
            self._removed = True

    # Pods of this hub that it does not know.

    async def list_orphans(self, known: Collection[Server]) -> list[str]:
        """The names of this hub's pods whose user and server are not among those it knows."""
        found = await orphans(self.objects, self.pods_of_the_hub, known)
        return [pod["metadata"]["name"] for pod in found]

    async def reap(self, known: Collection[Server]) -> list[str]:
        """Delete this hub's pods that it does not know; their names. Homes stay."""
        return await delete_orphans(self.objects, self.pods_of_the_hub, known)
