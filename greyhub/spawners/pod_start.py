"""Where the time of a pod's start went: by its conditions, and the events about it.

Sources: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions;
the kubelet's messages, pkg/kubelet/images/image_manager.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from greyhub.kubernetes.failures import main_container
from greyhub.starts.report import StartReport

Thing = Mapping[str, Any]

PULLED: Final = re.compile(
    r'Successfully pulled image "(?P<image>[^"]+)" in (?P<alone>\S+)'
    r"(?: \((?P<all>\S+) including waiting\))?(?:\. Image size: (?P<size>\d+) bytes)?"
)

UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
"""Of Go's durations: ``1m2.5s``."""

NEW_NODE: Final = frozenset({"TriggeredScaleUp", "Nominated"})
"""Reasons of events by which the Cluster Autoscaler and Karpenter say that a node comes."""


def start_report(pod: Thing, events: Sequence[Thing]) -> StartReport:
    """What a pod's start took.

    Parameters
    ----------
    pod : mapping
        As the API server knows it.
    events : sequence of mapping
        The events about it; none where they are not watched.
    """
    pulls = [found for each in events if (found := PULLED.match(each.get("message") or ""))]
    reasons = {each.get("reason") for each in events}
    image = next(
        str(each["image"])
        for each in pod["spec"]["containers"]
        if each["name"] == main_container(pod)
    )
    phases: dict[str, float] = {}
    scheduled = _condition(pod, "PodScheduled")
    if scheduled:
        phases["place"] = _between(_time(pod["metadata"]["creationTimestamp"]), scheduled)
        # A kubelet may tell of the condition only when the image has been pulled.
        ready = _condition(pod, "PodReadyToStartContainers"), _first_image_event(events)
        if mounted := min(filter(None, ready), default=None):
            phases["home"] = _between(scheduled, mounted)
    if "Pulled" in reasons:
        phases["image"] = sum(_seconds(each["all"] or each["alone"]) for each in pulls)
    return StartReport(
        phases=phases,
        cold=bool(pulls or reasons & NEW_NODE) if "Pulled" in reasons else None,
        image=image,
        image_bytes=next(
            (int(each["size"]) for each in pulls if each["image"] == image and each["size"]), None
        ),
    )


def _condition(pod: Thing, kind: str) -> datetime | None:
    """Since when a condition is true."""
    for each in pod["status"].get("conditions") or ():
        if each["type"] == kind and each["status"] == "True":
            return _time(each["lastTransitionTime"])
    return None


def _first_image_event(events: Sequence[Thing]) -> datetime | None:
    """When the kubelet looked for an image, for which volumes are there."""
    times = [
        _time(when)
        for each in events
        if each.get("reason") in ("Pulling", "Pulled")
        and (when := each.get("firstTimestamp") or each.get("eventTime"))
    ]
    return min(times, default=None)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _between(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds(), 0.0)


def _seconds(duration: str) -> float:
    """Of a duration as Go writes it."""
    parts = re.findall(r"([\d.]+)(h|ms|m|us|µs|ns|s)", duration)
    return sum(float(number) * UNITS[unit] for number, unit in parts)
