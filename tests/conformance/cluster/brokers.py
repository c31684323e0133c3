"""``cluster = "local-broker"`` and ``cluster = "kubernetes"``, behind a real hub."""

from __future__ import annotations

import json
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import psutil
import requests

from greyhub.broker.processes import MARK
from greyhub.conformance import ClusterSuite, OnThisMachine, Part
from greyhub.conformance.testkit.ticket import configured, ticket
from greyhub.kubernetes.objects import CLUSTER, HUB, USER
from tests.conformance.cluster.gateways import ByAdapter
from tests.conformance.strangers.clusters import Gateway as Stranger
from tests.kubernetes.conftest import CONFIG as PODS
from tests.support import clusters
from tests.support.brokers import BrokerHub
from tests.support.hubs import Hub
from tests.support.ports import free_port

INTERPRETER = """\
#!{python}
import os, sys
for what in ("scheduler", "worker"):
    script = os.path.join({folder!r}, what + ".py")
    if what in sys.argv and os.path.exists(script):
        exec(open(script).read())
os.execv({python!r}, [{python!r}, *sys.argv[1:]])
"""
"""An interpreter that first runs what is to break a part of Dask."""

OPTIONS = """\
c.{section}.cluster_limits = {{"workers": 2}}
c.{section}.user_limits = {{}}
c.{section}.end_with_server = False
"""


class ByBroker(ByAdapter):
    """Users of a hub's broker, as their servers are."""

    mode = "real"
    parts = ("dask-gateway", "dask-gateway-server", "jupyterhub")
    section: ClassVar[str]
    """The adapter's options."""
    hub: Hub
    tokens: dict[str, str]

    declines: ClassVar[Any] = {
        **Stranger.declines,
        "reaps_on_client_death": "a restarted kernel finds it again; it ends with the user's "
        "server, or when it is idle",
    }

    @property
    def address(self) -> str:
        """The broker's."""
        raise NotImplementedError

    def admit(self) -> None:
        """Make the users."""
        self.tokens = {}
        for user in ("ada", "bob"):
            self.token(user)

    def token(self, user: str) -> str:
        """What the hub gives a user, as it gives it to the user's server."""
        if user not in self.tokens:
            self.hub.api("POST", f"users/{user}")
            self.tokens[user] = self.hub.api("POST", f"users/{user}/tokens")["token"]
        return self.tokens[user]

    def asked(self) -> dict[str, Any]:
        """What each cluster of the suite's is asked for with."""
        return {}

    def ticket(self, user: str) -> dict[str, Any]:
        options = self.overridden(user)
        own = options[self.section]
        address, idle = own.pop("endpoint"), own.pop("idle_timeout", None)
        made = ticket(configured(self.subject(), options, self.place), user)
        given = {"idle_timeout": idle} if idle else {}
        return {**made, "address": address, "options": {**self.asked(), **given}}

    def environment(self, user: str) -> dict[str, str]:
        return {**super().environment(user), "JUPYTERHUB_API_TOKEN": self.token(user)}

    def visit(self, link: str, user: str) -> int:
        """A browser, in which somebody has logged in at the hub."""
        return self.hub.login(user).get(f"{self.hub.url.rstrip('/')}{link}", timeout=60).status_code

    def sweep(self) -> None:
        """The broker ends its clusters: a part that is killed may come again."""
        for user in self.tokens:
            for name in self._ask("GET", user).json():
                self._ask("DELETE", user, name)
        deadline = time.monotonic() + 60 * self.patience
        while any(self._ask("GET", user).json() for user in self.tokens):
            assert time.monotonic() < deadline, "the broker does not end clusters"
            time.sleep(0.1)
        super().sweep()

    def _ask(self, method: str, user: str, name: str = "") -> requests.Response:
        return requests.request(
            method,
            f"{self.address}/api/v1/clusters/{name}",
            headers={"Authorization": f"jupyterhub {self.tokens[user]}"},
            timeout=60,
        )


