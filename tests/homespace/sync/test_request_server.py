"""The answers of the process that keeps a home: of which moment they are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from greyhub.errors import HomeError
from greyhub.homespace.sync import client
from greyhub.homespace.sync.request_server import RequestServer
from tests.support.waiting import MINUTE, until


class Asked:
    """A process of a home, whose states come one by one, and those who ask it."""

    def __init__(self, folder: Path, threads: ThreadPoolExecutor) -> None:
        self.folder, self.threads = folder, threads
        self.states: list[dict[str, Any]] = []
        self.came = 0
        self.requests = RequestServer(folder, None, self._state, self._count)

    def sync(self, timeout: float = MINUTE) -> Future[Any]:
        """Ask for all to be saved; the process has heard it."""
        before = self.came
        answer = self.threads.submit(client.sync, self.folder, timeout)
        until(lambda: self.came > before)
        return answer

    def _state(self) -> dict[str, Any]:
        return self.states.pop(0)

    def _count(self) -> None:
        self.came += 1


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    with ThreadPoolExecutor() as threads:
        asked = Asked(tmp_path, threads)
        yield asked
        asked.requests.socket.close()


def test_what_changes_after_all_was_saved_is_not_in_the_answer(asked: Asked) -> None:
    answer = asked.sync()
    asked.states = [{"saved": True}, {"saved": False}]
    asked.requests.answer(lambda state: bool(state["saved"]))
    assert answer.result(MINUTE)["saved"]


def test_a_state_is_no_answer_to_what_is_asked_later(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = asked.sync()
    later: list[Future[Any]] = []

    def meanwhile() -> dict[str, Any]:
        later.append(asked.sync())
        return {"saved": True, "at": 1}

    monkeypatch.setattr(asked.requests, "state", meanwhile)
    asked.requests.answer(lambda state: True)
    assert first.result(MINUTE)["at"] == 1
    monkeypatch.setattr(asked.requests, "state", lambda: {"saved": True, "at": 2})
    asked.requests.answer(lambda state: True)
    assert later[0].result(MINUTE)["at"] == 2


def test_nobody_waits_longer_than_asked(asked: Asked) -> None:
    answer = asked.sync(timeout=0)
    asked.states = [{"saved": False}]
    asked.requests.answer(lambda state: False)
    assert not answer.result(MINUTE)["saved"]
    assert not asked.requests.open


def test_what_it_does_not_know_is_said(tmp_path: Path, asked: Asked) -> None:
    with pytest.raises(HomeError, match="does not know 'dance'"):
        client.ask({"do": "dance"}, tmp_path, timeout=MINUTE)
