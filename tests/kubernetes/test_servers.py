"""Servers in pods of a real cluster: none is lost, none is left, and what fails is said."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.support.clusters import IMAGE, ApiProxy, Cluster, once
from tests.support.hubs import Hub
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

Start = Callable[..., Hub]


def start_events(hub: Hub, user: str) -> list[dict[str, Any]]:
    """What the page that shows a start is told, to its end."""
    stream = requests.get(
        f"{hub.url}hub/api/users/{user}/server/progress",
        headers={"Authorization": f"token {hub.token}"},
        timeout=5 * MINUTE,
    )
    return [json.loads(line[6:]) for line in stream.text.splitlines() if line[:6] == "data: "]


def refused(hub: Hub, user: str) -> str:
    """What the page says of a start that failed."""
    hub.api("POST", f"users/{user}")
    with requests.post(
        f"{hub.url}hub/api/users/{user}/server",
        headers={"Authorization": f"token {hub.token}"},
        timeout=5 * MINUTE,
    ) as asked:
        if not asked.ok:
            return asked.text
    events = start_events(hub, user)
    assert events[-1].get("failed"), events
    return str(events[-1]["message"])


def progress(hub: Hub, user: str) -> list[str]:
    hub.api("POST", f"users/{user}")
    hub.api("POST", f"users/{user}/server")
    events = start_events(hub, user)
    assert events[-1].get("ready"), events
    return [each["message"] for each in events]


def notebook(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in pod["spec"]["containers"] if each["name"] == "notebook"
    )
    return found


def test_a_server_from_its_start_to_its_end(pods_hub: Start, cluster: Cluster) -> None:
    hub = pods_hub('c.Spawner.environment = {"ODD": "$(HOME) {x} \\"quoted\\" 1=2 é, %n"}')
    said = progress(hub, "ada")
    assert "There is room for the server." in said
    assert "The server starts…" in said
    assert hub.answers("ada")
    [pod] = cluster.get("pods")
    # Nothing secret can be read by who may look at pods, and nothing is expanded on its way.
    token = re.compile(r"[0-9a-f]{32}")
    assert not any(token.fullmatch(str(each.get("value"))) for each in notebook(pod).get("env", ()))
    shown = cluster.kubectl("exec", pod["metadata"]["name"], "--", "env")
    assert 'ODD=$(HOME) {x} "quoted" 1=2 é, %n' in shown.splitlines()
    assert "GREYHUB_SPAWNER=" in shown
    # It has no rights that it does not need.
    security = notebook(pod)["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert "memory" in notebook(pod)["resources"]["limits"]
    before = cluster.uids()
    hub.stop(signal.SIGKILL)
    hub.start()
    until(lambda: hub.answers("ada"), what="the server, after the hub was killed")
    assert cluster.uids() == before
    hub.stop_server("ada")
    assert cluster.get("pods") == []
    assert [each["metadata"]["name"] for each in cluster.get("secrets")] == []


def test_an_api_server_that_is_away_costs_no_server(
    pods_hub: Start, cluster: Cluster, api: ApiProxy
) -> None:
    hub = pods_hub("c.PodSpawner.k8s_api_request_retry_timeout = 5")
    for user in ("ada", "grace"):
        hub.spawn(user)
    before = cluster.uids()
    api.away()
    assert hub.answers("ada")
    hub.stop(signal.SIGKILL)
    hub.start()  # JupyterHub would take a poll that raises for the end of both
    until(lambda: "it is not known whether" in hub.log.read_text(), what="the hub's question")
    api.back()
    for user in ("ada", "grace"):
        until(lambda user=user: (hub.server(user) or {}).get("ready"), what="a server, found again")
        assert hub.answers(user)
    assert cluster.uids() == before
    # A stop goes on until the server is gone.
    api.away()
    hub.api("DELETE", "users/ada/server")
    until(lambda: "stopping it again" in hub.log.read_text(), what="a stop that fails")
    api.back()
    until(lambda: hub.server("ada") is None, what="the end")
    assert len(cluster.pods()) == 1


def test_a_create_whose_reply_was_lost_is_adopted(
    pods_hub: Start, cluster: Cluster, api: ApiProxy
) -> None:
    hub = pods_hub()
    api.rules = [
        once("lose", lambda each: each.method == "POST" and each.path.endswith("/pods")),
        once("429", lambda each: each.method == "POST" and each.path.endswith("/secrets")),
        once("503", lambda each: each.method == "POST" and each.path.endswith("/secrets")),
    ]
    hub.spawn("ada")
    assert len(cluster.get("pods")) == 1
    made = [path for method, path in api.requests if method == "POST" and path.endswith("/pods")]
    assert len(made) == 2
    assert not [path for method, path in api.requests if method == "DELETE"]
    assert hub.answers("ada")
    hub.stop_server("ada")
    assert cluster.get("pods") == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('c.PodSpawner.image = "localhost/nowhere:1"', "the image localhost/nowhere:1 cannot be"),
        ('c.PodSpawner.image = "not an image"', "cannot be pulled"),
        ('c.Spawner.cmd = ["no-such-command"]', "no-such-command"),
        (
            'c.Spawner.cmd = ["sh", "-c", "echo the last words; exit 3"]',
            "the server ended with status 3",
        ),
        (
            f'c.PodSpawner.init_containers = [{{"name": "fetch", "image": "{IMAGE}", '
            '"command": ["sh", "-c", "echo no such data; exit 4"]}]',
            "the init container 'fetch' failed with status 4",
        ),
    ],
)
def test_why_a_server_does_not_start_is_said(
    pods_hub: Start, cluster: Cluster, config: str, said: str
) -> None:
    hub = pods_hub(f"{config}\nc.Spawner.start_timeout = 30")
    message = refused(hub, "ada")
    assert said in message
    assert "fix:" in message
    until(lambda: cluster.get("pods") == [], what="the end of what did not start")
    until(lambda: cluster.get("secrets") == [], what="the end of its Secret")


def test_no_room_and_no_quota_are_said(pods_hub: Start, cluster: Cluster) -> None:
    hub = pods_hub(
        "c.Spawner.start_timeout = 20\nc.Spawner.mem_guarantee = '900G'\n"
        "c.Spawner.mem_limit = '900G'"
    )
    assert "no node has room for the server" in refused(hub, "ada")
    until(lambda: cluster.get("pods") == [], what="the end of what did not start")
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "small"},
            "spec": {"hard": {"pods": "0"}},
        }
    )
    assert "quota of the platform's namespace is used up" in refused(hub, "grace")


def test_a_server_that_ends_is_noticed_and_leaves_nothing(
    pods_hub: Start, cluster: Cluster
) -> None:
    hub = pods_hub("c.Spawner.poll_interval = 1")
    hub.spawn("ada")
    [pod] = cluster.pods()
    cluster.kubectl("exec", pod["metadata"]["name"], "--", "sh", "-c", "kill 1")
    until(lambda: hub.server("ada") is None, what="the hub's notice")
    until(lambda: cluster.get("pods") == [], what="the end of its pod")
    hub.spawn("ada")
    [pod] = cluster.pods()
    cluster.kubectl("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force")
    until(lambda: hub.server("ada") is None, what="the hub's notice")
    assert cluster.get("pods") == []


def test_greyhub_check_asks_the_cluster(pods_hub: Start, cluster: Cluster, api: ApiProxy) -> None:
    hub = pods_hub()

    def checked() -> str:
        command = [sys.executable, "-m", "greyhub.cli", "check", "--live", "-f", str(hub.file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * MINUTE)
        return done.stdout + done.stderr

    assert "seen once a server runs" in checked()
    hub.spawn("ada")
    [pod] = cluster.pods()
    said = checked()
    assert "Kubernetes v" in said
    assert f"the hub may make and end pods in the namespace {cluster.namespace}" in said
    assert f"pods are reached from here, at {pod['status']['podIP']}" in said
    assert "1 servers of this hub run" in said
    hub.stop(signal.SIGKILL)
    (hub.state / "hub/jupyterhub.sqlite").unlink()
    said = checked()
    assert f"pods of this hub that it does not know: {pod['metadata']['name']}" in said
    api.away()
    assert "error    spawner: the Kubernetes API server: " in checked()


STOCK = """
del c.PodSpawner
c.GreyHub.spawner = "kubespawner.KubeSpawner"
c.KubeSpawner.namespace = {namespace!r}
c.KubeSpawner.image = {image!r}
c.KubeSpawner.image_pull_policy = "IfNotPresent"
c.KubeSpawner.uid = 1000
"""


def test_kubespawner_plugs_in_as_it_is(pods_hub: Start, cluster: Cluster) -> None:
    """It formats the environment, which tickets come through."""
    hub = pods_hub(STOCK.format(namespace=cluster.namespace, image=IMAGE))
    hub.spawn("ada")
    [pod] = cluster.pods()
    code = "import greyhub; print(greyhub.connect().user)"
    name = pod["metadata"]["name"]
    assert cluster.kubectl("exec", name, "--", "python", "-c", code) == "ada\n"
    hub.stop_server("ada")
    assert cluster.get("pods") == []
