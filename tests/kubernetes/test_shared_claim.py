"""Homes that are directories of one claim of a real cluster, and go with their users."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from greyhub.homespace.shared_claim import COMPONENT
from tests.kubernetes.test_homes import HOMES, KEPT, READ, WRITE, live, python
from tests.support.clusters import IMAGE, ApiProxy, Cluster
from tests.support.hubs import Hub
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

Start = Callable[..., Hub]

SHARED = HOMES + 'c.KubernetesHomespace.shared_claim = "homes"\n'
OWNED = f"c.KubernetesHomespace.owner_image = {IMAGE!r}\n"
TODAY = f"{datetime.now(UTC):%Y-%m-%d}"

LINKS = """
import os
os.makedirs("/home/jovyan/deep/er")
open("/home/jovyan/deep/er/file", "w").close()
os.chmod("/home/jovyan/deep/er", 0o500)
os.symlink("/volume/grace", "/home/jovyan/by-name")
os.symlink("../grace", "/home/jovyan/beside")
os.symlink("/etc", "/home/jovyan/etc")
"""


@pytest.fixture
def volume(cluster: Cluster) -> Callable[[str], str]:
    """The shared claim; what a program says in a pod that has all of it."""
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "10Mi"}}}
    about = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "homes"}}
    cluster.apply({**about, "spec": spec})
    container = {
        "name": "looks",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "86400"],
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": "homes", "mountPath": "/volume"}],
    }
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "looks"},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [container],
                "volumes": [{"name": "homes", "persistentVolumeClaim": {"claimName": "homes"}}],
            },
        }
    )
    cluster.kubectl("wait", "--for=condition=Ready", "pod/looks", "--timeout=120s")
    return lambda script: cluster.kubectl("exec", "looks", "--", "sh", "-c", script)


def removals(cluster: Cluster) -> list[dict[str, Any]]:
    """The pods that remove homes, also those that are going."""
    return [
        each
        for each in cluster.get("pods")
        if each["metadata"].get("labels", {}).get("app.kubernetes.io/component") == COMPONENT
    ]


def filled(hub: Hub, cluster: Cluster, *users: str) -> None:
    """Homes with something in them, whose servers have stopped."""
    for user in users:
        hub.spawn(user)
        python(cluster, WRITE, user)
        if user == users[0]:
            python(cluster, LINKS, user)
        hub.stop_server(user)


def command(hub: Hub, *arguments: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "greyhub.cli", "home", *arguments, "-f", str(hub.file)],
        capture_output=True,
        text=True,
        timeout=3 * MINUTE,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def known(hub: Hub) -> dict[str, str]:
    return dict(json.loads((Path(hub.state) / "hub/homes.json").read_text()))


@pytest.mark.parametrize("owned", ["", OWNED], ids=["as the servers", "as root"])
@pytest.mark.parametrize("deletion", ["keep", "trash", "remove"])
def test_what_becomes_of_a_directory_whose_user_is_deleted(
    pods_hub: Start, cluster: Cluster, volume: Any, deletion: str, owned: str
) -> None:
    if not owned:  # storage that heeds no fs_gid: the administrator has given it to the servers
        volume("chmod 777 /volume")
    hub = pods_hub(f"{SHARED}{owned}c.KubernetesHomespace.deletion = {deletion!r}\n")
    if not owned:
        volume("mkdir /volume/ada /volume/grace && chown 1000:1000 /volume/*")
    filled(hub, cluster, "ada", "grace")
    hub.api("DELETE", "users/ada")
    there = volume("cd /volume && find . -mindepth 1 -name by-hub.txt").split()
    assert "./grace/by-hub.txt" in there
    wanted = {"keep": ["./ada/by-hub.txt"], "trash": [f"./.trash/{TODAY}/ada/by-hub.txt"]}
    assert sorted(there) == sorted(["./grace/by-hub.txt", *wanted.get(deletion, [])])
    assert volume("test -e /etc/passwd && ls /volume/grace").split()
    assert ("ada" in known(hub)) == (deletion == "keep"), hub.log.read_text()[-6000:]
    assert not removals(cluster)
    if deletion == "trash":
        assert "700" in volume("stat -c %a /volume/.trash")
        place = f"pvc://{cluster.namespace}/homes"
        command(hub, "copy", f"{place}/.trash/{TODAY}/ada", f"{place}/ada")
        hub.spawn("ada")
        assert python(cluster, READ) == KEPT


def test_what_the_pod_may_not_do_is_said_and_the_home_stays(
    pods_hub: Start, cluster: Cluster, volume: Any
) -> None:
    """The top of the volume is root's alone, and there is no owner_image."""
    hub = pods_hub(f"{SHARED}c.KubernetesHomespace.deletion = 'trash'\n")
    volume("mkdir /volume/ada && chown 1000:1000 /volume/ada && chmod 755 /volume")
    filled(hub, cluster, "ada")
    said = command(hub, "delete", "ada", status=1)
    assert "Permission denied" in said
    assert "c.KubernetesHomespace.owner_image" in said
    assert volume("ls /volume/ada/by-hub.txt")
    assert "ada" in known(hub)
    hub.api("DELETE", "users/ada")
    until(lambda: "Permission denied" in hub.log.read_text(), what="the word of the log")
    assert volume("ls /volume/ada/by-hub.txt")
    assert not removals(cluster)


