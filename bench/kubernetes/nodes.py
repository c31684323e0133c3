"""Simulated nodes: pods of one namespace run without containers, and one process answers for all.

    python -m bench.kubernetes.nodes NAMESPACE NODES PORT STARTS_IN ENDS_IN

The API server, its storage and its controllers are real. What scheduler and kubelet do is done
here: pods that ask for the scheduler ``bench`` are bound to nodes of no machine, become ready
with a loopback address, have the events that real ones have, and go when they are deleted. Both
take so many seconds, half as many or half as many again. The nodes take no other pods, and are gone
at the end.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientError, ClientTimeout, web
from jupyterhub import __version__
from kubernetes_asyncio import client, config

SCHEDULER = "bench"
AT_ONCE = 64
"""Requests to the API server at one time."""

LEASE = 40
"""Seconds for which a node is alive without a word."""


def now(*, fine: bool = False) -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ" if fine else "%Y-%m-%dT%H:%M:%SZ")


def address(number: int) -> str:
    """A loopback address for the pod of a number, of four million."""
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


class Nodes:
    """The nodes, and what happens to pods on them."""

    def __init__(
        self,
        api: client.ApiClient,
        identity: Mapping[str, str],
        namespace: str,
        count: int,
        starts_in: float,
        ends_in: float,
    ) -> None:
        self.identity, self.starts_in, self.ends_in = identity, starts_in, ends_in
        self.host = api.configuration.host
        self.session = api.rest_client.pool_manager
        self.namespace, self.names = namespace, [f"{namespace}-{n}" for n in range(count)]
        self.pods = f"/api/v1/namespaces/{namespace}/pods"
        self.turns, self.number = asyncio.Semaphore(AT_ONCE), 0
        self.bound: set[str] = set()
        self.ending: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def ask(
        self, method: str, path: str, body: Any = None, kind: str = "application/json"
    ) -> int:
        """One request, again while the API server is busy; its status."""
        for pause in (0.2, 1, 5, 0):
            async with self.turns:
                with suppress(ClientError, TimeoutError):
                    async with self.session.request(
                        method,
                        self.host + path,
                        data=None if body is None else json.dumps(body),
                        headers={"Content-Type": kind, **self.identity},
                        timeout=ClientTimeout(total=60),
                    ) as answer:
                        said = await answer.read()
                        if answer.status < 400 or answer.status in (404, 409):
                            return answer.status
                        if answer.status not in (429, 500, 503, 504):
                            raise RuntimeError(f"{method} {path}: {answer.status} {said.decode()}")
            await asyncio.sleep(pause)
        raise RuntimeError(f"{method} {path}: no answer")

    async def register(self) -> None:
        """Make the nodes: ready, and closed to pods of others."""
        taint = {"key": "greyhub/bench", "value": "simulated", "effect": "NoSchedule"}
        room = {"cpu": "1k", "memory": "4Ti", "pods": "1k"}
        ready = {"type": "Ready", "status": "True", "reason": "Simulated", "message": ""}
        for name in self.names:
            await self.ask(
                "POST",
                "/api/v1/nodes",
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {"name": name, "labels": {"greyhub/bench": "simulated"}},
                    "spec": {"unschedulable": True, "taints": [taint]},
                },
            )
            times = {"lastHeartbeatTime": now(), "lastTransitionTime": now()}
            status = {"capacity": room, "allocatable": room, "conditions": [ready | times]}
            await self.patch(f"/api/v1/nodes/{name}/status", {"status": status})

    async def remove(self) -> None:
        for name in self.names:
            await self.ask("DELETE", f"/api/v1/nodes/{name}")
            await self.ask("DELETE", f"{LEASES}/{name}")

    async def patch(self, path: str, body: Any) -> int:
        return await self.ask("PATCH", path, body, "application/merge-patch+json")

    async def live(self) -> None:
        """Renew the nodes' leases, as kubelets do."""
        while True:
            for name in self.names:
                spec = {
                    "holderIdentity": name,
                    "leaseDurationSeconds": LEASE,
                    "renewTime": now(fine=True),
                }
                if await self.patch(f"{LEASES}/{name}", {"spec": spec}) == 404:
                    about = {"name": name, "namespace": "kube-node-lease"}
                    kinds = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
                    await self.ask("POST", LEASES, kinds | {"metadata": about, "spec": spec})
            await asyncio.sleep(10)

    async def watch(self) -> None:
        """Follow the namespace's pods from its beginning on."""
        version = "0"
        while True:
            with suppress(ClientError, TimeoutError):
                async with self.session.get(
                    f"{self.host}{self.pods}",
                    params={"watch": "1", "resourceVersion": version, "timeoutSeconds": "300"},
                    headers=self.identity,
                    timeout=ClientTimeout(total=None),
                ) as answer:
                    rest = b""
                    async for chunk in answer.content.iter_any():
                        *lines, rest = (rest + chunk).split(b"\n")
                        for line in lines:
                            event = json.loads(line)
                            if event["type"] == "ERROR":
                                version = "0"
                                break
                            version = event["object"]["metadata"]["resourceVersion"]
                            self.take(event["type"], event["object"])
            await asyncio.sleep(0.2)

    def take(self, kind: str, pod: Mapping[str, Any]) -> None:
        """What is to be done about a pod."""
        about = pod["metadata"]
        uid = about["uid"]
        if kind == "DELETED":
            self.bound.discard(uid)
            self.ending.discard(uid)
        elif "deletionTimestamp" in about:
            if uid not in self.ending:
                self.ending.add(uid)
                self.do(self.end(about["name"], uid))
        elif uid not in self.bound and pod["spec"].get("schedulerName") == SCHEDULER:
            self.bound.add(uid)
            self.do(self.run(pod))

    def do(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def end(self, name: str, uid: str) -> None:
        """The kubelet's word that no container is left."""
        await asyncio.sleep(self.ends_in * random.uniform(0.5, 1.5))
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        await self.ask("DELETE", f"{self.pods}/{name}", options)

    async def run(self, pod: Mapping[str, Any]) -> None:
        """Bind a pod, and let it be ready."""
        name, self.number = pod["metadata"]["name"], self.number + 1
        place, number = self.names[self.number % len(self.names)], self.number
        target = {"apiVersion": "v1", "kind": "Node", "name": place}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}}
        await self.ask("POST", f"{self.pods}/{name}/binding", binding | {"target": target})
        await self.tell(pod, "Scheduled", f"Successfully assigned {name} to {place}")
        await self.tell(pod, "Pulled", "Container image already present on machine")
        await self.tell(pod, "Created", "Container created")
        await asyncio.sleep(self.starts_in * random.uniform(0.5, 1.5))
        started = {"running": {"startedAt": now()}}
        kinds = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        container = {
            "name": pod["spec"]["containers"][0]["name"],
            "image": pod["spec"]["containers"][0]["image"],
            "imageID": "sha256:0",
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": started,
        }
        status = {
            "phase": "Running",
            "podIP": address(number),
            "podIPs": [{"ip": address(number)}],
            "startTime": now(),
            "conditions": [
                {"type": kind, "status": "True", "lastTransitionTime": now()} for kind in kinds
            ],
            "containerStatuses": [container],
        }
        await self.patch(f"{self.pods}/{name}/status", {"status": status})
        await self.tell(pod, "Started", "Container started")

    async def tell(self, pod: Mapping[str, Any], reason: str, message: str) -> None:
        about = pod["metadata"]
        event = {
            "metadata": {"name": f"{about['name']}.{about['uid'][:8]}.{reason.lower()}"},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": about["name"],
                "namespace": self.namespace,
                "uid": about["uid"],
            },
            "reason": reason,
            "message": message,
            "type": "Normal",
            "count": 1,
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "source": {"component": "bench"},
        }
        await self.ask("POST", f"/api/v1/namespaces/{self.namespace}/events", event)


LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


async def answer(request: web.Request) -> web.Response:
    """Any notebook server's ``api``, which the hub asks for."""
    return web.json_response(
        {"version": __version__}, headers={"X-JupyterHub-Version": __version__}
    )


async def main(namespace: str, count: int, port: int, starts_in: float, ends_in: float) -> None:
    settings = client.Configuration()
    await config.load_kube_config(client_configuration=settings)
    settings.connection_pool_maxsize = AT_ONCE + 2
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", port, backlog=4096).start()
    token = (await settings.auth_settings()).get("BearerToken")
    identity = {"Authorization": token["value"]} if token else {}
    async with client.ApiClient(settings) as api:
        nodes = Nodes(api, identity, namespace, count, starts_in, ends_in)
        await nodes.register()
        work: list[Callable[[], Awaitable[None]]] = [nodes.live, nodes.watch]
        tasks = [asyncio.ensure_future(each()) for each in work]
        print("ready", flush=True)
        await asyncio.wait(
            [asyncio.ensure_future(ended.wait()), *tasks], return_when="FIRST_COMPLETED"
        )
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await nodes.remove()
    await runner.cleanup()


if __name__ == "__main__":
    _, space, *numbers = sys.argv
    asyncio.run(main(space, *map(int, numbers[:2]), *map(float, numbers[2:])))
