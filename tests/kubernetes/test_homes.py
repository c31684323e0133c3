"""Homes on claims of a real cluster: one for each user, kept, grown, and taken away as asked."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from greyhub.conformance.result import Outcome, Report
from greyhub.kubernetes.claims import TRASHED, USER
from tests.conformance.homespace import claim_pods
from tests.kubernetes.test_servers import STOCK, notebook, refused
from tests.support.clusters import IMAGE, ApiProxy, Cluster, once
from tests.support.hubs import Hub
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

Start = Callable[..., Hub]

HOMES = """
c.GreyHub.homespace = "kubernetes"
c.KubernetesHomespace.size = "10Mi"
"""


@pytest.fixture
def homes_hub(pods_hub: Start) -> Start:
    return lambda config="": pods_hub(HOMES + config)


@pytest.fixture
def growing(cluster: Cluster) -> Iterator[str]:
    """A storage class like the default one, whose claims may grow."""
    classes = json.loads(cluster.kubectl("get", "storageclass", "-o", "json"))["items"]
    mark = "storageclass.kubernetes.io/is-default-class"
    like = next(each for each in classes if each["metadata"]["annotations"].get(mark) == "true")
    name = f"greyhub-{secrets.token_hex(4)}"
    kept = ("apiVersion", "kind", "provisioner", "parameters", "volumeBindingMode")
    made = {key: value for key, value in like.items() if key in kept}
    cluster.apply({**made, "metadata": {"name": name}, "allowVolumeExpansion": True})
    yield name
    cluster.kubectl("delete", "storageclass", name)


def python(cluster: Cluster, code: str, user: str = "ada") -> str:
    """What a program says in a user's server."""
    [pod] = [
        each
        for each in cluster.pods()
        if each["metadata"]["annotations"].get(USER) == user
        and each["metadata"]["labels"].get("component") == "singleuser-server"
    ]
    name = pod["metadata"]["name"]
    return cluster.kubectl("exec", name, "-c", "notebook", "--", "python", "-c", code)


WRITE = """
import greyhub, pathlib
home = greyhub.connect().home
home.pipe("by-hub.txt", b"one")
pathlib.Path("~/by-home.txt").expanduser().write_text("two")
print(home.glob("*.txt"))
"""

READ = """
import greyhub
home = greyhub.connect().home
print([home.cat(name) for name in ("by-hub.txt", "by-home.txt")])
"""

LOOK = """
import os, pathlib
home = pathlib.Path("/home/jovyan")
print(oct(home.stat().st_mode), home.stat().st_uid, list(home.glob("*.txt")))
"""

KEPT = "[b'one', b'two']\n"


def claims(cluster: Cluster) -> dict[str, dict[str, Any]]:
    found = cluster.get("persistentvolumeclaims")
    return {each["metadata"]["name"]: each for each in found}


def size(claim: dict[str, Any]) -> str:
    return str(claim["spec"]["resources"]["requests"]["storage"])


def test_a_home_outlives_its_servers_and_the_hub(homes_hub: Start, cluster: Cluster) -> None:
    hub = homes_hub(
        "c.JupyterHub.allow_named_servers = True\n"
        'c.KubeSpawner.volumes = {"own": {"name": "own", "emptyDir": {}}}\n'
        'c.KubeSpawner.volume_mounts = {"own": {"name": "own", "mountPath": "/scratch"}}'
    )
    hub.spawn("ada")
    [(name, claim)] = claims(cluster).items()
    assert claim["status"]["phase"] == "Bound"
    [pod] = cluster.pods()
    mounts = {each["mountPath"]: each["name"] for each in notebook(pod)["volumeMounts"]}
    assert mounts["/home/jovyan"] == "greyhub-home"
    assert mounts["/scratch"] == "own"
    assert python(cluster, WRITE) == "['by-home.txt', 'by-hub.txt']\n"
    hub.stop_server("ada")
    hub.stop(signal.SIGKILL)
    hub.start()
    hub.spawn("ada")
    assert python(cluster, READ) == KEPT
    hub.spawn("ada", "second")  # a user has one home, whichever server
    assert list(claims(cluster)) == [name]
    hub.spawn("grace")
    assert len(claims(cluster)) == 2
    assert python(cluster, LOOK, "grace").endswith(" []\n")


