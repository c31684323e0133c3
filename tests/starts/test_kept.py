"""The last starts are kept, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jupyterhub.spawner import SpawnException
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from tornado.web import HTTPError

from greyhub.spawners.failed import ServerFailed, ServerRefused
from greyhub.starts import table
from greyhub.starts.failure_reason import failure_reason
from greyhub.starts.summary import Failed, percentile, summary
from greyhub.starts.table import Start, add, read


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    with Session(engine) as found:
        yield found
    engine.dispose()


def test_no_start_is_known_of_a_hub_that_kept_none(session: Session) -> None:
    assert read(session) == []


def test_what_was_kept_is_read_newest_first(session: Session) -> None:
    first = Start("small", 3.5, {"image": 2.0}, cold=True, image="nb:1", image_bytes=7)
    second = Start("", 60.0, failure="timeout")
    add(session, first)
    add(session, second)
    assert read(session) == [second, first]
    assert read(session, 1) == [second]


def test_no_more_are_kept_than_are_of_use(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "KEPT", 3)
    for seconds in range(7):
        add(session, Start("", float(seconds)))
    assert [each.seconds for each in read(session)] == [6, 5, 4]


def test_a_name_that_is_too_long_is_cut(session: Session) -> None:
    add(session, Start("p" * 999, 1.0, image="i" * 999, failure="f" * 999))
    (found,) = read(session)
    assert (len(found.profile), len(found.image), len(found.failure)) == (255, 512, 64)


def test_cold_and_warm_are_told_apart_and_failures_counted() -> None:
    starts = [
        *(Start("gpu", float(each), {"image": 1.0}, False, "nb:2") for each in range(1, 11)),
        Start("gpu", 200.0, {"place": 90.0, "image": 80.0}, True, "nb:2", 5000),
        Start("gpu", 100.0, {"image": 40.0}, True, "nb:2", 4000),
        Start("gpu", 9.0, failure="image"),
        Start("gpu", 9.0, failure="quota"),
        Start("gpu", 9.0, failure="quota"),
    ]
    found = summary(starts)
    cold, warm = found.started
    assert (cold.start, cold.count, cold.median, cold.percentile90) == ("cold", 2, 150.0, 200.0)
    assert cold.phases == {"place": 90.0, "image": 60.0}
    assert (warm.start, warm.count, warm.median, warm.percentile90) == ("warm", 10, 5.5, 9.0)
    assert cold.image_bytes == warm.image_bytes == 5000
    assert found.failed == [Failed("gpu", "quota", 2), Failed("gpu", "image", 1)]


@pytest.mark.parametrize(("count", "expected"), [(1, 0), (9, 8), (10, 8), (11, 9), (100, 89)])
def test_nine_of_ten_do_not_exceed_it(count: int, expected: int) -> None:
    assert percentile(0.9, list(map(float, range(count)))) == expected


def with_reason(error: Any, reason: str) -> Any:
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (ServerRefused("no image nb:1 for ada", kind="image"), "image"),
        (ServerFailed("it ended"), "failed"),
        (TimeoutError(), "timeout"),
        (with_reason(OSError("slow"), "timeout"), "timeout"),
        (SpawnException("not you, ada", reason="group"), "group"),
        (HTTPError(403, "not you, ada"), "refused"),
        (HTTPError(500, "ada's disk"), "HTTPError"),
        (ValueError("ada"), "ValueError"),
    ],
)
def test_a_failure_is_counted_by_a_word(error: Exception, word: str) -> None:
    assert failure_reason(error) == word
