"""The simulated workspace as it runs: its parts, its start and its end, its addresses."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from greyhub.conformance.testkit.azureml import facts
from greyhub.conformance.testkit.azureml.arm import Arm
from greyhub.conformance.testkit.azureml.assets import Assets
from greyhub.conformance.testkit.azureml.computes import Computes
from greyhub.conformance.testkit.azureml.identity import Identity
from greyhub.conformance.testkit.azureml.jobs import Jobs
from greyhub.conformance.testkit.azureml.machine import Machine
from greyhub.conformance.testkit.azureml.rights import Rights
from greyhub.conformance.testkit.azureml.serving import Serving
from greyhub.conformance.testkit.azureml.state import Cloud, Times
from greyhub.conformance.testkit.azureml.subscription import Subscription
from greyhub.conformance.testkit.certificates import ADDRESS, Authority


class Running:
    """What a simulator is made of and what it runs; its options are those of the simulator."""

    def __init__(
        self,
        *,
        times: Times | None = None,
        isolate: bool = True,
        machine: type[Any] | None = Machine,
        lifetime: float = 3600,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="greyhub-azureml-"))
        self.identity, self.rights = Identity(lifetime), Rights()
        self.cloud = Cloud(self.folder, times=times or Times(), tenant=self.identity.tenant)
        self._serving, self._isolate, self._machine = Serving(), isolate, machine
        self.subscription, self.resource_group = self.cloud.subscription, self.cloud.resource_group
        self.workspace, self.region = self.cloud.workspace, self.cloud.region
        self.tenant = self.identity.tenant
        self.client_id = self.identity.application.client_id
        self.client_secret = self.identity.application.client_secret

    # What a client is given

    @property
    def endpoint(self) -> str:
        """The resource manager's URL."""
        return self.cloud.endpoint

    @property
    def ca_bundle(self) -> Path:
        """The certificate authority that clients must trust."""
        return self._ca

    @property
    def authority(self) -> str:
        """Where tokens are asked for."""
        return self.identity.authority

    @property
    def managed_identity(self) -> dict[str, str]:
        """Environment variables of a managed identity, as App Service sets them."""
        return {
            "IDENTITY_ENDPOINT": f"{self._metadata_url}/msi/token",
            "IDENTITY_HEADER": self.identity.identity_header,
        }

    @property
    def virtual_machine(self) -> dict[str, str]:
        """Environment variables that say where a virtual machine's managed identity is."""
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self._metadata_url}

    def assertion(self) -> str:
        """A Kubernetes service account's token that stands for the application's secret."""
        return self.identity.assertion()

    def token(self, audience: str = "") -> str:
        """An access token of the application, for the resource manager by default."""
        return self._serving.call(lambda: self.identity.issue(audience or self.endpoint))

    def url(self, path: str = "", version: str = "") -> str:
        """The workspace's URL, with what is below it, and an API version."""
        version = version or str(facts.table()["api_version"])
        below = f"/{path}" if path else ""
        return f"{self.endpoint}{self.cloud.id}{below}?api-version={version}"

    # Its life

    def start(self) -> Self:
        """Serve; also by ``with``."""
        self._serving.start()
        self._serving.wait(self._start())
        return self

    def close(self) -> None:
        """End everything that it runs, then itself; also by the end of ``with``."""
        if self._serving.closed:
            return
        self._serving.wait(self._close())
        self._serving.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def check(self) -> None:
        """Raise what the simulator itself has done wrong: AssertionError for a wrong answer."""
        for each in self.cloud.own_faults:
            raise each

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if error is None:
            self.check()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *how: Any) -> None:
        await asyncio.to_thread(self.__exit__, *how)

    async def _start(self) -> None:
        tls = Authority(self.folder)
        self._ca = tls.ca
        versions = [str(facts.table()["api_version"])]
        self._arm = Arm(self.identity, self.rights, versions, self.cloud.own_faults)
        self._computes = Computes(self.cloud, self._isolate, self._machine)
        self._jobs, self._assets = Jobs(self.cloud, self._computes), Assets(self.cloud)
        around = Subscription(self.cloud, self._computes, self.rights)
        for part in (around, self._computes, self._jobs, self._assets):
            self._arm.routes += part.routes()
        metadata = web.Application(middlewares=[self._arm.meddle])
        metadata.add_routes(self.identity.managed_routes())
        front = web.Application(middlewares=[self._arm.meddle])
        front.add_routes(self.identity.routes())
        front.router.add_route("*", "/{path:.*}", self._arm.serve)
        port = await self._serving.listen(front, tls.serving())
        self.cloud.endpoint = self.identity.endpoint = f"https://{ADDRESS}:{port}"
        self.identity.authority = self.cloud.endpoint
        self._metadata_url = f"http://{ADDRESS}:{await self._serving.listen(metadata, None)}"

    async def _close(self) -> None:
        self._arm.over.set()
        await asyncio.gather(self._computes.close(), self._jobs.close())
        await self._serving.stop()
