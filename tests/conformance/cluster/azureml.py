"""``cluster = "azureml"``, behind a real hub, in a simulated workspace."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from greyhub.azureml.jobs import ENDED
from greyhub.azureml.names import CLUSTER, HUB, USER
from greyhub.conformance import ClusterSuite, Part
from tests.conformance.cluster.brokers import OPTIONS, ByBroker
from tests.conformance.strangers.clusters import Gateway as Stranger
from tests.support.azureml_brokers import AzureHub
from tests.support.azureml_process import Apart

NODES = 40


class InSimulatedWorkspace:
    """A mixin for a suite: its parts are jobs on the compute cluster ``cpu``."""

    azure: Apart

    def alive(self) -> list[Part]:
        processes = _processes()
        return [_part(each, processes.get(each["name"], [])) for each in self._jobs()]

    def _jobs(self) -> list[dict[str, Any]]:
        """Those that have not ended."""
        answer, found = self.azure.ask("GET", "jobs").json(), []
        while True:
            found += answer["value"]
            if not (rest := answer.get("nextLink")):
                return [each for each in found if each["properties"]["status"] not in ENDED]
            answer = self.azure.session.get(rest, timeout=60).json()

    def kill(self, part: Part) -> None:
        for pid in _processes().get(part.id, ()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @contextmanager
    def fault(self, kind: str, room: int = 0) -> Iterator[None]:
        """``full``: there are no more nodes; ``scheduler``: there is no compute cluster."""
        if kind == "full":
            self._resize(len(self._jobs()) + 1 + room)
        else:
            self.azure.ask("DELETE", "computes/cpu", underlyingResourceAction="Delete")
            self._wait(404)
        try:
            yield
        finally:
            self._resize(NODES)

    def _resize(self, nodes: int) -> None:
        properties = {
            "vmSize": "Standard_DS1_v2",
            "scaleSettings": {"minNodeCount": 0, "maxNodeCount": nodes},
        }
        body = {"properties": {"computeType": "AmlCompute", "properties": properties}}
        answer = self.azure.ask("PUT", "computes/cpu", {"location": "westeurope", **body})
        assert answer.ok, answer.text
        self._wait(200)

    def _wait(self, status: int) -> None:
        deadline = time.monotonic() + 30
        while True:
            found = self.azure.ask("GET", "computes/cpu")
            if found.status_code == status:
                about = found.json().get("properties", {})
                if about.get("provisioningState") in (None, "Succeeded"):
                    return
            assert time.monotonic() < deadline, found.text
            time.sleep(0.05)


class AzureML(InSimulatedWorkspace, ByBroker, ClusterSuite):
    """greyhub's own: jobs, each on a node of a compute cluster."""

    adapter = "greyhub.clusters.azureml:AzureMLCluster"
    endpoint = "AzureMLCluster.endpoint"
    section = "AzureMLCluster"
    mode = "fake"
    patience = 3.0  # a job begins with an interpreter that begins from nothing, twice
    claims = {**Stranger.claims, "idle_timeout": {"AzureMLCluster.idle_timeout": 2.0}}

    def prepare(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="greyhub-broker-"))
        self.azure = Apart()
        self._resize(NODES)
        own = f'c.{self.section}.compute = "cpu"\nc.{self.section}.instance_type = ""\n'
        hub = AzureHub(self.azure, self.folder / "hub", OPTIONS.format(section=self.section) + own)
        self.hub = hub.start()
        self.port = hub.ports[0]
        self.admit()

    def cleanup(self) -> None:
        self.hub.end()
        self.azure.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/clusters"

    def config(self) -> dict[str, dict[str, Any]]:
        near = {"port": self.port, "compute": "cpu"}
        return {self.section: {**near, "networks": ["0.0.0.0/0"], "endpoint": self.address}}


def _part(job: dict[str, Any], pids: list[int]) -> Part:
    said = job["properties"]
    shown = {name: said["tags"].get(tag, "") for name, tag in _TAGS.items()}
    kind = "scheduler" if "-scheduler" in job["name"] else "worker"
    argv = [said["command"], *(word for pid in pids for word in _words(pid))]
    return Part(job["name"], kind, shown, argv)


_TAGS = {"hub": HUB, "user": USER, "cluster": CLUSTER}


def _words(pid: int) -> list[str]:
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


def _processes() -> dict[str, list[int]]:
    """The agent of each job and what it has started, on the node."""
    found: dict[str, list[int]] = {}
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            said = each.environ()
            mark = said.get("GREYHUB_AGENT_RUN", "").partition("#")[0]
            if job := said.get("AZUREML_RUN_ID") or mark.partition("/greyhub-")[2]:
                found.setdefault(job, []).append(each.pid)
    return found
