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
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from jupyterhub.utils import maybe_future
from kubernetes_asyncio import client
from kubernetes_asyncio.client import ApiException
from kubespawner import KubeSpawner
from traitlets import Unicode, default

from greyhub.kubernetes.failures import Failure, exit_status, failure, refusal
from greyhub.kubernetes.names import object_name
from greyhub.kubernetes.objects import HUB, SHORT, START, Objects
from greyhub.kubernetes.progress import words
from greyhub.kubernetes.requests import Unreachable
from greyhub.kubernetes.watching import Watch
from greyhub.names import short_id
from greyhub.spawners.failed import ServerFailed

MARGIN = 3.0
"""Seconds before JupyterHub's own time-out, which would say nothing of the reason."""

MARGIN_TO_END = 60.0
"""Seconds that a pod may take to go, beyond its own."""

T = TypeVar("T")


class PodSpawner(KubeSpawner):  # type: ignore[misc]
    """A notebook server per user, in a pod of its own."""

    state_dir = Unicode(help="Where the hub's own mark is kept.").tag(
        config=True, example="/srv/jupyterhub/hub"
    )

    hub_id = Unicode(
        help="Tells the pods of this hub from those of others in the same namespace. By default, "
        "it is made once, and kept in the state directory."
    ).tag(config=True, example="teaching")

    reflectors: ClassVar[dict[Any, Watch]] = {}

    _start_id = ""
    _unsure = False
    """Whether a start ended in a way that leaves open whether there is a pod."""
    _removed = False
    """Whether the pod of the last start is known to be deleted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name_pod()

    # Safe defaults: whoever wants other values sets them.

    @default("hub_id")
    def _kept_id(self) -> str:
        file = Path(self.state_dir) / "kubernetes-id"
        with suppress(FileExistsError):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with file.open("x") as made:
                made.write(secrets.token_hex(6))
        return file.read_text().strip()

    @default("uid")
    def _jovyan(self) -> int:
        return 1000

    @default("fs_gid")
    def _users(self) -> int:
        return 100

    @default("pod_security_context")
    def _not_root(self) -> dict[str, Any]:
        return {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}

    @default("container_security_context")
    def _no_capabilities(self) -> dict[str, Any]:
        return {"capabilities": {"drop": ["ALL"]}}

    @default("automount_service_account_token")
    def _no_rights(self) -> bool:
        return False

    @default("extra_pod_config")
    def _ends_for_good(self) -> dict[str, Any]:
        return {"restartPolicy": "Never", "enableServiceLinks": False}

    @default("mem_limit")
    def _memory(self) -> int:
        return 2 * 2**30

    @default("mem_guarantee")
    def _memory_for_sure(self) -> int:
        return 2**29

    @default("cpu_limit")
    def _processors(self) -> float:
        return 2.0

    @default("cpu_guarantee")
    def _processors_for_sure(self) -> float:
        return 0.1

    @default("delete_grace_period")
    def _time_to_save(self) -> int:
        return 30

    @default("start_timeout")
    def _nodes_may_have_to_come(self) -> int:
        return 900

    @default("k8s_api_request_retry_timeout")
    def _patience(self) -> int:
        return 120

    # Names and marks.

    def _name_pod(self) -> None:
        if self.pod_name_template == type(self).pod_name_template.default_value:
            self.pod_name = object_name("jupyter", self.hub_id, self.user.name, self.name)
            self.dns_name = self.dns_name_template.format(
                namespace=self.namespace, name=self.pod_name
            )
            self.secret_name = self.pod_name

    def clear_state(self) -> None:
        """Forget the server that has ended."""
        super().clear_state()
        self._name_pod()
        self._unsure = False

    @property
    def hub_label(self) -> str:
        """The value of the label `HUB`."""
        return short_id("hub", self.hub_id)

    def _build_common_labels(self, extra_labels: Mapping[str, str]) -> dict[str, str]:
        labels: dict[str, str] = super()._build_common_labels(extra_labels)
        return labels | {HUB: self.hub_label}

    def _build_common_annotations(self, extra_annotations: Mapping[str, str]) -> dict[str, str]:
        annotations: dict[str, str] = super()._build_common_annotations(extra_annotations)
        return annotations | {START: self._start_id}

    def _expand_env(self, env: Mapping[str, str]) -> dict[str, str]:
        """The variables, with user properties filled in where braces name some."""
        expanded: dict[str, str] = {}
        for name, value in env.items():
            try:
                expanded |= super()._expand_env({name: value})
            except (LookupError, ValueError):  # other braces are the value's own
                expanded[name] = value
        return expanded

    # What is known of pods and events: one watch of each kind for all servers.

    def _get_reflector_key(self, kind: str) -> Any:
        return (asyncio.get_running_loop(), *super()._get_reflector_key(kind), self.hub_id)

    async def _start_reflector(self, kind: str, *_: Any, **__: Any) -> Watch:
        """The watch of a kind, once it has listed all there is."""
        watch = self._watch(kind)
        await watch.load(self.k8s_api_request_retry_timeout)
        return watch

    def _watch(self, kind: str) -> Watch:
        key = self._get_reflector_key(kind)
        if watch := self.reflectors.get(key):
            return watch
        where = {"field_selector": "involvedObject.kind=Pod"}
        if kind == "pods":
            where = {"label_selector": f"component={self.component_label},{HUB}={self.hub_label}"}
        single = {"pods": "pod", "events": "event"}[kind]
        if self.enable_user_namespaces:
            method = f"list_{single}_for_all_namespaces"
        else:
            method, where = f"list_namespaced_{single}", where | {"namespace": self.namespace}
        watch = self.reflectors[key] = Watch(getattr(self.api, method), where, self.log)
        return watch

    def _known(self) -> Mapping[str, Any] | None:
        """The pod, as far as the watch knows it."""
        return self._watch("pods").pods.get(f"{self.namespace}/{self.pod_name}")

    @property
    def objects(self) -> Objects:
        """The pods and Secrets of the namespace."""
        return Objects(self.api, self.namespace, self.k8s_api_request_retry_timeout)

    # Start.

    async def _start(self) -> str:
        self._start_id, self._unsure, self._removed = secrets.token_hex(8), True, False
        waits: dict[str, Failure] = {}
        steps = [asyncio.ensure_future(super()._start())]
        if not (self.internal_ssl or self.services_enabled or self.after_pod_created_hook):
            steps.append(asyncio.ensure_future(self._running(waits)))
        try:
            async with asyncio.timeout(max(self.start_timeout - MARGIN, 1)):
                await asyncio.wait(steps, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            why = waits.get("last")
            raise ServerFailed(
                f"The server did not start in {self.start_timeout} s" + (f": {why}" if why else ".")
            ) from None
        finally:
            for step in steps:
                step.cancel()
            ended = await asyncio.gather(*steps, return_exceptions=True)
        for outcome in ended:  # the reason in words stands before the symptom
            if isinstance(outcome, ServerFailed):
                raise outcome
        for outcome in ended:
            if isinstance(outcome, str):
                self._unsure = False
                return outcome
        raise next(each for each in ended if isinstance(each, BaseException))

    async def _running(self, waits: dict[str, Failure]) -> str:
        """The address of the pod of this start, once it runs."""
        while True:
            pod = self._known()
            if pod and pod["metadata"].get("annotations", {}).get(START) == self._start_id:
                if self.is_pod_running(pod):
                    self.pod_id = pod["metadata"]["uid"]
                    return str(self._get_pod_url(pod))
                if why := failure(pod, self.events):
                    waits["last"] = why
                    if why.final:
                        raise ServerFailed(
                            f"The server does not start: {why}" + await self._log(why)
                        )
            await self._watch("pods").change(5)

    def is_pod_running(self, pod: Mapping[str, Any] | None) -> bool:
        """Whether a pod runs, is ready, and has an address."""
        return bool(pod and pod["status"].get("podIP") and super().is_pod_running(pod))

    async def _log(self, why: Failure) -> str:
        """The end of a container's log, for an error."""
        said = why.container and await self.objects.log(self.pod_name, why.container)
        return f"\nThe end of its log:\n{said}" if said else ""

    async def get_pod_manifest(self) -> Any:
        """The pod; its environment is in a Secret, which others than the hub cannot read.

        Nor does the kubelet expand ``$(NAME)`` there, as it does in a pod's own fields.
        """
        pod = await super().get_pod_manifest()
        notebook = pod.spec.containers[0]
        values = {each.name: each.value for each in notebook.env or () if each.value is not None}
        notebook.env = [each for each in notebook.env or () if each.value is None] or None
        await self._write_environment(values, pod.metadata.labels)
        source = client.V1EnvFromSource(
            secret_ref=client.V1SecretEnvSource(name=self._environment_name)
        )
        notebook.env_from = [*(notebook.env_from or ()), source]
        return pod

    @property
    def _environment_name(self) -> str:
        return f"{self.pod_name}-env"

    async def _write_environment(self, values: Mapping[str, str], labels: Any) -> None:
        about = client.V1ObjectMeta(
            name=self._environment_name, labels=labels, annotations={START: self._start_id}
        )
        secret = client.V1Secret(metadata=about, string_data=dict(values))
        await self._asked(self.objects.write_secret(secret))

    async def _asked(self, request: Awaitable[T]) -> T:
        """What was asked for; a refusal is an error in words."""
        try:
            return await request
        except Unreachable as error:
            raise ServerFailed(f"The server cannot be started: {error}.") from error
        except ApiException as error:
            if why := refusal(error):
                raise ServerFailed(f"The server cannot be started: {why}") from error
            raise

    async def _make_create_pod_request(self, pod: Any, request_timeout: float) -> bool:
        """Create the pod; False to be asked again, once a stale one is gone."""
        found = await self._asked(self.objects.create_pod(pod))
        if found is None:
            return False
        if found.get("annotations", {}).get(START) != self._start_id:
            self.log.info("greyhub: an earlier pod %s is in the way, and is ended", self.pod_name)
            await self._end_pod(grace=0)
            return False
        await self.objects.give_secret(self._environment_name, self.pod_name, found["uid"])
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
            if pod is None or watch.trouble or self._unsure:
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
        if ended is not None and (why := failure(pod)):
            self.log.warning("greyhub: the server %s: %s", self._log_name, why.what)
        return ended

    async def get_url(self) -> str:
        """The address of the pod; one that is still being started is waited for."""
        try:
            async with asyncio.timeout(self.start_timeout):
                while (pod := self._known()) and self._status(pod) is None:
                    if self.is_pod_running(pod):
                        return str(self._get_pod_url(pod))
                    await self._watch("pods").change(5)
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
        await self._end_pod(0 if now else self.delete_grace_period)
        await self.objects.delete_secret(self._environment_name)
        self._unsure, self._removed = False, True

    async def _end_pod(self, grace: int) -> None:
        objects = self.objects
        await objects.delete_pod(self.pod_name, grace)
        try:
            async with asyncio.timeout(grace + MARGIN_TO_END):
                while await objects.pod(self.pod_name) is not None:
                    await self._watch("pods").change(2)
        except TimeoutError:
            raise ServerFailed(f"The pod {self.pod_name} does not end.") from None

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
            await objects.delete_pod(self.pod_name, grace=0)
            await objects.delete_secret(self._environment_name)
            self._removed = True
