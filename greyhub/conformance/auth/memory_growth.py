"""Count the objects that an authenticator keeps, to find a memory leak."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from traitlets import HasTraits

DEPTH = 4
"""How deep containers in containers are looked into."""

FOREIGN = ("builtins", "jupyterhub", "tornado", "traitlets", "abc")
"""Packages whose state is not the adapter's."""


def count_objects(authenticator: Any) -> int:
    """The number of things in all containers of an authenticator and of its handlers.

    Looked at are the instance, the classes that it and its handlers are made of
    but for JupyterHub's own, and the modules of these classes.
    """
    handlers = [spec[1] for spec in authenticator.get_handlers(None)]
    classes = {base for cls in (type(authenticator), *handlers) for base in cls.__mro__}
    own = [cls for cls in classes if cls.__module__.partition(".")[0] not in FOREIGN]
    modules = {cls.__module__ for cls in own}
    places: list[dict[str, Any]] = [dict(vars(authenticator))]
    if isinstance(authenticator, HasTraits):
        values = places[0].pop("_trait_values", {})
        places.append({name: value for name, value in values.items() if name != "parent"})
        places[0] = {name: value for name, value in places[0].items() if name[:7] != "_trait_"}
    places += [dict(vars(cls)) for cls in own]
    places += [dict(vars(sys.modules[name])) for name in modules if name in sys.modules]
    seen: set[int] = set()
    return sum(_count(value, seen, DEPTH) for place in places for value in place.values())


def _count(value: Any, seen: set[int], depth: int) -> int:
    if depth == 0 or id(value) in seen or isinstance(value, (str, bytes, type)):
        return 0
    seen.add(id(value))
    number = len(value) if isinstance(value, bytearray) else 0
    for each in _inside(value):
        number += 1 + _count(each, seen, depth - 1)
    return number


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from list(value.values())
    elif isinstance(value, (list, tuple, set, frozenset)) or type(value).__name__ == "deque":
        yield from list(value)
    elif hasattr(value, "cache_info"):
        # What functools.lru_cache keeps is seen by its size alone.
        yield from range(value.cache_info().currsize)
