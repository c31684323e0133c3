"""What one simulated workspace is, and what of it can be read: now, or with a delay."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from greyhub.conformance.testkit.azureml.errors import ArmError, not_found

PROVIDER = "Microsoft.MachineLearningServices"

KEPT = 60
"""Seconds that what is past is kept at least, for delays that are set later."""

Document = dict[str, Any]


@dataclass
class Times:
    """Seconds that things take."""

    create: float = 0.2
    start: float = 0.2
    stop: float = 0.1
    delete: float = 0.1
    queue: float = 0.1
    """From a job's submission until its command runs."""
    cancel_grace: float = 2
    """From a job's SIGTERM to its SIGKILL."""


@dataclass(frozen=True)
class Size:
    """A size of virtual machine, as far as it matters here."""

    family: str
    cpus: int
    memory_gb: float
    gpus: int = 0


SIZES = {
    "Standard_DS1_v2": Size("standardDSv2Family", 1, 3.5),
    "Standard_DS2_v2": Size("standardDSv2Family", 2, 7),
    "Standard_DS3_v2": Size("standardDSv2Family", 4, 14),
    "Standard_DS11_v2": Size("standardDSv2Family", 2, 14),
    "Standard_D13_v2": Size("standardDv2Family", 8, 56),
    "Standard_E4s_v3": Size("standardESv3Family", 4, 32),
    "Standard_NC6s_v3": Size("standardNCSv3Family", 6, 112, 1),
}


def now() -> str:
    """This moment, as Azure writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Documents:
    """What reads answer. What happens is published here, and is seen when the delay is over."""

    def __init__(self) -> None:
        self.delays = {"get": 0.0, "list": 0.0}
        self._all: dict[str, dict[str, list[tuple[float, Document | None]]]] = {}

    def publish(self, kind: str, name: str, document: Document | None) -> None:
        """A new version; None if the thing is gone."""
        versions = self._all.setdefault(kind, {}).setdefault(name, [])
        versions.append((time.monotonic(), document))
        seen = time.monotonic() - max(KEPT, *self.delays.values())
        while len(versions) > 1 and versions[1][0] <= seen:
            versions.pop(0)

    def get(self, kind: str, name: str) -> Document:
        """One thing as it is seen.

        Raises
        ------
        ArmError
            404.
        """
        found = self._seen(self._all.get(kind, {}).get(name, []), "get")
        if found is None:
            raise not_found(kind.rstrip("s"), name)
        return found

    def newest(self, kind: str, name: str) -> Document | None:
        """One thing as it is, whatever reads answer."""
        return self._all[kind][name][-1][1]

    def every(self, kind: str, prefix: str = "") -> list[Document]:
        """All things of a kind as they are seen, in the order of their making."""
        each = self._all.get(kind, {}).items()
        found = (self._seen(versions, "list") for name, versions in each if name.startswith(prefix))
        return [document for document in found if document is not None]

    def _seen(self, versions: list[tuple[float, Document | None]], how: str) -> Document | None:
        limit = time.monotonic() - self.delays[how]
        return next((document for at, document in reversed(versions) if at <= limit), None)


@dataclass
class Operation:
    """A long operation, which its status tells of."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    started: str = field(default_factory=now)
    ended: str = ""
    error: Document | None = None

    def finish(self, error: Document | None = None) -> None:
        """It has come to its end, well or with an error's ``code`` and ``message``."""
        self.status, self.error, self.ended = "Failed" if error else "Succeeded", error, now()


@dataclass
class Cloud:
    """A subscription with one workspace that can be seen, in one region."""

    folder: Path
    subscription: str = field(default_factory=lambda: str(uuid.uuid4()))
    resource_group: str = "lab"
    workspace: str = "lab-workspace"
    region: str = "westeurope"
    times: Times = field(default_factory=Times)
    sizes: dict[str, Size] = field(default_factory=lambda: dict(SIZES))
    quota: dict[str, int] = field(default_factory=dict)
    """The most vCPUs by family, where it is not 100."""
    taken: set[str] = field(default_factory=set)
    """Names of computes of other workspaces in the region, in lower case."""
    documents: Documents = field(default_factory=Documents)
    operations: dict[str, Operation] = field(default_factory=dict)
    page_size: int = 50
    endpoint: str = ""
    tenant: str = ""
    own_faults: list[Exception] = field(default_factory=list)
    """What the simulator itself has done wrong."""
    workspace_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def id(self) -> str:
        """The workspace's resource id."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/{PROVIDER}/workspaces/{self.workspace}"
        )

    def resource(self, kind: str, name: str) -> Document:
        """What every resource of the workspace begins with; ``kind`` as in ``computes``."""
        names, kinds = name.split("/"), kind.split("/")
        path = "/".join(f"{a}/{b}" for a, b in zip(kinds, names, strict=True))
        return {
            "id": f"{self.id}/{path}",
            "name": names[-1],
            "type": f"{PROVIDER}/workspaces/{kind}",
        }

    def begin(self) -> Operation:
        """A long operation that has just begun."""
        operation = Operation()
        self.operations[operation.id] = operation
        return operation

    def status_url(self, operation: Operation, version: str, collection: str) -> str:
        """Where the status of an operation is asked for."""
        return (
            f"{self.endpoint}/subscriptions/{self.subscription}/providers/{PROVIDER}"
            f"/locations/{self.region}/{collection}/{operation.id}?api-version={version}&service=new"
        )

    def size(self, name: str) -> Size | None:
        """A size by its name, in capitals or not."""
        return {each.lower(): size for each, size in self.sizes.items()}.get(name.lower())

    def demand(self, names: dict[str, str]) -> None:
        """Raise 404 if a path names another subscription, group or workspace."""
        for kind, mine, code in (
            ("subscription", self.subscription, "SubscriptionNotFound"),
            ("group", self.resource_group, "ResourceGroupNotFound"),
            ("workspace", self.workspace, "ResourceNotFound"),
        ):
            if kind in names and names[kind].lower() != mine.lower():
                raise ArmError(404, code, f"The {kind} '{names[kind]}' could not be found.")
