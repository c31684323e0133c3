"""Where the time of a pod's start went, by what a cluster says of it."""

from __future__ import annotations

from typing import Any

import pytest

from greyhub.spawners.pod_start import start_report

IMAGE = "registry.example.org/notebook:1"


def pod(*conditions: tuple[str, int]) -> dict[str, Any]:
    """A pod made at 10:00:00, whose conditions are true since so many seconds after."""
    return {
        "metadata": {"creationTimestamp": "2026-11-30T10:00:00Z"},
        "spec": {"containers": [{"name": "notebook", "image": IMAGE}]},
        "status": {
            "conditions": [
                {"type": kind, "status": "True", "lastTransitionTime": f"2026-11-30T10:00:{at:02}Z"}
                for kind, at in conditions
            ]
        },
    }


def event(reason: str, message: str = "", at: int = 0) -> dict[str, Any]:
    return {"reason": reason, "message": message, "firstTimestamp": f"2026-11-30T10:00:{at:02}Z"}


def pulled(duration: str, image: str = IMAGE, size: str = "") -> dict[str, Any]:
    return event("Pulled", f'Successfully pulled image "{image}" in {duration}{size}', 50)


PRESENT = event("Pulled", f'Container image "{IMAGE}" already present on machine', 13)


def test_a_cold_start() -> None:
    found = start_report(
        pod(("PodScheduled", 20), ("PodReadyToStartContainers", 25)),
        [
            event("TriggeredScaleUp"),
            event("Scheduled"),
            event("Pulling", at=26),
            pulled("1m1.5s (1m2.5s including waiting)", size=". Image size: 590000000 bytes."),
            event("Started"),
        ],
    )
    assert found.phases == {"place": 20.0, "home": 5.0, "image": 62.5}
    assert (found.cold, found.image, found.image_bytes) == (True, IMAGE, 590_000_000)


def test_a_kubelet_that_tells_of_volumes_when_the_image_is_there() -> None:
    found = start_report(
        pod(("PodScheduled", 1), ("PodReadyToStartContainers", 16)),
        [event("Pulling", at=2), pulled("14s")],
    )
    assert found.phases == {"place": 1.0, "home": 1.0, "image": 14.0}


def test_a_warm_start() -> None:
    found = start_report(pod(("PodScheduled", 1)), [event("Scheduled"), PRESENT])
    assert found.phases == {"place": 1.0, "home": 12.0, "image": 0.0}
    assert (found.cold, found.image_bytes) == (False, None)


def test_a_new_node_is_cold_also_where_it_has_the_image() -> None:
    assert start_report(pod(), [event("Nominated"), PRESENT]).cold is True


def test_without_events_it_is_not_known_whether_it_was_cold() -> None:
    found = start_report(pod(("PodScheduled", 3)), [])
    assert found.phases == {"place": 3.0}
    assert found.cold is None


def test_a_pod_that_waits_for_a_node() -> None:
    waiting = pod()
    waiting["status"]["conditions"] = [{"type": "PodScheduled", "status": "False"}]
    assert start_report(waiting, [event("FailedScheduling", "no room")]).phases == {}


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("812.3ms", 0.8123), ("2h3m4.5s", 7384.5), ("950µs", 0.00095), ("1.2s", 1.2)],
)
def test_every_image_counts_and_durations_are_go_s(duration: str, seconds: float) -> None:
    found = start_report(pod(), [pulled("1s (1s including waiting)", "init:1"), pulled(duration)])
    assert found.phases["image"] == pytest.approx(1 + seconds)
