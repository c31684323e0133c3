"""Ask the hub about the owners of clusters: their groups, and whether their servers run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout
from dask_gateway_server.backends.base import PublicException

FRESH = 30.0
"""Seconds for which what the hub said of a user counts."""


@dataclass(frozen=True)
class Owner:
    """What the hub says of a user."""

    groups: frozenset[str]
    servers: frozenset[str]
    """The names of the servers that run, start or stop."""
    asked: float


class Owners:
    """What the hub says of the owners of clusters.

    Parameters
    ----------
    url, token : str
        The hub's API, and the broker's token for it.
    grace : float
        Seconds for which a server must be known to be gone before its clusters end.
    period : float
        Seconds between two rounds of questions.
    ends : bool
        Whether clusters end with their servers.
    """

    def __init__(self, url: str, token: str, *, grace: float, period: float, ends: bool) -> None:
        self.url, self._token = url, token
        self.grace, self.period, self.ends = grace, period, ends
        self._known: dict[str, Owner] = {}
        self._gone: dict[str, float] = {}

    async def groups(self, user: str) -> frozenset[str]:
        """The groups of a user, as they are now.

        Raises
        ------
        PublicException
            The hub does not say.
        """
        known = self._known.get(user)
        if known and time.monotonic() - known.asked < FRESH:
            return known.groups
        try:
            found = await self._ask(user)
        except (ClientError, OSError, TimeoutError) as error:
            raise PublicException(
                f"the hub does not say what {user} may have: {error}.\n  fix: try again in a while"
            ) from error
        if found is None:
            raise PublicException(f"the hub knows no user {user}")
        return found.groups

    def known_groups(self, user: str, otherwise: Collection[str]) -> set[str]:
        """The groups of a user, as the hub said last."""
        known = self._known.get(user)
        return set(known.groups if known else otherwise)

    async def _ask(self, user: str) -> Owner | None:
        """What the hub says of a user; None if there is no such user."""
        headers = {"Authorization": f"token {self._token}"}
        url = f"{self.url}/users/{quote(user, safe='')}"
        async with (
            ClientSession(timeout=ClientTimeout(total=10)) as session,
            session.get(url, headers=headers) as answer,
        ):
            if answer.status == 404:
                self._known.pop(user, None)
                return None
            answer.raise_for_status()
            said = await answer.json()
        servers = frozenset(
            name for name, each in said.get("servers", {}).items() if not each.get("stopped")
        )
        owner = Owner(frozenset(said.get("groups", ())), servers, time.monotonic())
        self._known[user] = owner
        return owner

    async def watch(self, backend: Any) -> None:
        """End clusters whose owner's server is gone, for as long as the broker runs."""
        while True:
            await asyncio.sleep(self.period)
            for user in {each.username for each in backend.db.active_clusters()}:
                with suppress(ClientError, OSError, TimeoutError):  # not known is not gone
                    owner = await self._ask(user)
                    if self.ends:
                        self._end(backend, user, owner)

    def _end(self, backend: Any, user: str, owner: Owner | None) -> None:
        now = time.monotonic()
        for cluster in list(backend.db.active_clusters()):
            if cluster.username != user:
                continue
            config = cluster.config
            if owner is None:
                backend.fail(cluster, f"the hub knows no user {user} any more", failed=False)
                continue
            here = config.server in owner.servers if config.known_server else bool(owner.servers)
            if here or config.persist:
                self._gone.pop(cluster.name, None)
                continue
            since = self._gone.setdefault(cluster.name, now)
            if now - since >= self.grace:
                self._gone.pop(cluster.name, None)
                backend.fail(cluster, "the server that asked for it has stopped", failed=False)
