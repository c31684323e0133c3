"""What a clause of the data slot is given: published datasets, and users' catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from greyhub.conformance.case import Case
from greyhub.conformance.data.datasets import Dataset, plain
from greyhub.conformance.data.suite import DataSuite
from greyhub.conformance.record import shorten


class DataCase(Case):
    """One clause's catalogues."""

    suite: DataSuite

    def publish(self, **datasets: Dataset) -> None:
        """Publish datasets, by name, and no others."""
        self.publish_all(datasets)

    def publish_all(self, datasets: Mapping[str, Dataset]) -> None:
        """Publish datasets whose names are no words."""
        self.did(f"publish {shorten(', '.join(map(repr, datasets)))}")
        self.suite.published |= {path for each in datasets.values() for path in each.files}
        self.hook("publish", datasets, quietly=True)

    def write(self, text: bytes | str, **others: bytes | str) -> None:
        """Write the catalogue's document; others stand beside it, ``name=`` is name.yaml."""
        documents = {"catalog": text, **others}
        self.did(f"write the catalogue {shorten(text)}")
        encoded = {
            f"{name}.yaml": each.encode() if isinstance(each, str) else each
            for name, each in documents.items()
        }
        self.hook("write", encoded, quietly=True)

    def catalog(self, user: str = "ada") -> Catalog:
        """A user's catalogue."""
        return Catalog(self, self.call(f"the catalogue of {user}", self.suite.make, user))

    def damage(self, path: str, how: str) -> AbstractContextManager[Any]:
        """Break a file of data while a block lasts."""
        self.did(f"{path} is {how}")
        broken: AbstractContextManager[Any] = self.hook("damage", path, how, quietly=True)
        return broken

    def same(self, found: Any, expected: Any, what: str) -> None:
        """The promise is broken unless what was read is what was published."""
        self.require(found == expected, f"{what}: {_difference(found, expected)}")


class Catalog:
    """A catalogue. Every call is the adapter's own, and is noted."""

    def __init__(self, case: DataCase, catalog: Any) -> None:
        self.case, self.suite, self.catalog = case, case.suite, catalog

    def names(self) -> list[str]:
        """The names that it lists, sorted."""
        return sorted(self.case.call("list()", self.suite.names, self.catalog))

    def has(self, name: object) -> bool:
        """Whether a name is in it."""
        return bool(self.case.call(f"{name!r} in it", lambda: name in self.catalog))

    def open(self, name: Any, /, **parameters: Any) -> Any:
        """A dataset, which is not read yet."""
        given = "".join(f", {key}={value!r}" for key, value in parameters.items())
        return self.case.call(
            f"open({name!r}{given})", lambda: self.suite.open(self.catalog, name, **parameters)
        )

    def read(self, name: str, /, **parameters: Any) -> Any:
        """All of a dataset, as columns or lines."""
        return self.all_of(self.open(name, **parameters), name)

    def all_of(self, dataset: Any, name: str = "it") -> Any:
        """All of a dataset that was opened before."""
        return self.case.call(f"reading {name}", lambda: plain(self.suite.read(dataset)))

    def lazy(self, name: str) -> Any:
        """A dataset as a collection of Dask's."""
        dataset = self.open(name)
        return self.case.call(f"{name} by Dask", self.suite.lazy, dataset)

    def describe(self, name: str) -> Mapping[str, Any]:
        """What it says of a dataset."""
        found: Mapping[str, Any] = self.case.call(
            f"describe({name!r})", self.suite.describe, self.catalog, name
        )
        return found

    def reload(self) -> None:
        """Look again what is published."""
        self.case.did("reload()")
        self.case.call("reload()", self.suite.reload, self.catalog)


def _difference(found: Any, expected: Any) -> str:
    if isinstance(found, dict) and isinstance(expected, dict):
        if list(found) != list(expected):
            return f"the columns are {list(found)}, not {list(expected)}"
        for name, column in expected.items():
            if len(found[name]) != len(column):
                return f"{len(found[name])} rows of {len(column)}"
            for row, (one, other) in enumerate(zip(found[name], column, strict=True)):
                if one != other:
                    return f"row {row} of {name} is {one!r}, not {other!r}"
    if isinstance(found, list) and isinstance(expected, list):
        if len(found) != len(expected):
            return f"{len(found)} lines of {len(expected)}"
        for line, (one, other) in enumerate(zip(found, expected, strict=True)):
            if one != other:
                return f"line {line} is {shorten(repr(one))}, not {shorten(repr(other))}"
    return f"{shorten(found)}, not {shorten(expected)}"
