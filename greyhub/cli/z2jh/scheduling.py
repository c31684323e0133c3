"""Where pods run, and what nodes pull before: ``scheduling``, ``prePuller``."""

from __future__ import annotations

from typing import Any, Final

from greyhub.cli.z2jh.moving import (
    Group,
    Moving,
    Outcome,
    Rule,
    joined,
    left,
    moved,
    not_needed,
    not_taken,
    tables,
    unneeded,
)
from greyhub.cli.z2jh.profiles import images

LABEL: Final = "hub.jupyter.org/node-purpose"

_SCHEDULER: Final = (
    "greyhub's chart has no scheduler: run one, and name it in c.KubeSpawner.scheduler_name, or "
    "set the scoring strategy of the cluster's own"
)
_PRIORITY: Final = (
    "make PriorityClasses of your own, and name them in c.KubeSpawner.priority_class_name and the "
    "chart's priorityClass.name"
)


def _placeholders(moving: Moving, path: str, value: Any) -> Outcome:
    there = ("scheduling.userPlaceholder.enabled", "scheduling.podPriority.enabled")
    if not value or not moving.get(there[0], True) or not moving.get(there[1]):
        return unneeded("z2jh makes none without podPriority")
    asked = {name: moving.get(f"singleuser.{name}.guarantee") for name in ("cpu", "memory")}
    requests = {name: each for name, each in asked.items() if each}
    moving.value(path, "placeholders.replicas", value)
    moving.value(path, "placeholders.priorityClass.create", value=True)
    if requests:
        moving.value(path, "placeholders.resources.requests", requests)
    return moved("the chart's placeholders, with a priority class that is outside of the namespace")


def _users(moving: Moving, path: str, value: Any) -> Outcome:
    term = {"matchExpressions": [{"key": LABEL, "operator": "In", "values": ["user"]}]}
    if value == "require":
        moving.extend(path, "KubeSpawner.node_affinity_required", [term])
        return moved("c.KubeSpawner.node_affinity_required")
    if value == "prefer":
        preferred = [{"weight": 100, "preference": term}]
        moving.extend(path, "KubeSpawner.node_affinity_preferred", preferred)
        return moved("c.KubeSpawner.node_affinity_preferred")
    return unneeded("servers run on any node")


def _core(moving: Moving, path: str, value: Any) -> Outcome:
    if value == "ignore":
        return unneeded("the hub and the proxy run on any node")
    if value != "require":
        return left(f"prefer: to make it sure, set hub.nodeSelector to {LABEL}=core")
    for to, given in (("hub", "hub.nodeSelector"), ("proxy", "proxy.chp.nodeSelector")):
        moving.value(path, f"{to}.nodeSelector", {LABEL: "core", **moving.get(given, {})})
    return moved("the chart's hub.nodeSelector and proxy.nodeSelector")


def _pull(moving: Moving, path: str, value: Any) -> Outcome:
    moving.value(path, "prepull.enabled", bool(value))
    return moved("the chart's prepull.enabled")


def _finish(moving: Moving) -> None:
    if not moving.get("prePuller.continuous.enabled"):
        return
    found = [
        f"{each['name']}:{each['tag']}" if each.get("tag") else each["name"]
        for each in moving.get("prePuller.extraImages", {}).values()
        if isinstance(each, dict) and each.get("name")
    ]
    if moving.get("prePuller.pullProfileListImages", True):
        found += images(moving)
    if found:
        moving.value("prePuller", "prepull.images", list(dict.fromkeys(found)))
    elif not moving.get("singleuser.image.name"):
        moving.chart["prepull"]["enabled"] = False  # it would have nothing to pull
    tolerated = [
        *moving.get("scheduling.userPods.tolerations", []),
        *moving.get("singleuser.extraTolerations", []),
        *moving.get("prePuller.extraTolerations", []),
    ]
    if tolerated:
        moving.value("prePuller", "prepull.tolerations", tolerated)
    if moving.get("singleuser.nodeSelector"):
        moving.value("prePuller", "prepull.nodeSelector", moving.get("singleuser.nodeSelector"))


GROUP: Final = Group(
    "Nodes",
    {
        "scheduling.userScheduler.enabled": not_taken(_SCHEDULER, but=False),
        "scheduling.userScheduler.*": not_needed("there is no scheduler of greyhub's"),
        "scheduling.podPriority.enabled": not_taken(_PRIORITY, but=False),
        "scheduling.podPriority.*": not_needed("see scheduling.podPriority.enabled"),
        "scheduling.userPlaceholder.enabled": not_needed("see scheduling.userPlaceholder.replicas"),
        "scheduling.userPlaceholder.replicas": Rule(_placeholders, takes=(int,)),
        "scheduling.userPlaceholder.*": not_needed("see scheduling.userPlaceholder.replicas"),
        "scheduling.corePods.tolerations": joined(
            "the chart's hub.tolerations and proxy.tolerations", list
        ),
        "scheduling.corePods.nodeAffinity.matchNodePurpose": Rule(_core),
        "scheduling.userPods.tolerations": joined("c.KubeSpawner.tolerations", list),
        "scheduling.userPods.nodeAffinity.matchNodePurpose": Rule(_users),
        "prePuller.continuous.enabled": Rule(_pull),
        "prePuller.continuous.*": not_needed("the chart's DaemonSet has no account"),
        "prePuller.hook": not_needed("no helm upgrade waits for images: see prepull.enabled"),
        "prePuller.pullProfileListImages": joined("the chart's prepull.images"),
        "prePuller.extraImages": joined("the chart's prepull.images", dict),
        "prePuller.extraTolerations": joined("the chart's prepull.tolerations", list),
        "prePuller.pause": not_needed("the chart has prepull.pauseImage"),
        **tables(
            "prePuller",
            "revisionHistoryLimit resources containerSecurityContext labels annotations",
            not_needed("the chart's DaemonSet has its own"),
        ),
    },
    chart=True,
    finish=_finish,
)
