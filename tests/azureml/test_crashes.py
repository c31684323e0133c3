"""A hub that is killed at each request to Azure, and a start that is cancelled at each of its
waits: no server is lost, none is left, and there are never two instances of one.

The hub is in this process, and a killed one is a loop that never runs again. Instances have
states and agents, and no machines.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Generator
from itertools import count
from typing import Any

import pytest

from greyhub.spawners import azureml_poll
from tests.azureml.worlds import Step, World, ending
from tests.support.waiting import PATIENCE, until

NEW: list[Step] = [
    ("PUT", "/computes/NAME"),
    ("GET", "/computes/NAME"),
    ("GET", "/computes"),
    ("GET", "/lab-workspace"),
]
AGAIN: list[Step] = [("POST", "/start"), ("GET", "/computes/NAME"), ("GET", "/computes")]
STOP: list[Step] = [
    ("POST", "/stop"),
    ("GET", "/computes/NAME"),
    ("GET", "/computes"),
    ("GET", "/computeOperationsStatus/NAME"),
]
DELETE: list[Step] = [
    ("DELETE", "/computes/NAME"),
    ("GET", "/computes/NAME"),
    ("GET", "/computes"),
    ("GET", "/computeOperationsStatus/NAME"),
]
"""The requests of a first start, a later one, a stop and a deletion."""


def cases(steps: list[Step], *always: bool) -> Any:
    """Each step before it is done and after; of the first, which changes something, some always."""
    found = [
        pytest.param(
            step,
            done,
            id=f"{step[0]} {step[1]} {'after' if done else 'before'}",
            marks=[] if step == steps[0] and done in always else pytest.mark.slow,
        )
        for step in steps
        for done in (False, True)
    ]
    return pytest.mark.parametrize(("step", "done"), found)


@cases(NEW, False, True)
def test_killed_in_a_first_start(world: World, step: Step, done: bool) -> None:
    world.killed_at(step, done, lambda: world.api("POST"))
    world.is_whole()


@pytest.mark.slow
def test_an_instance_that_is_not_shown_yet_when_the_next_hub_looks_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azureml_poll, "SETTLING", 60 * PATIENCE)
    world.azure.lag(get=0.6, list=0.6)
    try:
        world.killed_at(NEW[0], True, lambda: world.api("POST"))
        until(lambda: (world.model() or {}).get("ready"), what="the server, found again")
    finally:
        world.azure.lag()
    world.is_whole()


@cases(AGAIN, True)
def test_killed_in_a_later_start(world: World, step: Step, done: bool) -> None:
    world.start()
    world.stop()
    world.killed_at(step, done, lambda: world.api("POST"))
    world.is_whole()


@cases(STOP, False)
def test_killed_in_a_stop(world: World, step: Step, done: bool) -> None:
    world.start()
    world.killed_at(step, done, lambda: world.api("DELETE"))
    world.is_whole()


@pytest.mark.slow
def test_the_next_hub_does_not_wait_for_a_server_whose_machine_stops(world: World) -> None:
    world.hub.config["Spawner"]["start_timeout"] = 3600
    world.start()
    world.azure.cloud.times.stop = 2.0
    try:
        world.killed_at(STOP[0], True, lambda: world.api("DELETE"))
        assert world.states() == ["Stopping"]
        until(lambda: world.model() is None, what="the server's end")
    finally:
        world.azure.cloud.times.stop = 0.05
    world.is_whole()


@cases(DELETE, True)
def test_killed_in_a_deletion(world: World, step: Step, done: bool) -> None:
    world.start()
    world.stop()
    world.killed_at(step, done, lambda: world.api("DELETE", ""))
    world.is_whole()


@pytest.mark.slow
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_killed_in_a_poll(world: World, done: bool) -> None:
    world.start()
    world.killed_at(("GET", "/computes"), done, lambda: None)
    assert world.model()
    world.is_whole()


@pytest.mark.slow
def test_these_are_all_requests(world: World) -> None:
    steps, wild = [NEW, STOP, AGAIN, STOP, DELETE], dict[str, list[str]]()
    for number, wanted in enumerate(steps):
        before = len(world.azure.requests)
        if wanted in (NEW, AGAIN):
            world.start()
        elif wanted is STOP:
            world.stop()
        else:
            world.api("DELETE", "")
            until(lambda: not world.instances(), what="the instance's end")
        found = [(each.method, each.path) for each in world.azure.requests[before:]]
        wild[str(number)] = [
            f"{method} {path}"
            for method, path in found
            if not any(method == m and re.search(ending(p), path) for m, p in wanted)
        ]
    assert not any(wild.values()), wild


class CancelledAt:
    """What awaits a coroutine, and cancels it where it waits for the so-manieth time."""

    def __init__(self, coroutine: Any, left: int) -> None:
        self.coroutine, self.left = coroutine, left

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self.coroutine.__await__()
        try:
            waits = inner.send(None)
            while True:
                self.left -= 1
                if self.left == 0:
                    waits = inner.throw(asyncio.CancelledError())
                try:
                    got = yield waits
                except BaseException as error:
                    waits = inner.throw(error)
                else:
                    waits = inner.send(got)
        except StopIteration as ended:
            return ended.value


def cancelled(world: World, number: int) -> bool:
    """Whether a start was cancelled at one of its waits; it is not if there are fewer."""
    waiting: list[CancelledAt] = []

    async def start() -> None:
        user = world.hub.app.users[world.user]
        spawner = user.spawner
        begin = spawner.start

        async def held() -> Any:
            waiting.append(CancelledAt(begin(), number))
            return await waiting[-1]

        spawner.start = held
        try:
            await user.spawn()
        except BaseException:  # as the handler of a DELETE does
            await user.stop()
        finally:
            del spawner.start

    world.hub.run(start, timeout=60 * PATIENCE)
    return waiting[0].left <= 0


@pytest.mark.slow
@pytest.mark.parametrize("again", [False, True], ids=["first", "later"])
def test_cancelled_at_each_wait_of_a_start(world: World, again: bool) -> None:
    for number in count(1):
        world.user = f"eve{next(World.numbers)}"
        world.hub.add_user(world.user)
        if again:
            world.start()
            world.stop()
        if not cancelled(world, number):
            break
        until(world.agrees, what=f"hub and Azure to agree after wait {number}")
        assert world.model() is None, number
        world.start()
        world.stop()
    assert number > 3  # it waits for Azure, and then for the server