@pytest.mark.parametrize("deletion", ["keep", "trash", "remove"])
def test_what_becomes_of_the_home_of_a_deleted_user(
    homes_hub: Start, cluster: Cluster, deletion: str
) -> None:
    hub = homes_hub(f"c.KubernetesHomespace.deletion = {deletion!r}")
    hub.spawn("ada")
    python(cluster, WRITE)
    hub.stop_server("ada")
    before = claims(cluster)
    hub.api("DELETE", "users/ada")
    if deletion == "remove":
        until(lambda: not claims(cluster), what="the end of the claim")
        until(lambda: not volumes(cluster), what="the end of its volume")
        return
    [(name, claim)] = claims(cluster).items()
    assert list(before) == [name]
    assert (TRASHED in claim["metadata"]["labels"]) == (deletion == "trash")
    if deletion == "trash":  # it is brought back by hand
        cluster.kubectl("label", "pvc", name, f"{TRASHED}-")
    hub.spawn("ada")
    assert python(cluster, READ) == KEPT
    assert list(claims(cluster)) == [name]


def volumes(cluster: Cluster) -> list[str]:
    """The volumes of the namespace's claims."""
    found = json.loads(cluster.kubectl("get", "persistentvolumes", "-o", "json"))["items"]
    return [
        each["metadata"]["name"]
        for each in found
        if each["spec"].get("claimRef", {}).get("namespace") == cluster.namespace
    ]


def test_the_home_of_another_installation_is_taken_over(homes_hub: Start, cluster: Cluster) -> None:
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": "claim-ada-40example",
                "annotations": {USER: "ada@example"},
                "labels": {"component": "singleuser-storage"},
            },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "20Mi"}},
            },
        }
    )
    hub = homes_hub('c.KubernetesHomespace.claim_name = "claim-{username}"')
    before = claims(cluster)["claim-ada-40example"]["metadata"]
    hub.spawn("ada@example")
    python(cluster, WRITE, "ada@example")
    [(name, claim)] = claims(cluster).items()
    assert name == "claim-ada-40example"
    assert claim["metadata"]["labels"] == before["labels"]
    assert size(claim) == "20Mi"


@pytest.mark.parametrize("after", ["POST /persistentvolumeclaims", "GET /persistentvolumeclaims"])
def test_a_hub_that_is_killed_between_the_claim_and_the_start(
    homes_hub: Start, cluster: Cluster, api: ApiProxy, after: str
) -> None:
    """Killed as the API server has done what it asked for."""
    method, path = after.split()
    hub = homes_hub()
    killed: list[str] = []

    def kill(request: Any) -> str | None:
        if request.method == method and path in request.path and not killed:
            killed.append(after)
            return "lose"
        return None

    hub.api("POST", "users/ada")
    api.rules = [kill]
    hub.api("POST", "users/ada/server")
    until(lambda: killed, what=after)
    hub.stop(signal.SIGKILL)
    hub.start()
    hub.spawn("ada")
    assert len(claims(cluster)) == 1
    assert python(cluster, WRITE)


def test_a_claim_whose_reply_was_lost_is_made_once(
    homes_hub: Start, cluster: Cluster, api: ApiProxy
) -> None:
    hub = homes_hub()

    def creates(request: Any) -> bool:
        return request.method == "POST" and request.path.endswith("/persistentvolumeclaims")

    api.rules = [once("lose", creates), once("503", creates)]
    hub.spawn("ada")
    assert len(claims(cluster)) == 1
    assert sum(map("POST".__eq__, (each for each, path in api.requests if "claims" in path))) == 3


def test_a_claim_that_is_never_bound_is_said(homes_hub: Start, cluster: Cluster) -> None:
    hub = homes_hub('c.KubernetesHomespace.storage_class = "nowhere"\nc.Spawner.start_timeout = 20')
    message = refused(hub, "ada")
    assert "the home's volume is not there yet" in message
    assert "look at the claim's events and at the storage class" in message
    until(lambda: cluster.get("pods") == [], what="the end of what did not start")
    said = live(hub)
    assert "there is no storage class nowhere" in said


def test_a_quota_of_claims_is_said(homes_hub: Start, cluster: Cluster) -> None:
    hub = homes_hub()
    quota = {"hard": {"persistentvolumeclaims": "0"}}
    about = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}}
    cluster.apply({**about, "spec": quota})
    assert "quota of the platform's namespace is used up" in refused(hub, "ada")


