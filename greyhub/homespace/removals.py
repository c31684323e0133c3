"""Remove homes from shared claims for a hub or a command: each user's once at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import chain, repeat
from typing import Any, Final

from greyhub.errors import ConfigError
from greyhub.homespace.deletion import TRASH
from greyhub.homespace.shared_claim import SharedClaim
from greyhub.kubernetes.claims import Claims, ClaimUrl, in_words
from greyhub.kubernetes.home_pod import PodSettings
from greyhub.kubernetes.namespace import spawner_option

PAUSES: Final = (5.0, 15.0, 60.0)
"""Seconds between two attempts as the hub starts, of which the last stays."""


class Removals:
    """The homes that are being removed from shared claims, by this process.

    Parameters
    ----------
    homes : greyhub.homespace.kubernetes.KubernetesHomespace
        The platform's homes.
    """

    def __init__(self, homes: Any) -> None:
        self.homes = homes
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}
        """By user: who is at it, and how many want to be."""

    def __contains__(self, username: object) -> bool:
        return username in self._locks

    def shared(self, claims: Claims) -> SharedClaim:
        """The directories of this hub's homes on the claims of a namespace."""
        return SharedClaim(claims, self.homes.hub_id, self.homes.hub_label)

    def directory_of(self, username: str) -> ClaimUrl | None:
        """A user's home if it is a directory of a claim."""
        home = ClaimUrl.read(self.homes.home_of(username))
        return home if home and home.directory else None

    async def delete(self, username: str, days: int) -> str:
        """Put a user's directory into the trash, or with 0 days remove it; where it is now.

        Raises
        ------
        greyhub.errors.HomeError
            It is not this user's alone, or it is not known whether it was done.
        """
        lock, waiting = self._locks.get(username, (asyncio.Lock(), 0))
        self._locks[username] = (lock, waiting + 1)
        try:
            async with lock:
                return await self._delete(username, days)
        finally:
            lock, waiting = self._locks.pop(username)
            if waiting > 1:
                self._locks[username] = (lock, waiting - 1)

    async def _delete(self, username: str, days: int) -> str:
        home = await asyncio.to_thread(self.directory_of, username)
        if home is None:
            return ""
        settings = PodSettings.of(self.homes.parent.config, named_by="")
        settings = replace(settings, owner_image=self.homes.owner_image)
        async with self.homes.claims_of(home.namespace) as claims:
            with in_words(f"the home of {username} was not removed"):
                shared, registry = self.shared(claims), self.homes.registry
                return await shared.delete(username, home, days, registry, settings)

    async def end_left(self) -> None:
        """As the hub starts, end the pods that an earlier one has left; again until it is known."""
        log = self.homes.log
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            try:
                async with self.homes.claims_of(self.homes.namespace) as claims:
                    ended = await self.shared(claims).end_removals(self._locks)
            except Exception as error:
                log.warning("greyhub: whether homes are being removed is not known: %r", error)
            else:
                for user in ended:
                    log.warning(
                        "greyhub: the home of %s was being removed when the hub ended, and that "
                        "was ended, too: if the user is there still, delete them again",
                        user,
                    )
                return
            await asyncio.sleep(pause)

    def check(self) -> None:
        """Raise `ConfigError` where directories cannot be removed with their users."""
        if not spawner_option(self.homes.parent.config, "image"):
            raise ConfigError(
                "a pod removes a user's directory from the shared claim, and it is not known of "
                "which image",
                where="c.KubernetesHomespace.deletion",
                fix="name one with greyhub in it: c.PodSpawner.image",
            )
        if TRASH in self.homes.directory.replace("{filename}", TRASH[1:]).split("/"):
            raise ConfigError(
                f"the directory of a user could be {TRASH}, where homes are that were removed",
                where="c.KubernetesHomespace.directory",
                fix="let the names of directories begin without a dot",
            )
