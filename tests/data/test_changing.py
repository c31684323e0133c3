"""Catalogues are read as they change, and what is wrong then replaces nothing."""

from __future__ import annotations

import copy
import logging
import pickle
import threading
from pathlib import Path

import fsspec
import pytest

from greyhub.data import catalog as catalogs
from greyhub.data import fetching
from greyhub.errors import CatalogError
from tests.data.support import Handler, Server, Write, opened

ONE = "sources: {rain: {driver: csv, args: {urlpath: rain.csv}}}"
TWO = "sources: {rain: {driver: csv, args: {urlpath: new.csv}}, sun: {driver: csv}}"
NESTED = "sources: {sky: {driver: yaml_file_cat, args: {path: nested.yaml}}}"


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks, looks again."""
    monkeypatch.setattr(catalogs, "EVERY", 0.0)
    monkeypatch.setattr(catalogs, "AFTER_TROUBLE", 0.0)


def test_a_url_is_read_as_it_changes(server: Server) -> None:
    catalog = opened(server.url())
    before = catalog["rain"]
    server.files["c.yaml"] = TWO
    assert "sun" in catalog
    assert list(catalog) == ["rain", "sun"]
    assert catalog["rain"].data.url.endswith("/new.csv")
    assert before.data.url.endswith("/rain.csv")
    server.files["c.yaml"] = ONE
    with pytest.raises(KeyError, match="no dataset 'sun'"):
        catalog["sun"]


@pytest.mark.parametrize("by", ["ETag", "Last-Modified"])
def test_what_has_not_changed_is_not_sent_again(server: Server, by: str) -> None:
    server.tags = by == "ETag"
    server.modified = "" if server.tags else "Sat, 01 Aug 2026 12:00:00 GMT"
    server.files |= {"c.yaml": NESTED, "nested.yaml": ONE}
    catalog = opened(server.url())
    first = len(server.answers)
    assert [status for _, status in server.answers] == [200, 200]
    assert "sky.rain" in catalog
    assert server.answers[first:] == [("c.yaml", 304), ("nested.yaml", 304)]
    server.files["nested.yaml"], server.modified = TWO, ""
    assert "sky.sun" in catalog
    assert server.answers[first + 2 :] == [
        ("c.yaml", 304 if by == "ETag" else 200),
        ("nested.yaml", 200),
    ]


def test_a_time_of_this_second_is_no_reason_to_ask_for_less(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.tags, server.modified = False, "Sat, 01 Aug 2026 12:00:00 GMT"
    monkeypatch.setattr(Handler, "date_time_string", lambda *_: "Sat, 01 Aug 2026 12:00:01 GMT")
    catalog = opened(server.url())
    server.files["c.yaml"] = TWO
    assert "sun" in catalog


def test_it_asks_no_more_often_than_it_says(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogs, "EVERY", 3600.0)
    catalog = opened(server.url())
    server.files["c.yaml"] = TWO
    for _ in range(20):
        assert list(catalog) == ["rain"]
        assert "sun" not in repr(catalog)
    assert len(server.answers) == 1
    catalog.reload()
    assert list(catalog) == ["rain", "sun"]


WRONG = {
    "half of it": ({"fault": "half"}, "before it was complete"),
    "an error": ({"fault": "503"}, "its server answers 503 Service Unavailable"),
    "a refusal": ({"fault": "403"}, "its server answers 403 Forbidden"),
    "nothing there": ({"files": {}}, "its server answers 404 Not Found"),
    "malformed": ({"files": {"c.yaml": "sources:\n  rain: ["}}, "c.yaml:3: is not YAML"),
    "no catalogue": ({"files": {"c.yaml": "<html>"}}, "is not a catalogue"),
    "cut off": ({"files": {"c.yaml": "sources: {sun: {dri"}}, "is not YAML"),
}


@pytest.mark.parametrize(("state", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_replaces_nothing(
    server: Server, caplog: pytest.LogCaptureFixture, state: dict[str, object], words: str
) -> None:
    catalog = opened(server.url())
    good, server.files = server.files, {"c.yaml": TWO}
    vars(server).update(state)
    for _ in range(3):
        assert list(catalog) == ["rain"]
        assert catalog["rain"].data.url.endswith("/rain.csv")
    [told] = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert words in told
    assert server.url() in told
    assert "hub.data stays as it was" in told
    with pytest.raises(CatalogError, match=words):
        catalog.reload()
    server.fault, server.files = "", {**good, "c.yaml": TWO}
    assert list(catalog) == ["rain", "sun"]


@pytest.mark.parametrize("name", WRONG)
def test_the_first_read_says_what_is_wrong(server: Server, name: str) -> None:
    state, words = WRONG[name]
    server.files = {"c.yaml": TWO}
    vars(server).update(state)
    with pytest.raises(CatalogError, match=words) as caught:
        opened(f"{server.url()}?key=s3cr3t")
    assert str(caught.value).startswith(server.url())
    assert "s3cr3t" not in str(caught.value)
    if "answer" in words or "complete" in words:
        assert "\n  fix: " in str(caught.value)


def test_a_server_that_is_away(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    catalog = opened(server.url())
    server.shutdown()
    server.server_close()
    assert list(catalog) == ["rain"]
    assert f"{server.url()}: this catalogue cannot be read" in caplog.text
    assert "see that its server runs" in caplog.text


def test_a_server_that_does_not_answer(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = opened(server.url())
    monkeypatch.setattr(catalogs, "AGAIN", 0.05)
    monkeypatch.setattr(catalogs, "FIRST", 0.05)
    server.fault = "hang"
    assert list(catalog) == ["rain"]
    assert "no answer within 0.05 s" in caplog.text
    with pytest.raises(CatalogError, match=r"no answer within 0\.05 s"):
        opened(server.url())


def test_a_store_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    hang = threading.Event()
    monkeypatch.setattr(catalogs, "FIRST", 0.05)
    monkeypatch.setattr(
        "fsspec.implementations.memory.MemoryFileSystem.info", lambda *_, **__: hang.wait(60)
    )
    with pytest.raises(CatalogError, match=r"no answer within 0\.05 s"):
        opened("memory://c.yaml")
    hang.set()


@pytest.mark.parametrize("place", ["http", "memory", "file"])
def test_what_is_too_large_is_not_read(
    server: Server, write: Write, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(fetching, "LARGEST", len(ONE) - 1)
    fsspec.filesystem("memory").pipe("/large.yaml", ONE.encode())
    places = {"http": server.url(), "memory": "memory://large.yaml", "file": write(ONE)}
    with pytest.raises(CatalogError, match="this catalogue cannot be read: it has more than"):
        opened(places[place])


def test_one_that_is_away_keeps_no_other_from_changing(
    server: Server, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write("sources: {wind: {driver: csv}}")
    catalog = opened(server.url(), write("sources: {wind: {driver: csv}}"))
    server.fault = "500"
    write("sources: {snow: {driver: csv}}")
    assert list(catalog) == ["rain", "snow"]
    assert "500 Internal Server Error" in caplog.text


def test_nested_ones_stay_and_come_back(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.files = {"c.yaml": NESTED, "nested.yaml": ONE}
    catalog = opened(server.url())
    server.files["nested.yaml"] = "sources: ["
    assert list(catalog) == ["sky.rain"]
    assert "nested.yaml:2: is not YAML" in caplog.text
    late = opened(server.url())
    assert list(late.broken) == ["sky"]
    server.files["nested.yaml"] = TWO
    assert list(catalog) == list(late) == ["sky.rain", "sky.sun"]
    assert not late.broken


def test_a_file_is_read_as_it_changes(write: Write, folder: Path) -> None:
    catalog = opened(write(ONE))
    write(TWO, "next.yaml")
    (folder / "next.yaml").replace(folder / "catalog.yaml")
    assert list(catalog) == ["rain", "sun"]
    (folder / "catalog.yaml").unlink()
    assert list(catalog) == ["rain", "sun"]


def test_another_store_is_read_as_it_changes() -> None:
    files = fsspec.filesystem("memory")
    files.pipe("/changing/c.yaml", ONE.encode())
    catalog = opened("memory://changing/c.yaml")
    files.pipe("/changing/c.yaml", TWO.encode())
    assert list(catalog) == ["rain", "sun"]


@pytest.mark.parametrize("copied", [lambda each: pickle.loads(pickle.dumps(each)), copy.deepcopy])
def test_a_copy_stays_as_it_was_sent(server: Server, copied: object) -> None:
    assert callable(copied)
    catalog = copied(opened(server.url()))
    server.files["c.yaml"] = TWO
    assert list(catalog) == ["rain"]
    assert len(server.answers) == 1
    catalog.reload()
    assert list(catalog) == ["rain", "sun"]
