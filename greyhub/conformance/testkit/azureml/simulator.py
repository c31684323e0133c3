"""The simulator as a test holds it: started, told what to do, asked what lives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from greyhub.conformance.testkit.azureml.arm import Request
from greyhub.conformance.testkit.azureml.faults import Bucket, Fault
from greyhub.conformance.testkit.azureml.rights import Role
from greyhub.conformance.testkit.azureml.running import Running
from greyhub.conformance.testkit.machine.processes import parents


class Simulator(Running):
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

    def reset(self, name: str) -> None:
        """Cut an instance's power and start it again, as its host may; its state does not tell."""
        self._serving.wait(self._computes.reset(name))

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
