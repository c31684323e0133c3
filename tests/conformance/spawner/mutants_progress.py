"""Spawners that are broken in what they tell of a start: SPAWNER-044 to 047."""

import html

from greyhub.conformance.mutation import mutant
from tests.conformance.spawner.full import FullSpawner
from tests.conformance.spawner.suites import Full


@mutant("SPAWNER-044", Full)
class CountsBeyond(FullSpawner):
    """Counts on beyond a hundred."""

    async def progress(self):
        async for event in super().progress():
            yield {**event, "progress": event.get("progress", 0) + 60}


@mutant("SPAWNER-044", Full)
class TellsOne(FullSpawner):
    """Tells each event to one consumer alone, through a queue."""

    async def progress(self):
        queue = self.queues.setdefault(self.machine or self.api_token, [])
        if not queue:
            queue += ["Asking the cloud", "Waiting for the machine"]
        while queue:
            yield {"progress": 20, "message": queue.pop(0)}
            await self.pause()
        while self._starting and self._spawn_pending:
            for text in await self.events():
                yield {"progress": 30, "message": text}
            await self.pause()

    queues = {}


@mutant("SPAWNER-045", Full, also="SPAWNER-046")
class TellsForEver(FullSpawner):
    """Waits for the address of a machine that has none, after the start was given up."""

    async def progress(self):
        async for event in super().progress():
            yield event
        while not self.machine or self.server is None:
            await self.pause()


@mutant("SPAWNER-046", Full, also="SPAWNER-044")
class TellsOldNews(FullSpawner):
    """Keeps the events of all starts, and tells them all."""

    async def progress(self):
        kept = self.kept.setdefault((self.url, self.namespace, self.user.name, self.name), [])
        for event in list(kept):
            yield event
        async for event in super().progress():
            kept.append(event)
            yield event

    kept = {}


@mutant("SPAWNER-047", Full)
class TrustsTheCloud(FullSpawner):
    """Shows what the cloud says as it is."""

    async def progress(self):
        async for event in super().progress():
            yield {**event, "html_message": f"<b>{event['message']}</b>"}


@mutant("SPAWNER-046", Full)
class BeginsWithTheLast(FullSpawner):
    """Shows what it showed last, until there is something new."""

    shown = {}

    async def progress(self):
        key = (self.url, self.identity())
        if key in self.shown:
            yield self.shown[key]
        async for event in super().progress():
            last = {"message": event["message"]}
            yield last
        self.shown[key] = last


@mutant("SPAWNER-047", Full)
class BansScripts(FullSpawner):
    """Takes scripts out of what the cloud says, and leaves the rest of its markup."""

    async def progress(self):
        async for event in super().progress():
            text = html.unescape(event.get("html_message", ""))
            yield {**event, "html_message": text.replace("<script", "").replace("</script", "")}
