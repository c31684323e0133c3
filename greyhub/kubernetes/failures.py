"""Say in words why a pod does not start, or why it ended.

Sources: the fields of a pod's status, and the events about it, as Kubernetes
documents them: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

Pod = Mapping[str, Any]

HOPELESS: Final = frozenset({"InvalidImageName", "ErrImageNeverPull", "CreateContainerError"})
"""Reasons to wait that no waiting ends."""

UNPULLED: Final = frozenset({"ErrImagePull", "ImagePullBackOff"})

REFUSED: Final = re.compile(
    r"not found|manifest unknown|unauthori[sz]ed|denied|authentication required|no basic auth", re.I
)
"""What a registry says of an image that will not be there in a minute either."""


PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "notebook": ("the server", "choose a larger profile"),
    "scheduler": ("the scheduler", "let the administrator give schedulers more memory"),
    "worker": ("the worker", "ask for a larger worker_memory"),
    "work": ("the pod that does the work", "let the namespace and its nodes give it more"),
}
"""By the name of a pod's main container: what it is, and what to do where it needs more memory."""


class Failure(NamedTuple):
    """Why a pod does not run, and what to do."""

    what: str
    fix: str
    final: bool
    """Whether waiting is of no use."""
    container: str = ""
    """The container whose log tells more, if it ran."""
    kind: str = "pod"
    """Why, in a word by which failures are counted."""

    def __str__(self) -> str:
        return f"{self.what}.\n  fix: {self.fix}" if self.fix else f"{self.what}."


def main_container(pod: Pod) -> str:
    """The name of the container for which a pod is there."""
    return str(pod["spec"]["containers"][0]["name"])


def exit_status(pod: Pod) -> int | None:
    """The exit status of the server in a pod; None if it has not ended."""
    status = pod["status"]
    for container in status.get("containerStatuses") or ():
        if container["name"] in PARTS and (ended := container["state"].get("terminated")):
            return int(ended["exitCode"])
    return {"Failed": 1, "Succeeded": 0}.get(status.get("phase"))


def failure(pod: Pod, events: Sequence[Mapping[str, Any]] = ()) -> Failure | None:
    """Why a pod does not run; None if nothing is known to be wrong with it."""
    return next(_failures(pod, events), None)


def _failures(pod: Pod, events: Sequence[Mapping[str, Any]]) -> Iterator[Failure]:
    status = pod["status"]
    yield from _ended(pod)
    for init in (True, False):
        for container in status.get("initContainerStatuses" if init else "containerStatuses") or ():
            yield from _waiting(container)
    yield from _unscheduled(pod, events)
    for event in reversed(events):
        if event.get("reason") in ("FailedMount", "FailedAttachVolume"):
            yield Failure(
                f"a volume cannot be mounted: {event.get('message', '')}",
                "look whether the volume exists and is not in use on another node",
                False,
                kind="volume",
            )
            return


def _part(pod: Pod) -> tuple[str, str]:
    return PARTS.get(main_container(pod), PARTS["notebook"])


def _ended(pod: Pod) -> Iterator[Failure]:
    status, (what, larger) = pod["status"], _part(pod)
    reason = status.get("reason", "")
    if reason == "Evicted":
        yield Failure(
            f"the node took {what} away: {status.get('message', '')}",
            "start it again; if this happens often, it needs more guaranteed memory or disk",
            True,
            kind="evicted",
        )
    elif reason in ("Preempting", "NodeShutdown", "Terminated", "NodeLost"):
        yield Failure(
            f"the node was taken away ({reason}): {status.get('message', '')}",
            f"start {what} again: it gets another node",
            True,
            kind="node",
        )
    for container in status.get("initContainerStatuses") or ():
        if (ended := container["state"].get("terminated")) and ended["exitCode"] != 0:
            yield Failure(
                f"the init container {container['name']!r} failed with status {ended['exitCode']}"
                + _message(ended),
                "its log says why: the administrator has to correct it",
                True,
                container["name"],
                kind="init-container",
            )
    for container in status.get("containerStatuses") or ():
        if not (ended := container["state"].get("terminated")):
            continue
        if ended.get("reason") == "OOMKilled":
            limit = _memory_limit(pod, container["name"])
            yield Failure(
                f"{what} was killed for memory: it used more than its limit{limit}",
                f"use less, or {larger}",
                True,
                container["name"],
                kind="memory",
            )
        elif container["name"] in PARTS:
            yield Failure(
                f"{what} ended with status {ended['exitCode']}{_message(ended)}",
                "its log says why",
                True,
                container["name"],
                kind="ended",
            )


