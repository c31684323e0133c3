"""One list for all who look: one request, one answer, and a fresh one after a change."""

from __future__ import annotations

import asyncio

import pytest

from greyhub.azureml.errors import Refused, Unavailable
from greyhub.azureml.shared_list import SharedList


class Source:
    """What is listed; each request waits until it may answer."""

    def __init__(self):
        self.requests, self.trouble = 0, None
        self.open = asyncio.Event()
        self.open.set()

    async def load(self):
        """The number of the request as the only item, as it was when it began."""
        self.requests += 1
        number = self.requests
        await self.open.wait()
        if self.trouble:
            raise self.trouble
        return {"x": number}


async def settle():
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_many_who_look_share_one_request():
    """At the same time, and within the interval."""
    source = Source()
    shared = SharedList(source.load, 3600)
    answers = await asyncio.gather(*(shared.look() for _ in range(500)))
    assert (await shared.look()) == {"x": 1}
    assert source.requests == 1
    assert all(each == {"x": 1} for each in answers)


async def test_after_a_change_the_next_look_is_fresh(monkeypatch):
    """Also where a request that began before it is under way."""
    monkeypatch.setattr("greyhub.azureml.shared_list.APART", 0.0)
    source = Source()
    shared = SharedList(source.load, 3600)
    source.open.clear()
    early = asyncio.ensure_future(shared.look())
    await settle()
    shared.changed()
    late = [asyncio.ensure_future(shared.look()) for _ in range(10)]
    await settle()
    source.open.set()
    assert await early == {"x": 1}
    assert await asyncio.gather(*late) == [{"x": 2}] * 10
    assert source.requests == 2


async def test_who_gives_up_ends_nobody_elses_request():
    """A server that is cancelled while it starts, for one."""
    source = Source()
    shared = SharedList(source.load, 3600)
    source.open.clear()
    one, other = (asyncio.ensure_future(shared.look()) for _ in range(2))
    await settle()
    one.cancel()
    await settle()
    source.open.set()
    assert await other == {"x": 1}
    assert one.cancelled()


async def test_what_cannot_be_had_says_so_and_is_shared(monkeypatch):
    """With the age of the last answer, which is kept."""
    monkeypatch.setattr("greyhub.azureml.shared_list.APART", 0.0)
    source = Source()
    shared = SharedList(source.load, 3600)
    assert shared.age is None
    await shared.look()
    source.trouble = Unavailable("Azure is away", retry_after=7)
    shared.changed()
    for _ in range(10):
        with pytest.raises(Unavailable, match="Azure is away; the last answer is") as caught:
            await shared.look()
    assert caught.value.age is not None
    assert caught.value.retry_after == 7
    assert shared.items == {"x": 1}
    assert source.requests == 2
    source.trouble = None
    shared.changed()
    assert await shared.look() == {"x": 3}


async def test_a_refusal_stays_a_refusal(monkeypatch):
    """Nobody takes it for a list without items."""
    source = Source()
    source.trouble = Refused("right", "no")
    with pytest.raises(Refused):
        await SharedList(source.load, 3600).look()
