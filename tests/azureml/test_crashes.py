"""A hub that is killed at each request to Azure, and a start that is cancelled at each of its
waits: no server is lost, none is left, and there are never two instances of one.

The hub is in this process, and a killed one is a loop that never runs again. Instances have
states and agents, and no machines.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from greyhub.conformance.testkit.azureml import Simulator
from tests.azureml.worlds import Step, World, ending
from tests.support.waiting import PATIENCE, until

NEW: list[Step] = [("PUT", "/computes/NAME"), ("GET", "/computes/NAME"), ("GET", "/computes")]
NEW_TOO = [("GET", "/lab-workspace")]
AGAIN: list[Step] = [("POST", "/start"), ("GET", "/computes/NAME"), ("GET", "/computes")]
STOP: list[Step] = [("POST", "/stop"), ("GET", "/computes/NAME"), ("GET", "/computes")]
STOP_TOO = [("GET", "/computeOperationsStatus/NAME")]
DELETE: list[Step] = [("DELETE", "/computes/NAME"), ("GET", "/computes/NAME")]
DELETE_TOO = [("GET", "/computes"), ("GET", "/computeOperationsStatus/NAME")]


def cases(quick: list[Step], slow: list[Step]) -> Any:
    """Each step before it is done and after; the first one's in every run."""
    found = [
        pytest.param(
            step,
            done,
            id=f"{step[0]} {step[1].rpartition('/lab')[2]} {'after' if done else 'before'}",
            marks=[] if step in quick else pytest.mark.slow,
        )
        for step in [*quick, *slow]
        for done in (False, True)
    ]
    return pytest.mark.parametrize(("step", "done"), found)


@cases(NEW[:1], NEW[1:] + NEW_TOO)
def test_killed_in_a_first_start(world: World, step: Step, done: bool) -> None:
    world.killed_at(step, done, lambda: world.api("POST"))
    world.is_whole()


@cases(AGAIN[:1], AGAIN[1:])
def test_killed_in_a_later_start(world: World, step: Step, done: bool) -> None:
    world.start()
    world.stop()
    world.killed_at(step, done, lambda: world.api("POST"))
    world.is_whole()


@cases(STOP[:1], STOP[1:] + STOP_TOO)
def test_killed_in_a_stop(world: World, step: Step, done: bool) -> None:
    world.start()
    world.killed_at(step, done, lambda: world.api("DELETE"))
    world.is_whole()


@cases(DELETE[:1], DELETE[1:] + DELETE_TOO)
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


@contextmanager
def noted(azure: Simulator, into: set[Step]) -> Iterator[None]:
    before = len(azure.requests)
    yield
    for each in azure.requests[before:]:
        for step in [*NEW, *NEW_TOO, *AGAIN, *STOP, *STOP_TOO, *DELETE]:
            if each.method == step[0] and re.search(ending(step[1]), each.path):
                into.add(step)
                break
        else:
            raise AssertionError(f"no step: {each.method} {each.path}")


@pytest.mark.slow
def test_these_are_all_requests(world: World) -> None:
    found: list[set[Step]] = [set() for _ in range(4)]
    with noted(world.azure, found[0]):
        world.start()
    with noted(world.azure, found[2]):
        world.stop()
    with noted(world.azure, found[1]):
        world.start()
    world.stop()
    with noted(world.azure, found[3]):
        world.api("DELETE", "")
        until(lambda: not world.instances(), what="the end")
    assert found[0] <= {*NEW, *NEW_TOO}
    assert found[1] <= set(AGAIN)
    assert found[2] <= {*STOP, *STOP_TOO}
    assert found[3] <= {*DELETE, *DELETE_TOO}


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