def test_files_of_other_uids_are_removed_by_root_alone(
    pods_hub: Start, cluster: Cluster, volume: Any
) -> None:
    hub = pods_hub(f"{SHARED}{OWNED}c.KubernetesHomespace.deletion = 'remove'\n")
    filled(hub, cluster, "ada")
    volume("mkdir -p /volume/ada/theirs/deep && chmod 700 /volume/ada/theirs && id -u")
    volume("touch /volume/ada/theirs/deep/x && chown -R 4242:4242 /volume/ada/theirs")
    hub.api("DELETE", "users/ada")
    assert "ada" not in volume("ls -A /volume")
    assert not volume("find /volume/.trash -mindepth 2")


def test_a_home_that_a_pod_has_stays(pods_hub: Start, cluster: Cluster, volume: Any) -> None:
    hub = pods_hub(f"{SHARED}{OWNED}c.KubernetesHomespace.deletion = 'remove'\n")
    filled(hub, cluster, "ada")
    container = {
        "name": "worker",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "86400"],
        "volumeMounts": [{"name": "home", "mountPath": "/home/jovyan", "subPath": "ada"}],
    }
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "worker"},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [container],
                "volumes": [{"name": "home", "persistentVolumeClaim": {"claimName": "homes"}}],
            },
        }
    )
    assert "is mounted in the pods worker: it stays" in command(hub, "delete", "ada", status=1)
    assert volume("ls /volume/ada/by-hub.txt")
    cluster.kubectl("delete", "pod", "worker", "--wait=false")
    assert command(hub, "delete", "ada", "--for-good") == "ada: no home is there\n"
    assert "ada" not in volume("ls -A /volume")


MOMENTS = [
    "GET /persistentvolumeclaims/homes",
    "GET /pods?",
    "POST /pods",
    "GET /pods/remove-home",
    "GET /log",
    "DELETE /pods/remove-home",
]


@pytest.mark.parametrize("deletion", ["trash", "remove"])
@pytest.mark.parametrize("after", MOMENTS)
def test_a_hub_that_is_killed_while_a_home_is_removed(
    pods_hub: Start, cluster: Cluster, api: ApiProxy, volume: Any, after: str, deletion: str
) -> None:
    """Killed as the API server has done what it asked for; then the user is deleted again."""
    method, _, path = after.partition(" ")
    hub = pods_hub(f"{SHARED}{OWNED}c.KubernetesHomespace.deletion = {deletion!r}\n")
    filled(hub, cluster, "ada", "grace")
    killed: list[str] = []

    def kill(request: Any) -> str | None:
        if request.method == method and path in request.path_qs and not killed:
            killed.append(after)
            return "lose"
        return "refuse" if killed else None

    api.rules = [kill]
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(hub.api, "DELETE", "users/ada")
        until(lambda: killed, what=after)
        hub.stop(signal.SIGKILL)
        assert asked.exception()
    api.back()
    hub.start()
    until(lambda: not removals(cluster), what="the end of what the first hub began")
    assert "ada" in {each["name"] for each in hub.api("GET", "users")}
    hub.api("DELETE", "users/ada")
    assert volume("ls -A /volume").split() == [".trash", "grace"]
    found = volume("find /volume/.trash -name by-hub.txt").split()
    assert found == ([f"/volume/.trash/{TODAY}/ada/by-hub.txt"] if deletion == "trash" else [])
    assert "ada" not in known(hub)
    assert not removals(cluster)
    hub.spawn("ada")
    assert python(cluster, "import os; print(os.listdir('/home/jovyan'))").startswith("[")
    assert "by-hub.txt" not in volume("ls -A /volume/ada")


