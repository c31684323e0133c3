"""Stores with a home that is the test's alone, and machines with a working copy of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.homespace.filesystem import conftest as around
from tests.homespace.filesystem.places import Place, matrix
from tests.homespace.sync.machines import Machine

AZURE = pytest.param("azure", marks=pytest.mark.slow)
"""In every run: a home that follows its owner, in test_hub, and all of homespace/filesystem."""

SERVED = ("sftp", "webdav")

_credentials = around._credentials
_one_loader = around._one_loader
stores = around.stores


@pytest.fixture
def s3(stores: Callable[[str], Place]) -> Place:
    return stores("s3")


@pytest.fixture(params=["s3", AZURE])
def store(request: pytest.FixtureRequest, stores: Callable[[str], Place]) -> Place:
    return stores(request.param)


@pytest.fixture(params=matrix(*SERVED))
def served(request: pytest.FixtureRequest, stores: Callable[[str], Place]) -> Place:
    return stores(request.param)


@pytest.fixture(params=["s3", AZURE, *matrix(*SERVED)])
def anywhere(request: pytest.FixtureRequest, stores: Callable[[str], Place]) -> Place:
    return stores(request.param)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """Makes machines by name; what runs on them ends with the test."""
    made: dict[str, Machine] = {}

    def make(name: str, place: Place, **options: object) -> Machine:
        made[name] = Machine(tmp_path / name, place, **options)  # type: ignore[arg-type]
        return made[name]

    yield make
    for each in made.values():
        each.end()
