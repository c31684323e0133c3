"""What happens to pods and clusters: outages, eviction, memory, nodes, volumes. None is lost."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.kubernetes.test_servers import refused
from tests.support.clusters import HOST, ApiProxy, Cluster
from tests.support.hubs import Hub
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

Start = Callable[..., Hub]

OUTAGE = float(os.environ.get("GREYHUB_TESTS_OUTAGE", "30"))
"""Seconds for which the API server is away; an hour is as good."""

USERS = ["ada", "grace", "alan", "emmy", "kurt"]

QUICK = "c.Spawner.poll_interval = 2\nc.PodSpawner.delete_grace_period = 3\n"


@pytest.mark.timeout(2 * OUTAGE + 10 * MINUTE)
@pytest.mark.parametrize("how", ["refuse", "hang", "503", "429"])
def test_an_outage_under_five_servers_with_a_restart(
    pods_hub: Start, cluster: Cluster, api: ApiProxy, how: str
) -> None:
    hub = pods_hub(QUICK + "c.PodSpawner.k8s_api_request_retry_timeout = 5\n")
    for user in USERS:
        hub.spawn(user)
    before = cluster.uids()
    api.away(how)
    pause = threading.Event()
    pause.wait(OUTAGE / 2)
    hub.stop(signal.SIGKILL)
    hub.start()
    pause.wait(OUTAGE / 2)
    api.back()
    for user in USERS:
        until(lambda user=user: (hub.server(user) or {}).get("ready"), 120, f"{user}'s server")
        assert hub.answers(user)
    assert cluster.uids() == before
    for user in USERS:
        hub.stop_server(user)
    assert cluster.get("pods") == []


def test_a_pod_that_is_evicted(pods_hub: Start, cluster: Cluster) -> None:
    """As a node that is drained does it, and as one that runs out of memory does."""
    hub = pods_hub(QUICK)
    hub.spawn("ada")
    [pod] = cluster.pods()
    name = pod["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    cluster.kubectl(
        "create",
        "--raw",
        f"/api/v1/namespaces/{cluster.namespace}/pods/{name}/eviction",
        "-f",
        "-",
        given=json.dumps(eviction),
    )
    until(lambda: hub.server("ada") is None, what="the hub's notice")
    until(lambda: cluster.get("pods") == [], what="the end of its pod")
    hub.spawn("ada")
    status = {
        "phase": "Failed",
        "reason": "Evicted",
        "message": "The node was low on resource: memory.",
    }
    patch = json.dumps({"status": status})
    cluster.kubectl("patch", "pod", name, "--subresource=status", "--type=merge", "-p", patch)
    until(lambda: hub.server("ada") is None, what="the hub's notice")
    until(lambda: cluster.get("pods") == [], what="the end of its pod")
    said = "the node took the server away: The node was low on resource: memory."
    assert said in hub.log.read_text()
    hub.spawn("ada")


GREEDY = """
import os, threading, time
def eat():
    while not os.path.exists("/tmp/eat"):
        time.sleep(0.1)
    kept = [bytearray(2**26) for _ in range(2**10)]
threading.Thread(target=eat, daemon=True).start()
from greyhub.singleuser import main
main()
"""


def test_a_server_that_is_killed_for_memory(pods_hub: Start, cluster: Cluster) -> None:
    hub = pods_hub(
        QUICK + f"c.Spawner.cmd = ['python', '-c', {GREEDY!r}]\nc.Spawner.mem_limit = '500M'\n"
        "c.Spawner.mem_guarantee = '100M'\n"
    )
    hub.spawn("ada")
    [pod] = cluster.pods()
    cluster.kubectl("exec", pod["metadata"]["name"], "--", "touch", "/tmp/eat")
    until(lambda: hub.server("ada") is None, 120, what="the hub's notice")
    until(lambda: cluster.get("pods") == [], what="the end of its pod")
    assert "killed for memory: it used more than its limit of 0.5 GiB" in hub.log.read_text()


class Notebook(BaseHTTPRequestHandler):
    """What stands for a server on a node that is not there."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.timeout(10 * MINUTE)
def test_a_node_that_does_not_answer(pods_hub: Start, cluster: Cluster) -> None:
    """A node without a machine: once its pods have run, they may run on, and nobody knows."""
    web = ThreadingHTTPServer((HOST, 0), Notebook)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    node = f"gone-{cluster.namespace}"
    cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})
    config = f"""
c.PodSpawner.port = {web.server_address[1]}
c.PodSpawner.extra_pod_config = {{"nodeName": {node!r}, "restartPolicy": "Never"}}
c.PodSpawner.tolerations = [{{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}}]
from greyhub.spawners import pod_spawner
pod_spawner.MARGIN_TO_END = 5
from greyhub import spawner_class
spawner_class.PAUSES = (0.5,)
"""
    try:
        hub = pods_hub(QUICK + config)
        hub.api("POST", "users/ada")
        hub.api("POST", "users/ada/server")
        until(lambda: cluster.get("pods"), what="the pod")
        [pod] = cluster.get("pods")
        name = pod["metadata"]["name"]
        started = {"image": "none", "imageID": "", "restartCount": 0, "started": True}
        started |= {"name": "notebook", "ready": True, "state": {"running": {}}}
        status = {
            "phase": "Running",
            "podIP": HOST,
            "podIPs": [{"ip": HOST}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [started],
        }
        patch = json.dumps({"status": status})
        cluster.kubectl("patch", "pod", name, "--subresource=status", "--type=merge", "-p", patch)
        until(lambda: (hub.server("ada") or {}).get("ready"), what="the server")

        def taken() -> bool:
            return "deletionTimestamp" in cluster.get("pods")[0]["metadata"]

        until(taken, 4 * MINUTE, "the controller that gives the node up")
        assert hub.server("ada"), "a node that does not answer may run its server"
        hub.api("DELETE", "users/ada/server")
        until(lambda: "does not answer, and may still run it" in hub.log.read_text(), what="words")
        assert len(cluster.get("pods")) == 1
        cluster.kubectl("delete", "node", node)
        until(lambda: cluster.get("pods") == [], 2 * MINUTE, "the end of the pod")
    finally:
        web.shutdown()
        cluster.kubectl("delete", "node", node, "--ignore-not-found")


def test_a_claim_that_never_binds_is_said(pods_hub: Start, cluster: Cluster) -> None:
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "home"},
            "spec": {
                "storageClassName": "no-such-class",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
    )
    hub = pods_hub(
        QUICK + "c.Spawner.start_timeout = 20\n"
        'c.PodSpawner.volumes = [{"name": "home", "persistentVolumeClaim": '
        '{"claimName": "home"}}]\n'
        'c.PodSpawner.volume_mounts = [{"name": "home", "mountPath": "/home/jovyan"}]\n'
    )
    message = refused(hub, "ada")
    assert "the home's volume is not there yet" in message
    assert "fix:" in message
    until(lambda: cluster.get("pods") == [], what="the end of what did not start")
    assert cluster.get("pvc"), "a claim is never deleted by a start that fails"
