"""The chart's NetworkPolicies, enforced: connections between real pods come about as they say.

Needs a cluster whose network enforces policies; where it does not, the tests are skipped.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml

from tests.chart.helm import NO_HELM
from tests.chart.peers import allowed, cluster, named_ports, of_the_chart, server
from tests.chart.rendering import HELM, SETS, Object, Values, render, rendered
from tests.support.clusters import HOST, IMAGE, Cluster, missing
from tests.support.ports import free_port
from tests.support.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.kubernetes,
    pytest.mark.skipif(not HELM, reason=NO_HELM),
]

LISTEN = """
import socket, sys, threading
def serve(port):
    here = socket.create_server(("", port))
    while True:
        here.accept()[0].close()
for port in map(int, sys.argv[1:]):
    threading.Thread(target=serve, args=(port,)).start()
print("listening", flush=True)
threading.Event().wait()
"""

CONNECT = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def reaches(where):
    try:
        socket.create_connection(where, 3).close()
        return True
    except OSError:
        return False
with ThreadPoolExecutor(100) as pool:
    print(json.dumps(list(pool.map(reaches, map(tuple, json.loads(sys.argv[1]))))))
"""

DENY_ALL: Object = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "deny-all"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
}

PEERS: dict[str, tuple[str, list[int | str]]] = {
    "server": ("server", [8888]),
    "server-of-bob": ("server", [8888]),
    "scheduler": ("scheduler", [8786, 8787]),
    "worker-of-bob": ("worker", [8786]),
    "hub": ("hub", ["hub", "broker", "dashboards"]),
    "proxy": ("proxy", ["public", "api"]),
    "prepull": ("prepull", []),
    "placeholder": ("placeholder", []),
    "backup": ("backup", [443]),
    "test": ("test", []),
}
"""Pods, by name: what they are, and where they listen."""


class Target(NamedTuple):
    """Where a connection is tried to."""

    who: str
    """A pod's name, or an address."""
    port: int


