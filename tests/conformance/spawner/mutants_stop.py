"""Spawners that are broken in how they stop: SPAWNER-020 to 025."""

import asyncio
import hashlib
from contextlib import suppress

from tornado.httpclient import HTTPClientError

from greyhub.conformance.mutation import mutant
from tests.conformance.spawner.full import FullSpawner
from tests.conformance.spawner.suites import Full
from tests.support.waiting import PATIENCE


@mutant("SPAWNER-020", Full, also="SPAWNER-022 SPAWNER-023 SPAWNER-031")
class ReturnsBeforeItIsGone(FullSpawner):
    """Asks the cloud to end the machine, and does not wait for it."""

    async def stop(self, now=False):
        name = self.name_of_machine
        found = (await self.machines()).get(name)
        if found is None:
            return
        self.ending = asyncio.ensure_future(self.later(name, found["labels"]["run"], now))

    async def later(self, name, run, now):
        await asyncio.sleep(0.3)
        found = (await self.machines()).get(name)
        if found is not None and found["labels"]["run"] == run:
            await self.remove(name, 0 if now else self.grace)


@mutant("SPAWNER-020", Full)
class NeverSure(FullSpawner):
    """Says of a machine that is gone that it does not know."""

    async def poll(self):
        if self.machine and not self._starting:
            try:
                if self.machine not in await self.machines():
                    return None
            except Exception:
                return None
        return await super().poll()


@mutant("SPAWNER-021", Full)
class RaisesIfGone(FullSpawner):
    """Raises in stop() where there is nothing to stop."""

    async def stop(self, now=False):
        if self.name_of_machine not in await self.machines():
            raise RuntimeError("there is no such machine")
        await super().stop(now)


@mutant("SPAWNER-022", Full)
class KnowsNoNow(FullSpawner):
    """Does not take `now`."""

    async def stop(self):
        await self.remove(self.name_of_machine, self.grace)


@mutant("SPAWNER-022", Full)
class TakesItsTime(FullSpawner):
    """Takes as long for stop(now=True) as for a polite stop."""

    async def stop(self, now=False):
        if now:
            await asyncio.sleep(4 * PATIENCE)
        await super().stop(now)


@mutant("SPAWNER-023", Full)
class TriesOnce(FullSpawner):
    """Gives up at the first error of the cloud."""

    async def stop(self, now=False):
        try:
            await self.ask("DELETE", f"/servers/{self.name_of_machine}?grace={0 if now else 1}")
        except HTTPClientError as error:
            if error.code != 404:
                raise


@mutant("SPAWNER-023", Full)
class SwallowsTheError(FullSpawner):
    """Ends stop() in silence when the cloud would not end the machine."""

    async def stop(self, now=False):
        try:
            await super().stop(now)
        except Exception:
            self.log.warning("The machine could not be ended")


@mutant("SPAWNER-025", Full, also="SPAWNER-023")
class WaitsForEver(FullSpawner):
    """Tries to reach the cloud until it succeeds."""

    async def stop(self, now=False):
        while True:
            try:
                return await super().stop(now)
            except OSError:
                await asyncio.sleep(0.1)


@mutant("SPAWNER-027", Full, also="SPAWNER-030 SPAWNER-032")
class LoadsTheDefault(FullSpawner):
    """After a restart it looks for a server with a name where the one without was."""

    def load_state(self, state):
        super().load_state(state)
        if self.machine:
            self.machine = self.identity("")


@mutant("SPAWNER-027", Full, also="SPAWNER-032")
class StopsOnlyItsOwn(FullSpawner):
    """Ends a machine by its run's label, which a restarted hub cannot know."""

    async def stop(self, now=False):
        run = hashlib.sha256(self.api_token.encode()).hexdigest()[:12]
        found = (await self.machines()).get(self.name_of_machine)
        if found is None or (self.machine and found["labels"]["run"] != run):
            return
        await super().stop(now)


@mutant("SPAWNER-027", Full, also="SPAWNER-032")
class NeedsItsHandle(FullSpawner):
    """Stops through a handle that it has only in the process that made it."""

    handle = True

    def load_state(self, state):
        super().load_state(state)
        self.handle = not self.machine

    async def stop(self, now=False):
        if self.handle:
            await super().stop(now)


@mutant("SPAWNER-020", Full, also="SPAWNER-023")
class StopsOnce(FullSpawner):
    """What was stopped need not be stopped: it notes the name, and forgets it never."""

    stopped = set()

    async def stop(self, now=False):
        key = (self.url, self.name_of_machine)
        if key not in self.stopped:
            await super().stop(now)
        if self.machine:
            self.stopped.add(key)


@mutant("SPAWNER-022", Full)
class NowIsSoon(FullSpawner):
    """stop(now=True) has no time to wait until the machine is gone."""

    async def stop(self, now=False):
        if now:
            self.ending = asyncio.ensure_future(self.later(self.name_of_machine))
        else:
            await super().stop()

    async def later(self, name):
        await asyncio.sleep(0.5)
        await self.remove(name)


@mutant("SPAWNER-023", Full)
class TriesOnceIfThrottled(FullSpawner):
    """Whoever is asked to come back later has been told no."""

    async def ask(self, method, path, body=None, limit=5):
        try:
            return await super().ask(method, path, body, limit)
        except HTTPClientError as error:
            if method == "DELETE" and error.code == 429:
                raise RuntimeError("the cloud does not want to end it") from error
            raise


@mutant("SPAWNER-023", Full)
class SwallowsTheNetwork(FullSpawner):
    """A cloud that cannot be reached in the end has no machines any more."""

    async def stop(self, now=False):
        with suppress(OSError):
            await super().stop(now)
