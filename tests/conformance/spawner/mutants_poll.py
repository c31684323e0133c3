"""Spawners that are broken in what they say of a server: SPAWNER-012 to 019, 060 and 061."""

import asyncio

from tornado.httpclient import HTTPClientError

from greyhub.conformance.mutation import mutant
from tests.conformance.spawner.full import FullSpawner
from tests.conformance.spawner.suites import Full


@mutant("SPAWNER-012", Full, also="SPAWNER-028 SPAWNER-049")
class SaysFalse(FullSpawner):
    """Says False of a server that was never started."""

    async def poll(self):
        if not self.machine and self.server is None and not self._starting:
            return False
        return await super().poll()


@mutant("SPAWNER-013", Full)
class SaysZeroWhilePending(FullSpawner):
    """Takes a machine that has no address yet for one that does not run."""

    async def poll(self):
        if self._starting:
            found = (await self.machines()).get(self.machine)
            return None if found and found["port"] else 0
        return await super().poll()


@mutant("SPAWNER-013", Full)
class KnowsOfNothingUnconfirmed(FullSpawner):
    """Says that there is nothing until the cloud has confirmed that there is."""

    confirmed = False

    async def create(self):
        self.confirmed = False
        await super().create()
        self.confirmed = True

    async def poll(self):
        if self._starting and not self.confirmed:
            return 0
        return await super().poll()


@mutant("SPAWNER-014", Full)
class Flickers(FullSpawner):
    """Says once in a while that a server has ended which runs."""

    asked = 0

    async def poll(self):
        status = await super().poll()
        if status is None and not self._starting:
            try:
                await self.machines()
                self.asked += 1
            except Exception:
                self.asked = 0
        return 0 if status is None and self.asked == 4 else status


@mutant("SPAWNER-014", Full)
class SharesWhatIsOnItsWay(FullSpawner):
    """Takes a list from before a machine was made for one that it would be on."""

    asked = {}

    async def machines(self):
        if self._starting:
            return await super().machines()
        asked = self.asked.get(self.cloud)
        if asked is None or asked.done():
            asked = self.asked[self.cloud] = asyncio.ensure_future(super().machines())
        return await asyncio.shield(asked)


@mutant("SPAWNER-015", Full)
class SaysAString(FullSpawner):
    """Describes how a server has ended, in words."""

    async def poll(self):
        status = await super().poll()
        return f"ExitCode={status}, Error=''" if status else status


@mutant("SPAWNER-016", Full)
class DeadIfThrottled(FullSpawner):
    """Takes a cloud that asks for patience for one that has lost the machine."""

    async def poll(self):
        if self._starting or not self.machine:
            return await super().poll()
        try:
            await self.ask("GET", "/servers")
        except HTTPClientError as error:
            if error.code == 429:
                return 1
        except Exception:
            return None
        return await super().poll()


@mutant("SPAWNER-016", Full)
class DeadIfNonsense(FullSpawner):
    """Takes an answer that it does not understand for a server that has ended."""

    async def poll(self):
        if self._starting or not self.machine:
            return await super().poll()
        try:
            await self.ask("GET", "/servers")
        except ValueError:
            return 1
        except Exception:
            return None
        return await super().poll()


@mutant("SPAWNER-017", Full, also="SPAWNER-060")
class ClearsWhenDead(FullSpawner):
    """Clears the state, and with it the token, when it finds the server dead."""

    async def poll(self):
        status = await super().poll()
        if status is not None and not self._starting and self.machine:
            self.clear_state()
        return status


@mutant("SPAWNER-017", Full)
class CountsPolls(FullSpawner):
    """Keeps in the state how often it was asked."""

    polls = 0

    async def poll(self):
        self.polls += 1
        return await super().poll()

    def get_state(self):
        return {**super().get_state(), **({"polls": self.polls} if self.polls else {})}

    def load_state(self, state):
        super().load_state(state)
        self.polls = state.get("polls", 0)

    def clear_state(self):
        super().clear_state()
        self.polls = 0


@mutant("SPAWNER-018", Full)
class RaisesInAnOutage(FullSpawner):
    """Lets the first error after a restart through to the hub, which takes it for death."""

    seen = False

    async def start(self):
        self.seen = True
        return await super().start()

    async def poll(self):
        if not self.seen and self.server is not None:
            await self.machines()
            self.seen = True
        return await super().poll()


@mutant("SPAWNER-018", Full)
class GivesUpInAnOutage(FullSpawner):
    """Holds a server for lost that it cannot find when the hub starts."""

    seen = False

    async def start(self):
        self.seen = True
        return await super().start()

    async def poll(self):
        if not self.seen and self.server is not None:
            try:
                await self.machines()
            except OSError:
                self.clear_state()
                return 0
            self.seen = True
        return await super().poll()


@mutant("SPAWNER-019", Full)
class AsksForEach(FullSpawner):
    """Asks the cloud once for every poll."""

    async def machines(self):
        return {each["name"]: each for each in await self.ask("GET", "/servers")}


@mutant("SPAWNER-060", Full)
class KeepsItToItself(FullSpawner):
    """Overrides poll_and_notify(), and notifies nobody."""

    async def poll_and_notify(self):
        return await self.poll()


@mutant("SPAWNER-060", Full, also="SPAWNER-048")
class WouldResume(FullSpawner):
    """Has the hub keep the token of a server that has ended, for a next one."""

    will_resume = True


@mutant("SPAWNER-061", Full)
class LooksWhenAsked(FullSpawner):
    """Is polled by whoever asks, and never by the hub itself."""

    def start_polling(self):
        pass


@mutant("SPAWNER-013", Full)
class RemembersTheEnd(FullSpawner):
    """What all spawners know of a machine that has ended stays until the next one is there."""

    ended = {}

    async def start(self):
        url = await super().start()
        self.ended.pop((self.url, self.machine), None)
        return url

    async def poll(self):
        key = (self.url, self.machine)
        if key not in self.ended:
            status = await super().poll()
            if status is None or not self.machine:
                return status
            self.ended[key] = status
        return self.ended[key]


class Doubting(FullSpawner):
    """Asks the cloud once more, and may not like how that fails."""

    async def poll(self):
        if self.machine and not self._starting:
            try:
                await self.ask("GET", "/servers")
            except Exception as error:
                return await self.doubt(error)
            self.doubts = 0
        return await super().poll()

    doubts = 0


@mutant("SPAWNER-016", Full, also="SPAWNER-018")
class DeadIfUnavailable(Doubting):
    """Where the cloud is unavailable, so is the server."""

    async def doubt(self, error):
        return 1 if getattr(error, "code", 0) == 503 else None


@mutant("SPAWNER-016", Full)
class DeadIfForbidden(Doubting):
    """Without the right to see the machine there is none."""

    async def doubt(self, error):
        return 1 if getattr(error, "code", 0) == 403 else None


@mutant("SPAWNER-016", Full)
class DeadAfterFive(Doubting):
    """What was not found five times is gone."""

    async def doubt(self, error):
        self.doubts += 1
        return 1 if self.doubts >= 5 else None


@mutant("SPAWNER-017", Full)
class ClearsInAnOutage(Doubting):
    """While the cloud tells nothing it forgets what it knew, to begin anew."""

    async def doubt(self, error):
        if isinstance(error, OSError):
            self.clear_state()