class Ground:
    """A namespace with a pod for everybody."""

    def __init__(self, space: Cluster) -> None:
        self.space = space
        self.ports = named_ports(rendered("as it comes"))
        dasks = {"scheduler": cluster(), "worker": cluster("bob", "worker")}
        kinds = {**of_the_chart(), "server": server(), **dasks}
        self.labels = {name: kinds[what] for name, (what, _) in PEERS.items()}
        self.outside = Target(HOST, free_port())
        api = urlsplit(
            yaml.safe_load(space.kubectl("config", "view"))["clusters"][0]["cluster"]["server"]
        )
        service = json.loads(
            space.kubectl("-n", "default", "get", "service", "kubernetes", "-ojson")
        )
        nodes = space.get("nodes")
        self.node = next(
            each["address"]
            for each in nodes[0]["status"]["addresses"]
            if each["type"] == "InternalIP"
        )
        self.api = str(api.hostname)
        self.service = service["spec"]["clusterIP"]
        self.addresses = [
            Target(self.service, 443),
            Target(self.api, api.port or 443),
            Target(self.node, 10250),
            self.outside,
        ]
        self.targets = [
            Target(name, self.number(port)) for name, (_, ports) in PEERS.items() for port in ports
        ] + self.addresses

    def number(self, port: int | str) -> int:
        return self.ports[port] if isinstance(port, str) else port

    def start(self) -> None:
        """Make the pods, and wait until they listen."""
        for name, (_, ports) in PEERS.items():
            self.space.apply(self._pod(name, [self.number(each) for each in ports]))
        self.space.kubectl("wait", "pod", "--all", "--for=condition=Ready", "--timeout=120s")
        for name in PEERS:
            until(lambda name=name: "listening" in self.space.kubectl("logs", name), what=name)
        self.where = {
            each["metadata"]["name"]: each["status"]["podIP"] for each in self.space.pods()
        }

    def _pod(self, name: str, ports: list[int]) -> Object:
        container: Object = {
            "name": "main",
            "image": IMAGE,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-c", LISTEN, *map(str, ports)],
            "securityContext": {"runAsUser": 0},
            "ports": [{"containerPort": port} for port in ports],
        }
        if name in ("hub", "proxy"):
            names = {number: key for key, number in self.ports.items()}
            container["ports"] = [{"containerPort": port, "name": names[port]} for port in ports]
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": self.labels[name]},
            "spec": {
                "containers": [container],
                "terminationGracePeriodSeconds": 0,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
            },
        }

    def pairs(self) -> Iterator[tuple[str, Target]]:
        """Who tries what: every pod every other's port and each address, and who is outside."""
        for source in (*PEERS, HOST):
            for target in self.targets:
                inside = target.who in PEERS
                if source != target.who and (source in PEERS or inside):
                    yield source, target

    def tried(self) -> dict[tuple[str, Target], bool]:
        """Which connections come about."""
        found: dict[tuple[str, Target], bool] = {}
        for source in (*PEERS, HOST):
            targets = [target for who, target in self.pairs() if who == source]
            where = [(self.where.get(each.who, each.who), each.port) for each in targets]
            program = ("-c", CONNECT, json.dumps(where))
            if source == HOST:
                said = subprocess.check_output([sys.executable, *program], text=True)
            else:
                said = self.space.kubectl("exec", source, "--", "python3", *program)
            done = json.loads(said)
            found |= {(source, target): each for target, each in zip(targets, done, strict=True)}
        return found

    def foretold(self, objects: list[Object]) -> dict[tuple[str, Target], bool]:
        """Which ones the policies allow, as the simulator reads them."""
        peer: dict[str, Any] = {**self.labels}
        return {
            (source, target): allowed(
                objects, peer.get(source, source), peer.get(target.who, target.who), target.port
            )
            for source, target in self.pairs()
        }

    def agrees(self, wanted: dict[tuple[str, Target], bool]) -> None:
        """Wait until connections come about as is wanted."""
        wrong: dict[Any, bool] = {}

        def none_is_wrong() -> bool:
            wrong.clear()
            wrong.update({k: v for k, v in self.tried().items() if v is not wanted[k]})
            return not wrong

        with suppress(TimeoutError):
            until(none_is_wrong, 20)
        assert wrong == {}


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """The pods; without policies all reach all, and with one that denies all, nobody does."""
    if why := missing():
        pytest.skip(why)
    space = Cluster(f"greyhub-policies-{secrets.token_hex(4)}")
    space.kubectl("create", "namespace", space.namespace)
    try:
        made = Ground(space)
        with socket.create_server((HOST, made.outside.port)) as outside:
            threading.Thread(target=answer, args=(outside,), daemon=True).start()
            made.start()
            made.agrees(dict.fromkeys(made.pairs(), True))
            space.apply(DENY_ALL)
            try:
                until(lambda: not any(made.tried().values()), 15)
            except TimeoutError:
                pytest.skip("the cluster's network enforces no NetworkPolicy")
            space.kubectl("delete", "networkpolicy", "--all")
            yield made
    finally:
        space.kubectl("delete", "namespace", space.namespace, "--wait=false")


def answer(listening: socket.socket) -> None:
    with suppress(OSError):
        while True:
            listening.accept()[0].close()


def blocked(ground: Ground) -> Values:
    """Values by which this machine, whose address is a private one, is outside."""
    inside = [f"{each}/32" for each in (ground.api, ground.service, ground.node)]
    return {**SETS["as it comes"], "networkPolicy": {"blocked": ["10.244.0.0/16", *inside]}}


@pytest.mark.parametrize("private", [True, False], ids=["blocked", "outside"])
def test_connections_come_about_as_the_policies_say(ground: Ground, private: bool) -> None:
    objects = render(SETS["as it comes"] if private else blocked(ground))
    wanted = ground.foretold(objects)
    assert wanted["server", ground.outside] is not private
    ground.space.kubectl("delete", "networkpolicy", "--all")
    for each in objects:
        if each["kind"] == "NetworkPolicy":
            ground.space.apply(each)
    ground.agrees(wanted)
    for address in ground.addresses[:3]:
        assert not wanted["server", address]
        assert not wanted["scheduler", address]


def test_names_are_found_by_servers(ground: Ground) -> None:
    ask = "import socket; print(socket.gethostbyname('kubernetes.default.svc.cluster.local'))"
    assert ground.service in ground.space.kubectl("exec", "server", "--", "python3", "-c", ask)
