"""The simulator as a test holds it: started, told what to do, asked what lives."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from greyhub.conformance.testkit.azureml import facts
from greyhub.conformance.testkit.azureml.arm import Arm, Request
from greyhub.conformance.testkit.azureml.assets import Assets
from greyhub.conformance.testkit.azureml.computes import Computes
from greyhub.conformance.testkit.azureml.faults import Bucket, Fault
from greyhub.conformance.testkit.azureml.identity import Identity
from greyhub.conformance.testkit.azureml.jobs import Jobs
from greyhub.conformance.testkit.azureml.machine import Machine
from greyhub.conformance.testkit.azureml.rights import Rights, Role
from greyhub.conformance.testkit.azureml.serving import Serving
from greyhub.conformance.testkit.azureml.state import Cloud, Times
from greyhub.conformance.testkit.azureml.subscription import Subscription
from greyhub.conformance.testkit.certificates import ADDRESS, Authority
from greyhub.conformance.testkit.machine.processes import parents


class Simulator:
    """An Azure ML workspace on this machine; a context manager, plain or asynchronous.

    It serves in a thread of its own. What it is asked to run, it runs, in
    processes that end with it.

    Parameters
    ----------
    times : Times
        Seconds that creating, starting, stopping and the like take.
    isolate : bool
        Give each instance namespaces of its own, where this process may.
    machine : type, optional
        The class of instances' machines, for a test that wants many small ones. With None,
        instances have their states, and nothing behind.
    lifetime : float
        Seconds that a token is good for.

    Attributes
    ----------
    subscription, resource_group, workspace, region : str
        The names of what there is.
    tenant, client_id, client_secret : str
        An application that may ask; `assertion` makes a federated token of it.
    """

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

    # What it has seen

    @property
    def requests(self) -> list[Request]:
        """Every request to the resource manager, with its body and its answer."""
        return list(self._arm.requests)

    @property
    def violations(self) -> list[str]:
        """What in requests was not as the official types say; each was answered 400."""
        return list(self._arm.violations)

    @property
    def overwritten(self) -> list[str]:
        """Computes that a PUT has overwritten, with their disks."""
        return list(self._computes.overwritten)

    def instances(self) -> dict[str, list[int]]:
        """Every compute instance there is, with the pids that live on it, by ``/proc``."""
        every = parents()
        return self._serving.call(
            lambda: {
                each.name: each.machine.pids(every) if each.machine else []
                for each in self._computes.all.values()
                if each.is_instance
            }
        )

    def tags(self) -> dict[str, dict[str, str]]:
        """The tags of every compute."""
        every = self._computes.all
        return self._serving.call(
            lambda: {name: dict(it.body.get("tags") or {}) for name, it in every.items()}
        )

    def shown(self, name: str) -> dict[str, Any]:
        """A compute as a request would show it that does not lag."""
        return self._serving.call(lambda: self.cloud.documents.newest("computes", name) or {})

    def sizes(self) -> list[str]:
        """The sizes of the machines that there are."""
        every = self._computes.all
        return self._serving.call(
            lambda: [str(it.properties.get("vmSize")) for it in every.values()]
        )

    def jobs(self) -> dict[str, list[int]]:
        """Every job there was, with the pids that live of it, by ``/proc``."""
        return self._serving.call(
            lambda: {each.name: each.process.pids() for each in self._jobs.all.values()}
        )

    def output(self, job: str) -> str:
        """What a job has written until now."""
        file = self._serving.call(lambda: self._jobs.all[job].output)
        return file.read_text() if file.exists() else ""

    def state(self, name: str) -> str | None:
        """An instance's state as it is now, whatever reads answer; None while it is created."""
        return self._serving.call(lambda: self._computes.all[name].state)

    def disk(self, name: str) -> Path:
        """An instance's disk: what its machine has written is below it, by its path there."""
        return self.cloud.folder / "disks" / name

    def check(self) -> None:
        """Raise what the simulator itself has done wrong: AssertionError for a wrong answer."""
        for each in self.cloud.own_faults:
            raise each

    # What it is told

    def grant(self, *roles: str | Role) -> None:
        """Give the identities these roles and no others; built-in ones by their names."""
        self._serving.call(lambda: self.rights.grant(*roles))

    def revoke_tokens(self) -> None:
        """Refuse every token given out so far, with a claims challenge."""
        self._serving.call(self.identity.revoke)

    def kill(self, name: str, state: str = "Unusable") -> None:
        """End an instance's machine at once, as when its host dies."""
        self._serving.wait(self._computes.kill(name, state))

    def delete(self, name: str) -> None:
        """Delete a compute with its disk, as somebody else does; it is gone on return."""
        self._serving.wait(self._computes.remove(name))

    def set_state(self, name: str, state: str) -> None:
        """Put an instance into a state."""
        self._serving.call(lambda: self._computes.set_state(name, state))

    def fail_next(self, operation: str, state: str, name: str = "") -> None:
        """Let the next ``create``, ``start``, ``stop`` or ``restart`` end in a failed state."""
        self._serving.call(
            lambda: self._computes.lifecycle.failures.append((operation, state, name))
        )

    def fault(
        self,
        kind: str,
        *,
        method: str = "",
        path: str = "",
        times: int = 1,
        retry_after: float | None = None,
        seconds: float = 3,
    ) -> Fault:
        """Let the next requests go wrong.

        Parameters
        ----------
        kind : str
            A refusal: ``throttled`` ``error`` ``unavailable`` ``forbidden`` ``policy``
            ``quota`` ``size`` ``conflict``. Or ``hang``: there is no answer until the
            end; ``reset``: the connection is closed and nothing is done; ``lost``: it
            is closed, and what was asked is done; ``late``: it is done, and the answer
            comes ``seconds`` later.
        method : str
            Only requests with this one.
        path : str
            Only requests in whose path this pattern is found. Where tokens are asked
            for, only a fault with a path that matches comes true: ``oauth2``.
        times : int
            How many of them.
        retry_after : float
            Seconds, in the header of that name.

        Returns
        -------
        greyhub.conformance.testkit.azureml.faults.Fault
            Its ``hits`` counts the requests it has met, its ``hit`` is an event.
        """
        return self._serving.call(
            lambda: self._arm.faults.add(
                kind,
                method=method,
                path=path,
                times=times,
                retry_after=retry_after,
                seconds=seconds,
            )
        )

    def heal(self) -> None:
        """Faults that have not met their requests yet are taken back."""
        self._serving.call(self._arm.faults.clear)

    def throttle(self, kind: str, size: float, per_second: float = 0) -> None:
        """Allow so many ``reads``, ``writes`` or ``deletes`` at once, and so many more a second."""
        self._serving.call(
            lambda: self._arm.budgets.buckets.__setitem__(kind, Bucket(size, per_second))
        )

    def lag(self, *, get: float = 0, list: float = 0) -> None:  # noqa: A002 - as HTTP and Azure say
        """Let reads of one thing, and of lists, answer as it was so many seconds ago."""
        self._serving.call(lambda: self.cloud.documents.delays.update(get=get, list=list))

    def add_data(self, name: str, version: str, **properties: Any) -> None:
        """Put a version of a data asset there: ``dataType``, ``dataUri`` and more of the API."""
        self._serving.call(lambda: self._assets.add_data(name, version, properties))

    def remove_data(self, name: str) -> None:
        """A data asset is gone, with all its versions."""
        self._serving.call(lambda: self._assets.remove_data(name))

    def add_datastore(self, name: str, **properties: Any) -> None:
        """Put a datastore there: ``datastoreType``, ``credentials`` and more of the API."""
        self._serving.call(lambda: self._assets.add_datastore(name, properties))

    def add_environment(self, name: str, version: str, **properties: Any) -> None:
        """Put a version of an environment there: ``image`` and more of the API."""
        self._serving.call(lambda: self._assets.add_environment(name, version, properties))

    def take_name(self, name: str) -> None:
        """Let a compute of another workspace in the region have this name."""
        self._serving.call(lambda: self.cloud.taken.add(name.lower()))

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
