"""``greyhub home copy`` from and to claims of a real cluster: in a pod that is gone afterwards."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.kubernetes.test_homes import HOMES, KEPT, READ, WRITE, claims, python
from tests.support.clusters import HOST, Cluster
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

Start = Callable[..., Hub]

SECRET = "not-for-the-pods-fields"


@pytest.fixture
def store() -> Iterator[str]:
    """A bucket that pods reach; the options by which the command does."""
    server = ThreadedMotoServer(ip_address=HOST, port=free_port(), verbose=False)
    server.start()
    address = f"http://{HOST}:{server._port}"
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": SECRET}
    boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys).create_bucket(
        Bucket="homes"
    )
    yield options(address)
    server.stop()


def options(address: str) -> Any:
    return json.dumps(
        {
            "key": {"env": "STORE_KEY"},
            "secret": {"env": "STORE_SECRET"},
            "endpoint_url": address,
            "client_kwargs": {"region_name": "us-east-1"},
        }
    )


def begin(hub: Hub, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "greyhub.cli", "home", "copy", "-f", str(hub.file)]
    environ = {**os.environ, "STORE_KEY": "key", "STORE_SECRET": SECRET}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*command, *arguments], stdout=pipe, stderr=pipe, text=True, env=environ
    )


def copy(hub: Hub, *arguments: str, status: int = 0) -> str:
    process = begin(hub, *arguments)
    said, complaint = process.communicate(timeout=5 * MINUTE)
    assert process.returncode == status, said + complaint
    return said + complaint


def pods_of_copies(cluster: Cluster) -> list[dict[str, Any]]:
    return [
        each
        for each in cluster.get("pods")
        if each["metadata"]["labels"].get("app.kubernetes.io/component") == "home-copy"
    ]


def claim(cluster: Cluster, name: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}}
    about = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}}
    cluster.apply({**about, "spec": spec})


def test_to_a_store_and_back_and_to_another_claim(
    pods_hub: Start, cluster: Cluster, store: str
) -> None:
    hub = pods_hub(HOMES)
    hub.spawn("ada")
    python(cluster, WRITE)
    file, bucket = str(hub.file), "s3://homes/{username}"
    said = copy(hub, file, bucket, "--user", "ada", "--target-options", store, status=1)
    assert "a server of this user runs" in said
    hub.stop_server("ada")
    to_store = (file, bucket, "--user", "ada", "--target-options", store)
    assert "would be copied" in copy(hub, *to_store, "--dry-run")
    assert "copied, 0 were there" in copy(hub, *to_store)
    assert " 0 copied" in copy(hub, *to_store)
    # Back into a new claim, which is made.
    [old] = claims(cluster)
    subprocess.run(
        [sys.executable, "-m", "greyhub.cli", "home", "delete", "ada", "--for-good", "-f", file],
        check=True,
        timeout=MINUTE,
    )
    until(lambda: old not in claims(cluster), what="the end of the claim")
    copy(hub, bucket, file, "--user", "ada", "--source-options", store)
    hub.spawn("ada")
    assert python(cluster, READ) == KEPT
    assert list(claims(cluster)) == [old]
    hub.stop_server("ada")
    # To a claim that somebody has made, of which the hub is told.
    claim(cluster, "other-ada")
    other = f"pvc://{cluster.namespace}/other-{{username}}"
    copy(hub, file, other, "--all", "--switch")
    hub.spawn("ada")
    [pod] = cluster.pods()
    assert "other-ada" in json.dumps(pod["spec"]["volumes"])
    assert python(cluster, READ) == KEPT
    assert not pods_of_copies(cluster)
    assert not [each for each in cluster.get("secrets") if "copy" in each["metadata"]["name"]]


@pytest.fixture
def deaf() -> Iterator[str]:
    """The address of a store that accepts and never answers."""
    with socket.create_server((HOST, 0)) as listening:
        yield f"http://{HOST}:{listening.getsockname()[1]}"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_command_that_is_ended_leaves_no_pod(
    pods_hub: Start, cluster: Cluster, deaf: str, how: signal.Signals
) -> None:
    hub = pods_hub(HOMES)
    claim(cluster, "home-of-ada")
    work = ("s3://homes/{username}", f"pvc://{cluster.namespace}/home-of-{{username}}")
    arguments = (*work, "--user", "ada", "--source-options", options(deaf))

    def runs() -> bool:
        return [each["status"]["phase"] for each in pods_of_copies(cluster)] == ["Running"]

    process = begin(hub, *arguments)
    until(runs, what="the pod")
    [pod] = pods_of_copies(cluster)
    assert SECRET not in json.dumps(pod)
    process.send_signal(how)
    process.communicate(timeout=2 * MINUTE)
    assert process.returncode != 0
    if how is signal.SIGKILL:  # what is left is ended by the next
        process = begin(hub, *arguments)
        uid = pod["metadata"]["uid"]
        until(lambda: runs() and cluster.uids() != {uid}, what="another pod")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=2 * MINUTE)
    assert not pods_of_copies(cluster)
    assert not cluster.get("secrets")


def test_what_cannot_be_copied_is_said(pods_hub: Start, cluster: Cluster) -> None:
    hub = pods_hub(HOMES)
    nowhere = f"pvc://{cluster.namespace}/nowhere-{{username}}"
    said = copy(hub, nowhere, str(hub.file), "--user", "ada", status=1)
    assert "there is no claim nowhere-ada" in said
    claim(cluster, "nowhere-ada")
    said = copy(hub, nowhere, str(hub.file), "--user", "ada", "--image", "no image", status=1)
    assert "the image no image cannot be pulled" in said
    assert not pods_of_copies(cluster)