class LocalBroker(ByBroker, OnThisMachine, ClusterSuite):
    """greyhub's own: processes of the hub's machine."""

    adapter = "greyhub.clusters.local_broker:LocalBrokerCluster"
    endpoint = "LocalBrokerCluster.endpoint"
    section = "LocalBrokerCluster"
    claims = {**Stranger.claims, "idle_timeout": {"LocalBrokerCluster.idle_timeout": 2.0}}

    def prepare(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="greyhub-broker-"))
        self.folder.chmod(0o755)
        self.breaking = self.folder / "breaking"
        self.breaking.mkdir()
        self.python = self.folder / "python"
        self.python.write_text(INTERPRETER.format(python=sys.executable, folder=str(self.breaking)))
        self.python.chmod(self.python.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        hub = BrokerHub(self.folder / "hub", OPTIONS.format(section=self.section))
        self.hub, self.port = hub.start(), hub.broker_port
        self.admit()

    def cleanup(self) -> None:
        self.hub.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/clusters"

    def config(self) -> dict[str, dict[str, Any]]:
        return {self.section: {"port": self.port, "endpoint": self.address}}

    def asked(self) -> dict[str, Any]:
        return {"python": str(self.python)}

    def alive(self) -> list[Part]:
        return [replace(part, labels=self._labels(part)) for part in super().alive()]

    def _labels(self, part: Part) -> dict[str, str]:
        said: dict[str, str] = {}
        with suppress(psutil.Error):
            said = psutil.Process(int(part.id)).environ() if part.id.isdigit() else {}
        hub, _, cluster = said.get(MARK, "").partition("/")
        return {"hub": hub, "user": said.get("USER", "") if cluster else "", "cluster": cluster}

    @contextmanager
    def fault(self, kind: str, room: int = 0) -> Iterator[Path]:
        with super().fault(kind, room) as folder:
            folder.chmod(0o777)
            what = {"full": "worker", "scheduler": "scheduler"}[kind]
            path = self.breaking / f"{what}.py"
            path.write_text((folder / "preload.py").read_text())
            try:
                yield folder
            finally:
                path.unlink()


class Kubernetes(ByBroker, ClusterSuite):
    """greyhub's own: pods of the cluster that KUBECONFIG names."""

    adapter = "greyhub.clusters.kubernetes:KubernetesCluster"
    endpoint = "KubernetesCluster.endpoint"
    section = "KubernetesCluster"
    patience = 4.0  # a pod takes seconds to start and to end
    claims = {**Stranger.claims, "idle_timeout": {"KubernetesCluster.idle_timeout": 2.0}}

    hindrance = staticmethod(clusters.missing)

    def prepare(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="greyhub-broker-"))
        self.cluster = clusters.Cluster(f"greyhub-conform-{secrets.token_hex(4)}")
        self.cluster.kubectl("create", "namespace", self.cluster.namespace)
        self.port = free_port()
        options = {
            "port": self.port,
            "api_port": free_port(),
            "dashboard_port": free_port(),
            "image": clusters.IMAGE,
            "worker_memory": "512 MiB",
            "pods": {
                "worker_cores_guarantee": 0.02,
                "worker_memory_guarantee": "200 M",
                "scheduler_cores_guarantee": 0.02,
                "scheduler_memory_guarantee": "200 M",
                "image_pull_policy": "IfNotPresent",
            },
        }
        text = PODS.format(
            host=clusters.HOST, namespace=self.cluster.namespace, image=clusters.IMAGE
        )
        text += 'c.GreyHub.cluster = "kubernetes"\n' + OPTIONS.format(section=self.section)
        text += "".join(f"c.{self.section}.{name} = {value!r}\n" for name, value in options.items())
        self.hub = Hub(self.folder / "hub", text).start()
        self.admit()

    def cleanup(self) -> None:
        self.hub.end()
        self.cluster.kubectl("delete", "namespace", self.cluster.namespace, "--wait=false")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self) -> str:
        return f"http://{clusters.HOST}:{self.port}/services/clusters"

    def config(self) -> dict[str, dict[str, Any]]:
        near = {"port": self.port, "connect_ip": clusters.HOST, "image": clusters.IMAGE}
        return {self.section: {**near, "endpoint": self.address}}

    def alive(self) -> list[Part]:
        said = self.cluster.kubectl("get", "pods,secrets", "-l", CLUSTER, "-o", "json")
        return [self._part(each) for each in json.loads(said)["items"]]

    def _part(self, thing: dict[str, Any]) -> Part:
        about = thing["metadata"]
        labels, marks = about["labels"], about.get("annotations", {})
        known = {"hub": HUB, "cluster": CLUSTER}
        shown = {name: labels.get(label, "") for name, label in known.items()}
        shown["user"] = marks.get(USER, labels.get(USER, ""))
        if thing["kind"] == "Secret":
            return Part(f"secret/{about['name']}", "secret", shown)
        [container] = thing["spec"]["containers"]
        kind = labels["app.kubernetes.io/component"].removeprefix("dask-")
        argv = [*container.get("command", ()), *container.get("args", ())]
        return Part(f"pod/{about['name']}", kind, shown, argv)

    def kill(self, part: Part) -> None:
        self.cluster.kubectl(
            "delete", part.id, "--grace-period=0", "--force", "--ignore-not-found", "--wait=false"
        )

    @contextmanager
    def fault(self, kind: str, room: int = 0) -> Iterator[None]:
        """``full``: the namespace's quota has no more pods; ``scheduler``: none at all."""
        pods = len(self.cluster.pods())
        most = {"full": pods + 1 + room, "scheduler": pods}[kind]
        self.cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "full"},
                "spec": {"hard": {"pods": str(most)}},
            }
        )
        try:
            yield
        finally:
            self.cluster.kubectl("delete", "resourcequota", "full")
