"""Exceptions are copied and pickled: by a pool of processes, a Dask cluster, a shared answer."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
from collections.abc import Iterator
from pkgutil import walk_packages

import greyhub
from greyhub.errors import GreyHubError
from greyhub.identity.rules import Identity

GIVEN = {
    "message": "a message",
    "what": "it is wrong",
    "reason": "quota",
    "status": 409,
    "code": "Conflict",
    "seconds": 30.0,
    "findings": ["one", "two"],
    "name": "ada",
    "why": GreyHubError("it is away"),
    "identity": Identity("issuer", "subject"),
}
"""An argument of each name that exceptions require."""


def exceptions() -> list[type[BaseException]]:
    """Those that modules of the package define."""
    found = set[type[BaseException]]()
    for module in walk_packages(greyhub.__path__, "greyhub."):
        if not module.name.endswith("__main__"):
            found.update(_defined(module.name))
    return sorted(found, key=lambda each: (each.__module__, each.__qualname__))


def _defined(name: str) -> Iterator[type[BaseException]]:
    for each in vars(importlib.import_module(name)).values():
        if inspect.isclass(each) and each.__module__ == name and issubclass(each, BaseException):
            yield each


def made(kind: type[BaseException]) -> BaseException:
    """One of a kind, with every argument that it requires."""
    if not inspect.isfunction(kind.__init__):  # Python's own
        return kind("a message")
    required = [
        name
        for name, each in list(inspect.signature(kind.__init__).parameters.items())[1:]
        if each.default is each.empty and each.kind is not each.VAR_POSITIONAL
    ]
    return kind(*(GIVEN[name] for name in required))


def test_the_copy_of_each_is_of_its_kind_and_says_the_same() -> None:
    kinds = exceptions()
    assert len(kinds) > 60
    wrong = {}
    for kind in kinds:
        error = made(kind)
        error.note = "set where it was raised"  # type: ignore[attr-defined]
        for how in (copy.copy, lambda each: pickle.loads(pickle.dumps(each))):
            try:
                again = how(error)
            except Exception as failed:
                wrong[f"{kind.__module__}.{kind.__qualname__}"] = repr(failed)
                continue
            same = [(type(each), str(each), repr(vars(each))) for each in (error, again)]
            if same[0] != same[1]:
                wrong[f"{kind.__module__}.{kind.__qualname__}"] = repr(same)
    assert wrong == {}
