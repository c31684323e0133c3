"""Composing converts and validates each value once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from jupyterhub.spawner import LocalProcessSpawner
from traitlets import List, Unicode, validate

from greyhub.cli.reading import read
from greyhub.data import DataAdapter
from tests.checks.starting import forget, write

ASKED: list[str] = []


class Trait(Unicode):  # type: ignore[type-arg]
    """Says when it is asked about a value."""

    def validate(self, obj: Any, value: Any) -> Any:
        ASKED.append(f"{type(obj).__name__}: trait")
        return super().validate(obj, value)


class CountedData(DataAdapter):
    modules: ClassVar[tuple[str, ...]] = ()
    motto = Trait().tag(config=True)

    @validate("motto")
    def _asked(self, proposal: Any) -> Any:
        ASKED.append("CountedData: validator")
        return proposal.value


class CountedSpawner(LocalProcessSpawner):  # type: ignore[misc]
    motto = Trait().tag(config=True)
    words = List(Trait()).tag(config=True)

    @validate("motto")
    def _asked(self, proposal: Any) -> Any:
        ASKED.append("CountedSpawner: validator")
        return proposal.value


def test_whoever_is_asked_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ASKED.clear()
    file = write(
        tmp_path,
        'c.GreyHub.data = "tests.checks.test_once:CountedData"\n'
        'c.GreyHub.spawner = "tests.checks.test_once:CountedSpawner"\n'
        'c.CountedData.motto = c.CountedSpawner.motto = "one for all"\n'
        'c.CountedSpawner.words.append("all for one")',
    )
    reading = read(str(file))
    forget()
    assert not reading.failed, [str(each) for each in reading.findings]
    # The adapter itself is made, too; a spawner is made for each server.
    assert ASKED.count("CountedData: validator") == 2
    assert ASKED.count("CountedSpawner: validator") == 1
    assert ASKED.count("CountedSpawner: trait") == 2