def test_a_start_ends_a_pod_that_would_remove_the_home_under_it(
    pods_hub: Start, cluster: Cluster, volume: Any
) -> None:
    """A command was killed whose pod has not begun: the node had no room."""
    hub = pods_hub(f"{SHARED}{OWNED}c.KubernetesHomespace.deletion = 'remove'\n")
    filled(hub, cluster, "ada")
    node = json.loads(cluster.kubectl("get", "nodes", "-o", "json"))["items"][0]
    assert node
    held = hub.file.read_text()
    gone = re.sub(r"(c\.PodSpawner\.image = ).*", r"\1'localhost/nowhere:1'", held)
    hub.file.write_text(gone)
    process = subprocess.Popen(
        [sys.executable, "-m", "greyhub.cli", "home", "delete", "ada", "-f", str(hub.file)]
    )
    until(lambda: removals(cluster), what="the pod")
    process.send_signal(signal.SIGKILL)
    process.wait()
    hub.file.write_text(held)
    assert removals(cluster)
    hub.spawn("ada")
    assert not removals(cluster)
    assert python(cluster, READ) == KEPT


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_ended_leaves_no_pod(
    pods_hub: Start, cluster: Cluster, volume: Any, how: signal.Signals
) -> None:
    hub = pods_hub(SHARED + OWNED)
    filled(hub, cluster, "ada")
    hub.file.write_text(
        re.sub(r"(c\.PodSpawner\.image = ).*", r"\1'host.test/nowhere:1'", hub.file.read_text())
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "greyhub.cli", "home", "delete", "ada", "-f", str(hub.file)]
    )
    until(lambda: removals(cluster), what="the pod")
    process.send_signal(how)
    process.wait(2 * MINUTE)
    assert process.returncode != 0
    assert not removals(cluster)
    assert volume("ls /volume/ada/by-hub.txt")
    assert "ada" in known(hub)


def test_two_commands_and_a_hub_at_once(pods_hub: Start, cluster: Cluster, volume: Any) -> None:
    hub = pods_hub(f"{SHARED}{OWNED}c.KubernetesHomespace.deletion = 'trash'\n")
    filled(hub, cluster, "ada", "grace")
    line = [sys.executable, "-m", "greyhub.cli", "home", "delete", "ada", "-f", str(hub.file)]
    commands = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    hub.api("DELETE", "users/ada")
    said = [each.communicate(timeout=3 * MINUTE)[0] for each in commands]
    for each in said:  # whose place was taken says so, and may be called again
        assert re.search(r"trash|no home is there|by others", each), said
    command(hub, "delete", "ada")
    assert volume("ls -A /volume").split() == [".trash", "grace"]
    assert volume("find /volume/.trash -name by-hub.txt").split() == [
        f"/volume/.trash/{TODAY}/ada/by-hub.txt"
    ]
    assert not removals(cluster)


def test_it_works_where_the_restricted_standard_is_enforced(
    pods_hub: Start, cluster: Cluster, volume: Any
) -> None:
    hub = pods_hub(f"{SHARED}c.KubernetesHomespace.deletion = 'remove'\n")
    volume("chmod 777 /volume; mkdir /volume/ada; chown 1000:1000 /volume/ada")
    filled(hub, cluster, "ada")
    label = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", cluster.namespace, label)
    quota = {"hard": {"requests.memory": "8Gi", "limits.memory": "8Gi", "pods": "9"}}
    about = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "some"}}
    cluster.apply({**about, "spec": quota})
    hub.api("DELETE", "users/ada")
    assert "ada" not in volume("ls -A /volume").split()
    hub.stop()
    hub.file.write_text(hub.file.read_text().replace("import greyhub", OWNED + "import greyhub"))
    volume("mkdir /volume/grace")
    said = command(hub, "delete", "grace", status=1)
    assert "the cluster does not allow it" in said
    assert "runAsNonRoot" in said


def test_a_full_quota_and_missing_rights_are_said(
    pods_hub: Start, cluster: Cluster, volume: Any
) -> None:
    hub = pods_hub(f"{SHARED}{OWNED}c.KubernetesHomespace.deletion = 'remove'\n")
    assert "the hub may remove homes from the shared claim" in live(hub)
    filled(hub, cluster, "ada")
    about = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}}
    cluster.apply({**about, "spec": {"hard": {"pods": "1"}}})
    said = command(hub, "delete", "ada", status=1)
    assert "the quota of the platform's namespace is used up" in said
    assert volume("ls /volume/ada/by-hub.txt")
    assert "ada" in known(hub)