def test_claims_grow_where_their_class_lets_them(
    homes_hub: Start, cluster: Cluster, growing: str
) -> None:
    hub = homes_hub()
    hub.spawn("ada")
    hub.stop_server("ada")
    hub.stop()
    more = 'c.KubernetesHomespace.size = "30Mi"\n'
    text = hub.file.read_text()
    hub.file.write_text(text.replace("import greyhub", f"{more}import greyhub"))
    hub.start()
    hub.spawn("ada")  # the default class does not let it, and the start goes on
    assert "does not grow to 30Mi" in hub.log.read_text()
    assert "do not grow" in live(hub)
    hub.stop()
    new = f"c.KubernetesHomespace.storage_class = {growing!r}\n"
    hub.file.write_text(text.replace("import greyhub", f"{new}import greyhub"))
    hub.start()
    hub.spawn("grace")
    hub.stop_server("grace")
    hub.stop()
    hub.file.write_text(text.replace("import greyhub", f"{new}{more}import greyhub"))
    hub.start()
    hub.spawn("grace")
    sizes = {each["metadata"]["annotations"][USER]: size(each) for each in claims(cluster).values()}
    assert sizes == {"ada": "10Mi", "grace": "30Mi"}
    assert "lets claims grow" in live(hub)


def live(hub: Hub) -> str:
    """What ``greyhub check --live`` says."""
    command = [sys.executable, "-m", "greyhub.cli", "check", "--live", "-f", str(hub.file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * MINUTE)
    return done.stdout + done.stderr


def test_a_shared_claim_has_a_private_directory_for_each(
    homes_hub: Start, cluster: Cluster
) -> None:
    hub = homes_hub(
        'c.KubernetesHomespace.shared_claim = "homes"\n'
        f"c.KubernetesHomespace.owner_image = {IMAGE!r}\n"
    )
    assert "there is no claim homes" in live(hub)
    assert "the claim homes, which holds the homes, is not in the namespace" in refused(hub, "ada")
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "homes"},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": {"storage": "10Mi"}},
            },
        }
    )
    for user in ("ada", "grace"):
        hub.spawn(user)
    assert python(cluster, WRITE) == "['by-home.txt', 'by-hub.txt']\n"
    assert python(cluster, LOOK, "grace") == "0o40700 1000 []\n"
    assert list(claims(cluster)) == ["homes"]


def test_a_profile_cannot_drop_the_home(homes_hub: Start, cluster: Cluster) -> None:
    hub = homes_hub(
        "c.KubeSpawner.profile_list = [{'display_name': 'a', 'slug': 'a', 'default': True, "
        "'kubespawner_override': {'volumes': [], 'volume_mounts': []}}]"
    )
    hub.spawn("ada")
    assert python(cluster, WRITE)


def test_a_home_that_is_not_mounted_is_refused(homes_hub: Start, cluster: Cluster) -> None:
    hub = homes_hub(
        """
def without(spawner, pod):
    pod.spec.containers[0].volume_mounts = []
    return pod

c.KubeSpawner.modify_pod_hook = without
"""
    )
    assert "is not mounted at /home/jovyan: nothing would be kept" in refused(hub, "ada")


def test_kubespawner_has_homes_on_claims_too(homes_hub: Start, cluster: Cluster) -> None:
    stock = STOCK.format(namespace=cluster.namespace, image=IMAGE)
    hub = homes_hub(f"{stock}\nc.KubernetesHomespace.deletion = 'trash'")
    hub.spawn("ada")
    python(cluster, WRITE)
    hub.stop_server("ada")
    hub.spawn("ada")
    assert python(cluster, READ) == KEPT
    hub.stop_server("ada")
    hub.api("DELETE", "users/ada")
    [claim] = claims(cluster).values()
    assert TRASHED in claim["metadata"]["labels"]


def test_homes_on_a_claim_keep_the_contract() -> None:
    """The suite of the slot, in a pod that has the claim."""
    if why := claim_pods.hindrance():
        pytest.skip(why)
    suite = ["tests.conformance.homespace.suites:Claims", "--patience", "3", "--quiet"]
    report = Report.loads(claim_pods.report(suite))
    assert report.verdict == "conformant", report.having(Outcome.FAILED, Outcome.ERROR)


def test_homes_are_deleted_by_hand(homes_hub: Start, cluster: Cluster) -> None:
    hub = homes_hub()
    hub.spawn("ada")
    hub.stop_server("ada")
    command = [sys.executable, "-m", "greyhub.cli", "home", "delete", "ada", "-f", str(hub.file)]
    for more, left in (([], 1), (["--for-good"], 1)):
        done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=MINUTE)
        assert done.returncode == 0, done.stderr
        assert len(claims(cluster)) == left
    [claim] = claims(cluster).values()
    assert TRASHED in claim["metadata"]["labels"]
    assert not json.loads((Path(hub.state) / "hub/homes.json").read_text())
