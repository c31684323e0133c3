"""Import and configure Dask once for all clauses, with short intervals."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from multiprocessing import forkserver, resource_tracker
from typing import Any

import dask
from distributed import Security
from distributed.utils import get_mp_context
from distributed.versions import get_versions

INTERVALS: Mapping[str, Any] = {
    "distributed.adaptive.interval": "100ms",
    "distributed.adaptive.wait-count": 2,
    "distributed.adaptive.target-duration": "200ms",
    "distributed.deploy.lost-worker-timeout": "300ms",
    "distributed.client.heartbeat": "500ms",
    "distributed.client.scheduler-info-interval": "500ms",
}
"""Dask's own waiting, for a suite that waits with it."""

CONNECT = "distributed.comm.timeouts.connect"

LOGGERS = ("distributed", "distributed.client", "bokeh", "tornado", "tornado.application")
"""Those that Dask gives a terminal to."""

METHOD = "distributed.worker.multiprocessing-method"

DASHBOARDS = ("distributed.dashboard.scheduler", "distributed.dashboard.worker")
"""With bokeh, more than half of all that is imported."""


@cache
def imports(*, dashboards: bool) -> tuple[str, ...]:
    """Import all that a cluster needs sooner or later, and name it; once, forks included."""
    routes = (
        *(DASHBOARDS if dashboards else ()),
        *dask.config.get("distributed.scheduler.http.routes"),
        *dask.config.get("distributed.worker.http.routes"),
    )
    for name in routes:
        with suppress(ImportError):
            importlib.import_module(name)
    get_mp_context()
    get_versions()
    Security.temporary()
    return routes


def up(patience: float, *, nannies: bool, dashboards: bool) -> ExitStack:
    """Have all that a cluster needs, and be ready to fork workers; undone at the close.

    Workers that a Nanny starts are forked from a server that has imported Dask:
    a tenth of a second each, not a whole one. They have the environment of the
    moment when that server began.

    Parameters
    ----------
    patience : float
        Multiplies the seconds in which a connection is made.
    nannies : bool
        Whether workers may be processes of this one.
    dashboards : bool
        Whether a dashboard may be served by this one, or by a process of it.
    """
    undo = ExitStack()
    quiet = {"distributed.logging.distributed": "critical"}
    told = {**INTERVALS, CONNECT: f"{2 * patience:g}s", **quiet}
    undo.enter_context(dask.config.set({**told, METHOD: "forkserver" if nannies else "spawn"}))
    # The same for parts that are processes of their own.
    for name, value in told.items():
        variable = "DASK_" + name.replace(".", "__").replace("-", "_").upper()
        undo.callback(os.environ.pop, variable, None)
        os.environ[variable] = str(value)
    for name in LOGGERS:
        _to_root(logging.getLogger(name), undo)
    routes = imports(dashboards=dashboards)
    if not nannies:
        return undo
    multiprocessing.set_forkserver_preload([*routes, "distributed.nanny", "distributed.comm.tcp"])
    with _quiet():
        resource_tracker.ensure_running()
    forkserver.ensure_running()
    undo.callback(forkserver._forkserver._stop)  # type: ignore[attr-defined]
    return undo


def _to_root(logger: logging.Logger, undo: ExitStack) -> None:
    """Let whoever listens to all loggers hear this one, and nobody else."""
    before = list(logger.handlers), logger.propagate

    def restore() -> None:
        logger.handlers[:], logger.propagate = before

    logger.handlers[:], logger.propagate = [], True
    undo.callback(restore)


@contextmanager
def _quiet() -> Iterator[None]:
    """What is killed leaves semaphores behind; the one who finds them need not say so."""
    sys.warnoptions.append("ignore::UserWarning:multiprocessing.resource_tracker")
    try:
        yield
    finally:
        sys.warnoptions.pop()


def inherit() -> None:
    """In a forked child: go on using the parent's fork server, which is no child of this one's."""
    forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]
