"""What is unknown is not dead, for a bounded time; and then it is said, and costs nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from greyhub.conformance.testkit.azureml import Simulator
from tests.azureml.worlds import World
from tests.support.waiting import PATIENCE, until


def unknown_state(azure: Simulator, name: str) -> None:
    azure.set_state(name, "Unknown")


def outage(azure: Simulator, name: str) -> None:
    azure.fault("unavailable", times=1_000_000)


def no_answer(azure: Simulator, name: str) -> None:
    azure.fault("reset", times=1_000_000)


def no_right(azure: Simulator, name: str) -> None:
    azure.fault("forbidden", times=1_000_000)


TROUBLES = [
    unknown_state,
    outage,
    pytest.param(no_answer, marks=pytest.mark.slow),
    pytest.param(no_right, marks=pytest.mark.slow),
]


def limit(world: World, seconds: float) -> None:
    """Start the hub with a limit for what is unknown, and one second for an answer."""
    world.hub.config["AzureMLSpawner"]["unknown_timeout"] = seconds
    world.hub.config["AzureML"]["patience"] = 0.5
    world.hub.stop()
    world.start_hub()


def say_nothing_for_long(world: World) -> None:
    """Wait until polls learn nothing, and let it have been so for days."""
    spawner = world.spawner()

    async def learns() -> bool:
        before = spawner._since
        await spawner.poll()
        return bool(spawner._since != before)

    until(lambda: not world.hub.run(learns), what="a poll that learns nothing")
    spawner._since -= 1e6


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_server_of_which_nobody_tells_ends_and_its_machine_is_stopped_later(
    world: World, trouble: Callable[[Simulator, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    limit(world, 0.5)
    world.start()
    [name] = world.instances()
    world.agents.fall_silent()
    trouble(world.azure, name)
    until(lambda: world.model() is None, what="the hub's notice")
    assert f"the server {world.user} counts as ended" in caplog.text
    assert "fix:" in caplog.text
    world.azure.heal()
    if trouble is unknown_state:
        world.azure.set_state(name, "Running")
    until(lambda: world.states() == ["Stopped"], what="the machine's end")
    world.agents.new_hub()
    world.start()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_server_whose_agent_is_heard_of_goes_on(
    world: World, trouble: Callable[[Simulator, str], None]
) -> None:
    limit(world, 10 * PATIENCE)
    world.start()
    [name] = world.instances()
    trouble(world.azure, name)
    say_nothing_for_long(world)
    assert world.hub.run(world.spawner().poll) is None
    world.azure.heal()
    world.azure.set_state(name, "Running")
    assert world.model()
    assert world.answers()


def test_without_a_limit_it_is_waited_for_ever(world: World) -> None:
    limit(world, 0)
    world.start()
    world.agents.fall_silent()
    world.azure.set_state(*world.instances(), "Unknown")
    say_nothing_for_long(world)
    assert world.hub.run(world.spawner().poll) is None


def test_a_start_takes_back_the_end_of_the_machine(world: World) -> None:
    """The user comes back before Azure has answered: the machine is theirs, and stays."""
    limit(world, 0.5)
    world.start()
    [name] = world.instances()
    world.agents.fall_silent()
    world.azure.set_state(name, "Unknown")
    stops = world.azure.fault("unavailable", method="POST", path="/stop$", times=1_000_000)
    until(lambda: world.model() is None and stops.hits, what="an end that does not come")
    world.azure.set_state(name, "Running")
    world.agents.new_hub()
    world.start()
    world.azure.heal()
    hits = stops.hits
    until(lambda: world.spawner()._since, what="another look")
    assert (world.states(), stops.hits) == (["Running"], hits)
    assert world.answers()
