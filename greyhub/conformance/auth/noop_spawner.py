"""A spawner that starts nothing, for hubs that only test logins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from jupyterhub.spawner import Spawner

_up: set[tuple[str, str]] = set()
_failing: set[str] = set()


class NoopSpawner(Spawner):  # type: ignore[misc]
    """Runs nothing; the hub's own address answers for it."""

    async def start(self) -> tuple[str, int]:
        """Begin to count as running."""
        if any(self.hub.api_url.startswith(f"{url}/") for url in _failing):
            raise RuntimeError("the suite lets the start fail")
        _up.add(self._key)
        hub = urlsplit(self.hub.api_url)
        return hub.hostname or "", hub.port or 0

    async def stop(self, now: bool = False) -> None:
        """Count as running no more."""
        _up.discard(self._key)

    async def poll(self) -> int | None:
        """None while it counts as running."""
        return None if self._key in _up else 0

    @property
    def _key(self) -> tuple[str, str]:
        return self.hub.api_url, self.user.name


def running(hub: str) -> set[str]:
    """The users of a hub that have a server; `hub` is its address without a path."""
    return {user for url, user in _up if url.startswith(f"{hub}/")}


@contextmanager
def failing(hub: str) -> Iterator[None]:
    """Let every start on a hub fail while a block lasts."""
    _failing.add(hub)
    try:
        yield
    finally:
        _failing.discard(hub)
