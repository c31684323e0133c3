"""Why a pod does not run, in words: the statuses are those of a real cluster, shortened."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from greyhub.kubernetes.failures import failure, refusal


def pod(**status: Any) -> dict[str, Any]:
    limits = {"resources": {"limits": {"memory": "2147483648"}}}
    return {
        "spec": {"containers": [{"name": "notebook", **limits}]},
        "status": {"phase": "Pending", **status},
    }


def container(name: str = "notebook", image: str = "lab:1", **state: Any) -> dict[str, Any]:
    return {"name": name, "image": image, "state": state}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return pod(
        containerStatuses=[container(waiting={"reason": reason, "message": message})],
    )


def unscheduled(message: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return pod(conditions=[{**condition, "message": message}])


def ended(status: int, reason: str, name: str = "notebook") -> dict[str, Any]:
    return container(name, terminated={"exitCode": status, "reason": reason})


CASES: dict[str, tuple[dict[str, Any], str, bool]] = {
    "an image that is nowhere": (
        waiting("ErrImagePull", 'rpc error: "docker.io/library/lab:1": not found'),
        "the image lab:1 cannot be pulled",
        True,
    ),
    "an image that a registry may have in a minute": (
        waiting("ImagePullBackOff", 'Back-off pulling image "lab:1"'),
        "the image lab:1 cannot be pulled",
        False,
    ),
    "an image that may not be pulled": (
        waiting("ErrImagePull", "pull access denied, repository does not exist"),
        "image_pull_secrets",
        True,
    ),
    "a name that is none of an image": (
        waiting("InvalidImageName", "couldn't parse image name"),
        "cannot be pulled",
        True,
    ),
    "an image of root's": (
        waiting(
            "CreateContainerConfigError", "container has runAsNonRoot and image will run as root"
        ),
        "its image runs as root",
        True,
    ),
    "a Secret that is not there yet": (
        waiting("CreateContainerConfigError", 'secret "ada-env" not found'),
        'secret "ada-env" not found',
        False,
    ),
    "a command that is not in the image": (
        waiting("CreateContainerError", 'exec: "greyhub-singleuser": not found in $PATH'),
        "cannot be started",
        True,
    ),
    "no room": (
        unscheduled("0/3 nodes are available: 3 Insufficient memory."),
        "no node has room for the server: 0/3 nodes",
        False,
    ),
    "a claim that waits": (
        unscheduled("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."),
        "the home's volume is not there yet",
        False,
    ),
    "a claim that is missing": (
        unscheduled('persistentvolumeclaim "claim-ada" not found.'),
        "the home's volume is not there yet",
        True,
    ),
    "killed for memory": (
        pod(phase="Failed", containerStatuses=[ended(137, "OOMKilled")]),
        "it used more than its limit of 2.0 GiB",
        True,
    ),
    "an init container that failed": (
        pod(phase="Failed", initContainerStatuses=[ended(3, "Error", "fetch")]),
        "the init container 'fetch' failed with status 3",
        True,
    ),
    "a server that ended": (
        pod(phase="Failed", containerStatuses=[ended(1, "Error")]),
        "the server ended with status 1",
        True,
    ),
    "taken away": (
        pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
        "the node took the server away: The node was low on resource: memory.",
        True,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_said(name: str) -> None:
    given, said, final = CASES[name]
    found = failure(given)
    assert found is not None
    assert said in str(found)
    assert "fix: " in str(found)
    assert found.final is final


@pytest.mark.parametrize(
    "given",
    [
        pod(),
        waiting("ContainerCreating"),
        waiting("PodInitializing"),
        pod(phase="Running", containerStatuses=[container(running={"startedAt": "now"})]),
        pod(initContainerStatuses=[ended(0, "Completed", "fetch")]),
    ],
)
def test_a_pod_that_is_on_its_way_has_not_failed(given: dict[str, Any]) -> None:
    assert failure(given) is None


def test_what_provisioning_says_is_heard() -> None:
    given = unscheduled(
        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    )
    event = {"reason": "ProvisioningFailed", "message": 'storageclass "fast" not found'}
    assert 'storageclass "fast" not found' in str(failure(given, [event]))


def test_a_volume_that_cannot_be_mounted_is_said() -> None:
    event = {"reason": "FailedMount", "message": "MountVolume.SetUp failed: no such host"}
    assert "no such host" in str(failure(waiting("ContainerCreating"), [event]))


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        (403, 'pods \\"a\\" is forbidden: exceeded quota: small', "quota of the platform's"),
        (403, "violates PodSecurity restricted", "does not allow it: violates PodSecurity"),
        (422, "spec.containers[0].image: Required value", "spec.containers[0].image"),
        (404, 'namespaces \\"nowhere\\" not found', 'namespaces "nowhere" not found'),
    ],
)
def test_a_refusal_is_said(status: int, message: str, said: str) -> None:
    body = f'{{"kind":"Status","message":"{message}","code":{status}}}'
    found = refusal(SimpleNamespace(status=status, body=body, reason="Refused"))
    assert found is not None
    assert said in str(found)


def test_another_error_is_none_of_these() -> None:
    assert refusal(SimpleNamespace(status=409, body="", reason="Conflict")) is None
