"""Refuse arguments of a cluster in the user's server that its workers would not start with.

Dask hands them on to each worker's process, and all that is told of one that ends at once
is that a nanny failed to start.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

from greyhub.sizes import size_of
from greyhub.wording import did_you_mean

_INSTEAD: Final = {
    "n_workers": "write workers= in its place",
    "max_workers": "the platform sets it: c.LocalCluster.max_workers",
    "idle_timeout": "the platform sets it: c.LocalCluster.idle_timeout",
}


def check(options: Mapping[str, Any]) -> None:
    """Raise `TypeError` or `ValueError` for what no cluster can be started with.

    Parameters
    ----------
    options : Mapping[str, Any]
        The arguments of ``hub.cluster``, besides the number of workers.
    """
    known = _known()
    for name in options:
        if name in _INSTEAD:
            raise TypeError(f"a cluster takes no {name}: {_INSTEAD[name]}")
        if name not in known:
            raise TypeError(f"a cluster takes no {name}{did_you_mean(name, ['workers', *known])}")
    threads, memory = options.get("threads_per_worker"), options.get("memory_limit")
    if isinstance(threads, int) and threads < 1:
        raise ValueError(f"threads_per_worker={threads}: a worker has no fewer than 1")
    _check_memory(memory)


def _check_memory(memory: Any) -> None:
    """As Dask takes it: a size, a number of bytes, a part of all; or no limit."""
    if isinstance(memory, str) and memory != "auto":
        try:
            memory = float(memory)
        except ValueError:
            try:
                memory = size_of(memory) or -1
            except ValueError as error:
                raise ValueError(f"memory_limit: {error}") from None
    if isinstance(memory, int | float) and memory < 0:
        raise ValueError("memory_limit is less than a byte: leave it out, or write '2 GiB'")


def _known() -> dict[str, None]:
    """What Dask's cluster, its workers and their nannies take."""
    from distributed import LocalCluster, Nanny, SpecCluster, Worker

    classes: tuple[Any, ...] = (LocalCluster, SpecCluster, Nanny, Worker)
    return {
        name: None
        for cls in classes
        for name, each in inspect.signature(cls.__init__).parameters.items()
        if name != "self" and each.kind is not each.VAR_KEYWORD
    }
