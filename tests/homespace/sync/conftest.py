"""Stores with a home that is the test's alone, and machines with a working copy of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.homespace.filesystem import conftest as around
from tests.homespace.filesystem import servers
from tests.homespace.filesystem.places import Place
from tests.homespace.sync.machines import Machine

STORES = ("s3", "azure")

_credentials = around._credentials
_one_loader = around._one_loader


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Place]]:
    """Opens stores by name; each server starts at its first use."""
    with ExitStack() as stack:
        opened: dict[str, Place] = {}

        def open_place(name: str) -> Place:
            if name not in opened:
                try:
                    directory = tmp_path_factory.mktemp(name)
                    opened[name] = getattr(around, f"_{name}")(directory, stack)
                except servers.Missing as error:
                    pytest.skip(f"{name} needs {error}")
            found = opened[name]
            return Place(
                found.name, found.template, found.options, found.oracle, found.top,
                proxied=found.proxied,
            )  # fmt: skip

        yield open_place


@pytest.fixture
def s3(stores: Callable[[str], Place]) -> Place:
    return stores("s3")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, stores: Callable[[str], Place]) -> Place:
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
