"""The starts of servers as metrics, in the registry that the hub's ``/metrics`` shows.

No label names a user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from greyhub.starts.report import PHASES
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
SERVERS: Final = Gauge(
    "greyhub_servers", "Servers that there are, by what they do: run, start, stop", ["state"]
)
"""JupyterHub's ``jupyterhub_running_servers`` falls by one with each start that fails."""

IMAGE_SIZE: Final = Gauge(
    "greyhub_image_size_bytes", "The size of an image, as it was pulled last", ["image"]
)

STATES: Final = {
    "run": ("ready",),
    "start": ("spawn_pending", "check_pending"),
    "stop": ("stop_pending",),
}
"""What servers do, as JupyterHub counts it."""

REASONS: Final = (
    *("api-server", "azure-away", "container", "ended", "evicted", "failed", "forbidden", "image"),
    *("init-container", "machine", "memory", "no-room", "node", "not-accepted", "pod", "profile"),
    *("proxy", "quota", "refused", "timeout", "volume"),
)
"""The failures that have a word of ours; others are counted by the name of an exception."""


def show_nothing_yet(profiles: Iterable[str]) -> None:
    """Show the series that starts with these profiles may come to, at zero.

    A Prometheus sees what a series grows by: one that first appears at 1 has not grown.
    """
    for profile in profiles:
        for reason in REASONS:
            FAILURES.labels(profile, reason)
        for start in TEMPERATURES.values():
            DURATION.labels(profile, start)
    for start in TEMPERATURES.values():
        for phase in PHASES:
            PHASE.labels(phase, start)


def count_servers(counts: Callable[[], Mapping[str, int]]) -> None:
    """Show how many servers there are, counted anew whenever the metrics are asked for.

    Parameters
    ----------
    counts : callable
        As JupyterHub's ``UserDict.count_active_users``: by name, how many servers are ``ready``,
        and how many are in each pending event, ``spawn_pending``.
    """

    def count(events: Iterable[str]) -> float:
        found = counts()
        return sum(found.get(each, 0) for each in events)

    for state, events in STATES.items():
        SERVERS.labels(state).set_function(partial(count, events))


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
