"""The starts of servers as metrics, in the registry that the hub's ``/metrics`` shows.

No label names a user.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from greyhub.starts.summary import TEMPERATURES
from greyhub.starts.table import Start

BUCKETS: Final = (1, 2.5, 5, 10, 15, 30, 60, 120, 180, 300, 600, 1200)
"""Seconds: from a process on the hub's machine to a virtual machine that is made."""

DURATION: Final = Histogram(
    "greyhub_server_start_seconds",
    "Seconds until a server could be used, of the starts that went well",
    ["profile", "start"],
    buckets=BUCKETS,
)
PHASE: Final = Histogram(
    "greyhub_server_start_phase_seconds",
    "Seconds that a phase of such a start took",
    ["phase", "start"],
    buckets=BUCKETS,
)
FAILURES: Final = Counter(
    "greyhub_server_start_failures",
    "Starts of servers that failed, by why",
    ["profile", "reason"],
)
IMAGE_SIZE: Final = Gauge(
    "greyhub_image_size_bytes", "The size of an image, as it was pulled last", ["image"]
)


def observe(start: Start) -> None:
    """Count a start."""
    if start.failure:
        FAILURES.labels(start.profile, start.failure).inc()
        return
    temperature = TEMPERATURES[start.cold]
    DURATION.labels(start.profile, temperature).observe(start.seconds)
    for phase, seconds in start.phases.items():
        PHASE.labels(phase, temperature).observe(seconds)
    if start.image_bytes is not None:
        IMAGE_SIZE.labels(start.image).set(start.image_bytes)
