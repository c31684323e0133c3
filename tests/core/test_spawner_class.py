"""What the hub's Spawner class does while nobody knows whether a server runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from greyhub import spawner_class as module
from greyhub.spawner_class import StillThere, spawner_class


class Backend:
    """Stands in for a Spawner: answers a poll and a stop as it was told to."""

    _log_name = "ada:"
    log = logging.getLogger("tests")
    _check_pending = False
    name = ""
    user = "ada"

    def __init__(self, polls: list[Any], stops: list[Any] | None = None) -> None:
        self.polls, self.stops = polls, stops or []
        self.stopped = 0

    async def poll(self) -> Any:
        return _answer(self.polls)

    async def stop(self, now: bool = False) -> None:
        self.stopped += 1
        _answer(self.stops)

    def delete_forever(self) -> None:
        """Some Spawners' is no coroutine."""


def _answer(answers: list[Any]) -> Any:
    answer = answers.pop(0) if len(answers) > 1 else next(iter(answers), None)
    if isinstance(answer, Exception):
        raise answer
    return answer


AWAY = OSError("the API server is away")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "PAUSES", (0.0,))
    return


def spawner(*polls: Any, stops: Any = (None,)) -> Any:
    return spawner_class(Backend)([*polls], [*stops])


async def test_a_poll_that_raises_is_no_end() -> None:
    made = spawner(AWAY, 1)
    assert await made.poll() is None
    assert await made.poll() == 1


@pytest.mark.parametrize("known", [None, 0])
async def test_as_the_hub_starts_it_waits_until_it_is_known(known: int | None) -> None:
    made = spawner(AWAY, AWAY, known)
    made._check_pending = True
    assert await made.poll() is known
    assert len(made.polls) == 1


async def test_it_does_not_wait_for_a_server_that_somebody_stops_meanwhile() -> None:
    made = spawner(AWAY)
    made._check_pending = True
    made.log = Ends(made)
    assert await made.poll() is None


class Ends:
    """A log at whose first line the check is over."""

    def __init__(self, made: Any) -> None:
        self.made = made

    def warning(self, *arguments: Any) -> None:
        self.made._check_pending = False


async def test_a_stop_goes_on_while_it_is_not_known() -> None:
    made = spawner(AWAY, AWAY, AWAY, AWAY, AWAY, AWAY, 0, stops=(AWAY,))
    await made.stop()
    assert made.stopped == 7


async def test_a_stop_that_failed_of_a_server_that_ended_has_not_failed() -> None:
    made = spawner(0, stops=(AWAY,))
    await made.stop()
    assert made.stopped == 1


async def test_a_refused_stop_is_said_in_its_own_words() -> None:
    made = spawner(None, stops=(PermissionError("not yours"),))
    with pytest.raises(PermissionError, match="not yours"):
        await made.stop()
    assert made.stopped == module.TRIES


async def test_a_server_that_does_not_end_is_an_error() -> None:
    with pytest.raises(StillThere, match="ada"):
        await spawner(None).stop()


async def test_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", -1.0)
    with pytest.raises(OSError, match="away"):
        await spawner(AWAY).stop()


@pytest.mark.parametrize(("name", "told"), [("", ["ada"]), ("second", [])])
async def test_a_deleted_user_is_told_of_once(name: str, told: list[str]) -> None:
    heard: list[Any] = []

    async def delete_user(user: Any) -> None:
        heard.append(user)

    made: Any = spawner_class(Backend, delete_user)([0])
    made.name = name
    await made.delete_forever()
    assert heard == told
