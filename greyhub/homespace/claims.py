"""Find, make, grow and take away users' claims, with what is remembered of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from typing import Any

from greyhub.errors import HomeError
from greyhub.homespace.registry import HomeRegistry
from greyhub.kubernetes import claims as its
from greyhub.kubernetes.claims import Claim, Claims, ClaimUrl
from greyhub.kubernetes.objects import HUB


@dataclass(frozen=True)
class NewHome:
    """The home of a user of whom none is remembered."""

    names: Sequence[str]
    """Of claims: the first that is there is taken, otherwise the first is made."""
    own: Callable[[int], str]
    """Further names, by number, where claims of these are in the trash."""
    manifest: Callable[[str], Mapping[str, Any]]
    """A claim, by its name."""
    shared: ClaimUrl | None = None
    """The directory of a claim that all share, instead."""


class HomeClaims:
    """The homes of one hub on the claims of one namespace.

    Parameters
    ----------
    claims : Claims
        The claims.
    registry : HomeRegistry
        Which is whose, as it was decided.
    hub : str
        The hub's label.
    log : logging.Logger
        Is told what was not done.

    Raises
    ------
    greyhub.errors.HomeError
        There is no home that is this user's, or it is not to be touched.
    greyhub.kubernetes.requests.Unreachable, kubernetes_asyncio.client.ApiException
        As `Claims` does.
    """

    def __init__(self, claims: Claims, registry: HomeRegistry, hub: str, log: Any) -> None:
        self.claims, self.registry, self.hub, self.log = claims, registry, hub, log

    async def open(self, username: str, new: NewHome, size: str) -> ClaimUrl:
        """A user's home: the remembered one, one that is there, or a new one.

        What it says is the same however often it is asked: a claim is made before it is
        remembered, under a name that it has every time.
        """
        url = self.registry.read().get(username)
        if url:
            home = self._remembered(url, username)
            claim = await self.claims.get(home.claim)
        elif new.shared:
            home = new.shared
            claim = await self.claims.get(home.claim)
        else:
            claim = await self._found_or_made(new)
            home = ClaimUrl(self.claims.namespace, its.name_of(claim))
        if claim is None:
            raise lost(home, username)
        its.check_stays(claim)
        if not home.directory:
            its.check_owner(claim, username, self.hub)
            if its.trashed(claim):  # its user was to be deleted, and was not
                await self.claims.patch(home.claim, {"metadata": {"labels": {its.TRASHED: None}}})
            await self._grow(claim, size)
        await asyncio.to_thread(self.registry.remember, username, str(home), alone=True)
        return home

    def _remembered(self, url: str, username: str) -> ClaimUrl:
        home = ClaimUrl.read(url)
        if home is None:
            raise HomeError(
                f"the home of {username} is at {url}, and not on a claim.\n  fix: copy it, with "
                "greyhub home copy --switch, or set c.GreyHub.homespace as it was"
            )
        if home.namespace != self.claims.namespace:
            raise HomeError(
                f"the home of {username} is in the namespace {home.namespace}, and its server in "
                f"{self.claims.namespace}: it cannot be mounted there.\n"
                "  fix: set c.KubeSpawner.namespace as it was"
            )
        return home

    async def _found_or_made(self, new: NewHome) -> Claim:
        free = []
        for name in new.names:
            claim = await self.claims.get(name)
            if claim and not its.trashed(claim):
                return claim
            if claim is None:
                free.append(name)
        for name in chain(free, map(new.own, count(1))):
            claim = await self.claims.create(new.manifest(name))
            if not its.trashed(claim):
                return claim
        raise AssertionError("unreachable")

    async def _grow(self, claim: Claim, size: str) -> None:
        bound = claim.get("status", {}).get("phase") == "Bound"
        if bound and its.is_smaller(claim, size) and (why := await self.claims.grow(claim, size)):
            name = its.name_of(claim)
            self.log.warning("greyhub: the claim %s does not grow to %s: %s", name, size, why)

    async def delete(self, username: str, new: ClaimUrl, days: int) -> str:
        """Put a user's claim into the trash, or with 0 days delete it; where it is now.

        Of a user of whom no home is remembered, the claim ``new`` goes if it says that this hub
        made it for them. The trash is rid of what has been in it for longer.
        """
        known = self.registry.read()
        url = known.get(username)
        home = ClaimUrl.read(url) if url else new
        if home is None or home.directory:
            raise HomeError(
                f"the home of {username}, {url or home}, is not a claim of its own: nothing was "
                "removed.\n  fix: remove it by hand"
            )
        for other, theirs in known.items():
            if other != username and f"{theirs}/".startswith(f"{home}/"):
                raise HomeError(
                    f"the home of {username}, {home}, is also {other}'s: {theirs}. Nothing was "
                    f"removed.\n  fix: look at {self.registry.path}, and remove it by hand"
                )
        claim = await self.claims.get(home.claim)
        ours = claim and its.made_for(claim, username, self.hub) and not its.trashed(claim)
        if url is None and not ours:
            claim = None
        if claim:
            its.check_owner(claim, username, self.hub)
            if not days:
                await self.claims.delete(claim)
            elif not its.trashed(claim):
                labels = {its.TRASHED: f"{datetime.now(UTC):%Y-%m-%d}", HUB: self.hub}
                await self.claims.patch(home.claim, {"metadata": {"labels": labels}})
        if url:
            self.registry.move(username, None)
        if days:
            await self._purge(days)
        return str(home) if claim and days else ""

    async def _purge(self, days: int) -> None:
        oldest = f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}"
        used = {ClaimUrl.read(url) for url in self.registry.read().values()}
        for claim in await self.claims.in_trash(self.hub):
            home = ClaimUrl(self.claims.namespace, its.name_of(claim))
            if its.trashed(claim) < oldest and home not in used:
                await self.claims.delete(claim)
                self.log.info("greyhub: %s was in the trash for %s days, and is gone", home, days)


def lost(home: ClaimUrl, username: str) -> HomeError:
    """A claim is not there that should be."""
    if home.directory:
        return HomeError(
            f"the claim {home.claim}, which holds the homes, is not in the namespace "
            f"{home.namespace}.\n  fix: make it, or correct c.KubernetesHomespace.shared_claim"
        )
    return HomeError(
        f"the home of {username} was on the claim {home.claim}, and it is not there any more.\n"
        "  fix: bring the claim back, from a backup; or let them begin anew: greyhub home delete "
        f"{username}"
    )
