"""A Kubernetes cluster for the tests, and an API server that is away, busy or loses answers.

The cluster is whichever KUBECONFIG names. Two more variables say what the tests cannot
know: ``GREYHUB_TESTS_IMAGE``, an image with this greyhub and JupyterLab in it, and
``GREYHUB_TESTS_HOST``, the address of this machine as pods reach it.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientSession, ClientTimeout, web
from kubernetes_asyncio import client, config

from tests.support.ports import free_port
from tests.support.waiting import MINUTE

IMAGE = os.environ.get("GREYHUB_TESTS_IMAGE", "localhost/lab:1")
HOST = os.environ.get("GREYHUB_TESTS_HOST", "")


def missing() -> str:
    """What there is not of a cluster for the tests; an empty text if there is one."""
    if os.environ.get("KUBECONFIG") and shutil.which("kubectl") and HOST:
        return ""
    return "needs a cluster: KUBECONFIG, kubectl, GREYHUB_TESTS_HOST"


Rule = Callable[[web.Request], str | None]
"""What to do with a request: ``refuse`` it, ``hang`` without an answer, ``lose`` the answer, a
status to answer, or None."""


class Cluster:
    """One namespace of the cluster, seen by kubectl and not by greyhub.

    Parameters
    ----------
    namespace : str
        Its name.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.environ = dict(os.environ)  # KUBECONFIG as it is now, whatever a test sets it to

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        """What kubectl says of the namespace."""
        command = ["kubectl", "-n", self.namespace, *arguments]
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            timeout=5 * MINUTE,
            env=self.environ,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def get(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, "-o", "json"))["items"]
        return items

    def pods(self) -> list[dict[str, Any]]:
        """The pods that are not being deleted."""
        return [each for each in self.get("pods") if "deletionTimestamp" not in each["metadata"]]

    def uids(self) -> set[str]:
        """The identities of all pods."""
        return {each["metadata"]["uid"] for each in self.get("pods")}

    def apply(self, thing: dict[str, Any]) -> None:
        """Make an object."""
        self.kubectl("apply", "-f", "-", given=json.dumps(thing))


class ApiProxy:
    """Stands before the API server, and spoils what rules say; a kubeconfig leads to it.

    Parameters
    ----------
    kubeconfig : Path
        Where to write the file that leads here.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self.rules: list[Rule] = []
        self.requests: list[tuple[str, str]] = []
        self.kubeconfig, self.port = kubeconfig, free_port()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True, name="api proxy")

    def __enter__(self) -> ApiProxy:
        cluster = {"server": f"http://127.0.0.1:{self.port}"}
        self.kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "c", "cluster": cluster}],
                    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                    "users": [{"name": "u", "user": {}}],
                    "current-context": "c",
                }
            )
        )
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(MINUTE)

    def away(self, how: str = "refuse") -> None:
        """From now on, the API server answers nobody; open watches end."""
        self.rules = [lambda request: how]
        self._loop.call_soon_threadsafe(self._cut)

    def back(self) -> None:
        """It answers again."""
        self.rules = []

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._ending, self._open = asyncio.Event(), list[web.Request]()
        settings = client.Configuration()
        await config.load_kube_config(client_configuration=settings)
        async with client.ApiClient(settings) as api:
            self._upstream = settings.host
            self._session: ClientSession = api.rest_client.pool_manager
            token = (await settings.auth_settings()).get("BearerToken")
            self._identity = {"Authorization": token["value"]} if token else {}
            application = web.Application(client_max_size=2**26)
            application.router.add_route("*", "/{path:.*}", self._answer)
            runner = web.AppRunner(application, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            self._ready.set()
            await self._ending.wait()
            self._cut()
            await runner.cleanup()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    def _cut(self) -> None:
        for request in list(self._open):
            if request.transport:
                request.transport.abort()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs))
        action = next(filter(None, (rule(request) for rule in list(self.rules))), None)
        if action == "refuse":
            assert request.transport
            request.transport.abort()
            return web.Response()
        if action == "hang":
            self._open.append(request)
            await asyncio.sleep(MINUTE * 60)
        if action and action.isdigit():
            return web.json_response({"code": int(action)}, status=int(action))
        self._open.append(request)
        body = await request.read()
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() in ("content-type", "accept")
        } | self._identity
        try:
            async with self._session.request(
                request.method,
                f"{self._upstream}{request.path_qs}",
                data=body,
                headers=headers,
                timeout=ClientTimeout(total=None),
            ) as upstream:
                if action == "lose":
                    await upstream.read()
                    assert request.transport
                    request.transport.abort()
                    return web.Response()
                answer = web.StreamResponse(status=upstream.status)
                answer.content_type = upstream.content_type
                await answer.prepare(request)
                with suppress(ConnectionError):
                    async for chunk in upstream.content.iter_any():
                        await answer.write(chunk)
                return answer
        finally:
            self._open = [each for each in self._open if each is not request]


def once(action: str, wanted: Callable[[web.Request], bool]) -> Rule:
    """A rule for the first request of a kind."""
    left = [action]

    def rule(request: web.Request) -> str | None:
        return left.pop() if left and wanted(request) else None

    return rule
