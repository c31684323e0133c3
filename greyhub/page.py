"""The table of the platform's parts on the hub's home page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from greyhub.adapter import Adapter, Finding
from greyhub.starts.summary import Summary, summary

TIME_LIMIT = 5.0
"""Seconds that one adapter's check may take before the page goes on without it."""

FRESH = 30.0
"""Seconds for which the result of the checks is shown again."""


@dataclass(frozen=True)
class Row:
    """One slot on the page."""

    slot: str
    value: str
    label: str
    version: str
    findings: Sequence[Finding]

    @property
    def level(self) -> str:
        """The worst of the findings."""
        levels = [finding.level for finding in self.findings]
        return next((level for level in ("error", "warning", "note") if level in levels), "ok")


class Page:
    """The template's variable ``platform``. Its coroutines are awaited by jinja."""

    def __init__(
        self, name: str, adapters: Mapping[str, Adapter], values: Mapping[str, object]
    ) -> None:
        self.name, self._adapters, self._values = name, adapters, values
        self._rows: list[Row] = []
        self._read = float("-inf")
        self._lock = asyncio.Lock()

    @staticmethod
    def url(handler: Any) -> str:
        """The URL that users see first: the hub's home page, with the table on it."""
        return f"{handler.hub.base_url}home"

    async def rows(self) -> list[Row]:
        """The filled slots with their health, at most `FRESH` seconds old."""
        async with self._lock:
            if time.monotonic() - self._read > FRESH:
                self._rows = list(await asyncio.gather(*map(self._row, self._adapters)))
                self._read = time.monotonic()
            return self._rows

    @staticmethod
    def starts(user: Any) -> Summary:
        """How long the last starts of servers took, for an administrator; else nothing."""
        from greyhub.starts.table import read

        return summary(read(user.db) if user.admin else [])

    async def _row(self, slot: str) -> Row:
        adapter: Adapter = self._adapters[slot]
        value = self._values[slot]
        return Row(
            slot=slot,
            value=value if isinstance(value, str) else getattr(value, "__name__", "?"),
            label=adapter.label(),
            version=_version(adapter.distribution),
            findings=await check(adapter),
        )


async def check(adapter: Adapter, limit: float = TIME_LIMIT) -> Sequence[Finding]:
    """The adapter's own findings; a check that hangs or raises is an error."""
    try:
        return await asyncio.wait_for(adapter.check(), limit)
    except TimeoutError:
        return [Finding("error", f"no answer within {limit:g} s", "see whether its backend is up")]
    except Exception as error:
        adapter.log.exception("greyhub: the check of %s failed", type(adapter).__name__)
        return [Finding("error", f"the check itself failed: {error!r}", "see the hub's log")]


def _version(distribution: str) -> str:
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:
        return distribution
