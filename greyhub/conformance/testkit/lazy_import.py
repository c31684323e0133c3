"""Import a module only when one of its functions is called."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType


@contextmanager
def lazy_import(module: str, *functions: str) -> Iterator[None]:
    """Let whatever is imported in this block have functions that import their module when called.

    Only functions that are taken out of the module by name, and that nothing
    else of it is needed for. A module that is missing stays missing.
    """
    if module in sys.modules or find_spec(module) is None:
        yield
        return
    sys.modules[module] = stand_in = ModuleType(module)
    for name in functions:
        setattr(stand_in, name, _of(module, name))
    try:
        yield
    finally:
        if sys.modules.get(module) is stand_in:
            del sys.modules[module]


def _of(module: str, name: str) -> object:
    def function(*args: object, **kwargs: object) -> object:
        return getattr(import_module(module), name)(*args, **kwargs)

    return function
