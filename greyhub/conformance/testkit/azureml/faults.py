"""What goes wrong when told so, and how many requests Azure allows."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field

from greyhub.conformance.testkit.azureml.errors import ArmError

REFUSALS = {
    "throttled": (429, "SubscriptionRequestsThrottled", "Number of requests exceeded the limit."),
    "error": (500, "InternalServerError", "An internal error occurred. Try again later."),
    "unavailable": (503, "ServiceUnavailable", "The service is temporarily unavailable."),
    "forbidden": (403, "AuthorizationFailed", "The client has no authorization for this action."),
    "policy": (403, "RequestDisallowedByPolicy", "The resource was disallowed by policy."),
    "quota": (
        400,
        "BadRequest",
        "The specified subscription has a total vCPU quota of 0 and is less than the requested "
        "compute instance's 4 vCPUs.",
    ),
    "size": (400, "BadRequest", "The requested VM size is not available in the region."),
    "conflict": (409, "Conflict", "Another operation on the compute is in progress."),
}
"""Refusals by kind: status, code, message."""

BREAKS = ("hang", "reset", "lost", "late")
"""No answer ever; the connection closed before anything is done; closed after it is done; the
answer comes some seconds after that."""

DONE = ("lost", "late")
"""Breaks by which what was asked is done."""


@dataclass
class Fault:
    """What happens to the next requests of some kind."""

    kind: str
    method: str = ""
    path: re.Pattern[str] = re.compile("")
    left: int = 1
    retry_after: float | None = None
    seconds: float = 3
    hits: int = 0
    hit: threading.Event = field(default_factory=threading.Event)

    def refusal(self) -> ArmError:
        """The error that is answered."""
        status, code, message = REFUSALS[self.kind]
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = f"{self.retry_after:g}"
        return ArmError(status, code, message, headers)


class Faults:
    """The faults that wait for their requests."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(
        self,
        kind: str,
        *,
        method: str = "",
        path: str = "",
        times: int = 1,
        retry_after: float | None = None,
        seconds: float = 3,
    ) -> Fault:
        """See `Simulator.fault`."""
        if kind not in REFUSALS and kind not in BREAKS:
            known = ", ".join((*REFUSALS, *BREAKS))
            raise ValueError(f"there is no fault {kind!r}. fix: use one of {known}")
        if kind == "throttled" and retry_after is None:
            retry_after = 1
        wanted = re.compile(path, re.IGNORECASE)
        fault = Fault(kind, method, wanted, times, retry_after, seconds)
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Nothing goes wrong from now on."""
        self._waiting.clear()

    def take(self, method: str, path: str, *, named: bool = False) -> Fault | None:
        """The first fault that is for this request, counted down; ``named``: only by its path."""
        for fault in self._waiting:
            if named and not fault.path.pattern:
                continue
            if fault.left > 0 and fault.method in ("", method) and fault.path.search(path):
                fault.left -= 1
                fault.hits += 1
                fault.hit.set()
                return fault
        return None


@dataclass
class Bucket:
    """A token bucket: so many requests at once, so many more each second."""

    size: float
    per_second: float
    left: float = field(init=False)
    _at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.left = self.size

    def take(self) -> float:
        """Seconds until a request is allowed; 0 if this one was."""
        now = time.monotonic()
        self.left = min(self.size, self.left + (now - self._at) * self.per_second)
        self._at = now
        if self.left >= 1:
            self.left -= 1
            return 0
        return (1 - self.left) / self.per_second if self.per_second else 60


class Budgets:
    """Azure's published limits for one subscription and principal in one region."""

    def __init__(self) -> None:
        self.buckets = {
            "reads": Bucket(250, 25),
            "writes": Bucket(200, 10),
            "deletes": Bucket(200, 10),
        }

    def spend(self, method: str) -> dict[str, str]:
        """The headers that say what is left.

        Raises
        ------
        ArmError
            Nothing is.
        """
        kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
        bucket = self.buckets[kind]
        wait = bucket.take()
        headers = {f"x-ms-ratelimit-remaining-subscription-{kind}": str(int(bucket.left))}
        if wait:
            status, code, message = REFUSALS["throttled"]
            raise ArmError(status, code, message, headers | {"Retry-After": str(int(wait) + 1)})
        return headers
