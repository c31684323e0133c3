"""The simulator as a test holds it: started, told what to do, asked what lives."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from greyhub.conformance.limits import PATIENCE
from greyhub.conformance.testkit.azureml import facts
from greyhub.conformance.testkit.azureml.arm import Arm, Request
from greyhub.conformance.testkit.azureml.assets import Assets
from greyhub.conformance.testkit.azureml.certificates import ADDRESS, serve_with
from greyhub.conformance.testkit.azureml.computes import Computes
from greyhub.conformance.testkit.azureml.faults import Bucket, Fault
from greyhub.conformance.testkit.azureml.identity import Identity
from greyhub.conformance.testkit.azureml.jobs import Jobs
from greyhub.conformance.testkit.azureml.rights import Rights, Role
from greyhub.conformance.testkit.azureml.state import Cloud, Times
from greyhub.conformance.testkit.azureml.subscription import Subscription

T = TypeVar("T")


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
    lifetime : float
        Seconds that a token is good for.

    Attributes
    ----------
    endpoint : str
        The resource manager, with https; also the token endpoint's host,
        `authority`.
    ca_bundle : Path
        The certificate authority that clients must trust.
    subscription, resource_group, workspace, region : str
        The names of what there is.
    tenant, client_id, client_secret : str
        An application that may ask; `assertion` makes a federated token of it.
    requests : list of Request
        Every request to the resource manager, with its body and its answer.
    violations : list of str
        What in them was not as the official types say; each was answered 400.
    """

    def __init__(
        self, *, times: Times | None = None, isolate: bool = True, lifetime: float = 3600
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="greyhub-azureml-"))
        self.identity, self.rights = Identity(lifetime), Rights()
        self.cloud = Cloud(self.folder, times=times or Times(), tenant=self.identity.tenant)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="azureml", daemon=True)
        self._arm: Arm
        self._isolate = isolate
        self._runner: list[web.AppRunner] = []
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
        return self._call(lambda: self.identity.issue(audience or self.endpoint))

    def url(self, path: str = "", version: str = "") -> str:
        """The workspace's URL, with what is below it, and an API version."""
        version = version or str(facts.table()["api_version"])
        below = f"/{path}" if path else ""
        return f"{self.endpoint}{self.cloud.id}{below}?api-version={version}"

    # What it has seen

    @property
    def requests(self) -> list[Request]:
        """See the class."""
        return list(self._arm.requests)

    @property
    def violations(self) -> list[str]:
        """See the class."""
        return list(self._arm.violations)

    @property
    def overwritten(self) -> list[str]:
        """Computes that a PUT has overwritten, with their disks."""
        return list(self._computes.overwritten)

    def instances(self) -> dict[str, list[int]]:
        """Every compute instance there is, with the pids that live on it, by ``/proc``."""
        return self._call(
            lambda: {
                each.name: each.machine.pids() if each.machine else []
                for each in self._computes.all.values()
                if each.is_instance
            }
        )

    def jobs(self) -> dict[str, list[int]]:
        """Every job there was, with the pids that live of it, by ``/proc``."""
        return self._call(
            lambda: {each.name: each.process.pids() for each in self._jobs.all.values()}
        )

    def output(self, job: str) -> str:
        """What a job has written until now."""
        file = self._call(lambda: self._jobs.all[job].output)
        return file.read_text() if file.exists() else ""

    def state(self, name: str) -> str | None:
        """An instance's state as it is now, whatever reads answer; None while it is created."""
        return self._call(lambda: self._computes.all[name].state)

    def disk(self, name: str) -> Path:
        """An instance's disk: what its machine has written is below it, by its path there."""
        return self.cloud.folder / "disks" / name

    def check(self) -> None:
        """Raise the first AssertionError that an answer of its own was wrong, if any was."""
        for each in self._arm.own_faults:
            raise each

    # What it is told

    def grant(self, *roles: str | Role) -> None:
        """Give the identities these roles and no others: names of built-in ones, or `Role`."""
        self._call(lambda: self.rights.grant(*roles))

    def revoke_tokens(self) -> None:
        """Refuse every token given out so far, with a claims challenge."""
        self._call(self.identity.revoke)

    def kill(self, name: str, state: str = "Unusable") -> None:
        """End an instance's machine at once, as when its host dies."""
        self._wait(self._computes.kill(name, state))

    def set_state(self, name: str, state: str) -> None:
        """Put an instance into a state."""
        self._call(lambda: self._computes.set_state(name, state))

    def fail_next(self, operation: str, state: str, name: str = "") -> None:
        """Let the next ``create``, ``start``, ``stop`` or ``restart`` end in a failed state."""
        self._call(lambda: self._computes.failures.append((operation, state, name)))

    def fault(
        self,
        kind: str,
        *,
        method: str = "",
        path: str = "",
        times: int = 1,
        retry_after: float | None = None,
    ) -> Fault:
        """Let the next requests go wrong.

        Parameters
        ----------
        kind : str
            A refusal: ``throttled`` ``error`` ``unavailable`` ``forbidden`` ``policy``
            ``quota`` ``size`` ``conflict``. Or ``hang``: there is no answer until the
            end; ``reset``: the connection is closed and nothing is done; ``lost``: it
            is closed, and what was asked is done.
        method : str
            Only requests with this one.
        path : str
            Only requests in whose path this pattern is found.
        times : int
            How many of them.
        retry_after : float
            Seconds, in the header of that name.

        Returns
        -------
        Fault
            Its ``hits`` counts the requests it has met, its ``hit`` is an event.
        """
        return self._call(
            lambda: self._arm.faults.add(
                kind, method=method, path=path, times=times, retry_after=retry_after
            )
        )

    def heal(self) -> None:
        """Faults that have not met their requests yet are taken back."""
        self._call(self._arm.faults.clear)

    def throttle(self, kind: str, size: float, per_second: float = 0) -> None:
        """Allow so many ``reads``, ``writes`` or ``deletes`` at once, and so many more a second."""
        self._call(lambda: self._arm.budgets.buckets.__setitem__(kind, Bucket(size, per_second)))

    def lag(self, *, get: float = 0, list: float = 0) -> None:  # noqa: A002 - as HTTP and Azure say
        """Let reads of one thing, and of lists, answer as it was so many seconds ago."""
        self._call(lambda: self.cloud.documents.delays.update(get=get, list=list))

    def add_data(self, name: str, version: str, **properties: Any) -> None:
        """Put a version of a data asset there: ``dataType``, ``dataUri`` and more of the API."""
        self._call(lambda: self._assets.add_data(name, version, properties))

    def add_datastore(self, name: str, **properties: Any) -> None:
        """Put a datastore there: ``datastoreType``, ``credentials`` and more of the API."""
        self._call(lambda: self._assets.add_datastore(name, properties))

    def take_name(self, name: str) -> None:
        """Let a compute of another workspace in the region have this name."""
        self._call(lambda: self.cloud.taken.add(name.lower()))

    # Its life

    def start(self) -> Self:
        """Serve; also by ``with``."""
        self._thread.start()
        self._wait(self._start())
        return self

    def close(self) -> None:
        """End everything that it runs, then itself; also by the end of ``with``."""
        if self._loop.is_closed():
            return
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10 * PATIENCE)
        self._loop.close()
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
        context, self.ca_bundle = serve_with(self.folder)
        self._arm = Arm(self.identity, self.rights, [str(facts.table()["api_version"])])
        self._computes = Computes(self.cloud, self._isolate)
        self._jobs, self._assets = Jobs(self.cloud, self._computes), Assets(self.cloud)
        around = Subscription(self.cloud, self._computes, self.rights)
        for part in (around, self._computes, self._jobs, self._assets):
            self._arm.routes += part.routes()
        front, metadata = web.Application(), web.Application()
        front.add_routes(self.identity.routes())
        front.router.add_route("*", "/{path:.*}", self._arm.serve)
        metadata.add_routes(self.identity.managed_routes())
        port = await self._listen(front, context)
        self.cloud.endpoint = self.identity.endpoint = f"https://{ADDRESS}:{port}"
        self.identity.authority = self.cloud.endpoint
        self._metadata_url = f"http://{ADDRESS}:{await self._listen(metadata, None)}"

    async def _listen(self, application: web.Application, context: Any) -> int:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._runner.append(runner)
        site = web.TCPSite(runner, ADDRESS, 0, ssl_context=context)
        await site.start()
        return int(runner.addresses[0][1])

    async def _close(self) -> None:
        self._arm.over.set()
        await asyncio.gather(self._computes.close(), self._jobs.close())
        for runner in self._runner:
            await runner.cleanup()

    def _call(self, act: Callable[[], T]) -> T:
        async def do() -> T:
            return act()

        return self._wait(do())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30 * PATIENCE)