def _waiting(container: Mapping[str, Any]) -> Iterator[Failure]:
    waits = container["state"].get("waiting") or {}
    reason, message = waits.get("reason", ""), waits.get("message", "")
    image = container.get("image", "")
    if reason in UNPULLED or reason in ("InvalidImageName", "ErrImageNeverPull"):
        final = reason in HOPELESS or bool(REFUSED.search(message))
        yield Failure(
            f"the image {image} cannot be pulled: {message or reason}",
            "correct its name or tag, or let the cluster pull it: c.PodSpawner.image_pull_secrets",
            final,
            kind="image",
        )
    elif reason == "CreateContainerConfigError":
        yield Failure(
            f"the container {container['name']!r} cannot be made: {message}",
            "a Secret or ConfigMap that it refers to is missing, or its image runs as root where "
            "that is not allowed: the administrator has to correct it",
            "runAsNonRoot" in message or "non-root" in message,
            kind="container",
        )
    elif reason in HOPELESS or reason == "CrashLoopBackOff":
        yield Failure(
            f"the container {container['name']!r} cannot be started: {message or reason}",
            "look at its command and image",
            reason in HOPELESS,
            container["name"] if reason == "CrashLoopBackOff" else "",
            kind="container",
        )


def _unscheduled(pod: Pod, events: Sequence[Mapping[str, Any]]) -> Iterator[Failure]:
    what = _part(pod)[0]
    for condition in pod["status"].get("conditions") or ():
        if condition["type"] != "PodScheduled" or condition["status"] != "False":
            continue
        message = condition.get("message", "")
        if "persistentvolumeclaim" in message.lower():
            said = [each["message"] for each in events if each.get("reason") in CLAIM_EVENTS]
            yield Failure(
                f"the home's volume is not there yet: {said[-1] if said else message}",
                "look at the claim's events and at the storage class",
                "not found" in message,
                kind="volume",
            )
        else:
            yield Failure(
                f"no node has room for {what}: {message}",
                "wait for a node to come or for others to stop, or "
                + ("choose a smaller profile" if what == "the server" else "ask for less"),
                False,
                kind="no-room",
            )


def lost_node(pod: Pod | None) -> str:
    """Why a pod does not end, where its node does not answer; empty if that is not known."""
    if pod is None:
        return ""
    reasons = {each.get("reason") for each in pod["status"].get("conditions") or ()}
    if not reasons & {"NodeNotReady", "DeletionByTaintManager"}:
        return ""
    return (
        f"its node {pod['spec'].get('nodeName', '')} does not answer, and may still run it.\n"
        "  fix: bring the node back, or, if it is off for good, remove it from the cluster: "
        "kubectl delete node"
    )


CLAIM_EVENTS: Final = frozenset({"ProvisioningFailed", "FailedBinding"})


def refusal(error: Any, what: str = "the pod") -> Failure | None:
    """What it means that the API server refused to make something; None if it is not known."""
    said = _said(error)
    if error.status == 403 and "exceeded quota" in said:
        return Failure(
            f"the quota of the platform's namespace is used up: {said}",
            "wait for others to stop, choose a smaller profile, or ask for a larger quota",
            True,
            kind="quota",
        )
    if error.status == 403:
        return Failure(
            f"the cluster does not allow it: {said}",
            "give the hub's service account the right, or correct what the policy objects to",
            True,
            kind="forbidden",
        )
    if error.status in (400, 404, 422):
        return Failure(
            f"the cluster does not accept {what}: {said}",
            "correct the option that it names",
            True,
            kind="not-accepted",
        )
    return None


def _said(error: Any) -> str:
    found = re.search(r'"message":\s*"((?:[^"\\]|\\.)*)"', str(error.body or ""))
    return found[1].replace('\\"', '"') if found else str(error.reason)


def _message(ended: Mapping[str, Any]) -> str:
    said = ended.get("message") or ended.get("reason") or ""
    return f": {said}" if said and said != "Error" else ""


def _memory_limit(pod: Pod, name: str) -> str:
    for container in pod["spec"]["containers"]:
        if container["name"] == name:
            limit = str(container.get("resources", {}).get("limits", {}).get("memory", ""))
            if found := re.fullmatch(r"(\d+)([kKMGT]?)(i?)", limit):
                power = " KMGT".index(found[2].upper() or " ")
                size = int(found[1]) * (1024 if found[3] else 1000) ** power
                return f" of {size / 2**30:.1f} GiB"
    return ""
