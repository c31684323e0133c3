"""The notebook's half: ``hub = greyhub.connect()``.

Reads the tickets that the hub put into the environment and hands out the live
things. It imports neither jupyterhub nor a backend until one is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from greyhub.errors import NotOnPlatform, SlotEmpty
from greyhub.imports import import_object
from greyhub.slots import SLOTS
from greyhub.ticket import Ticket, variable

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from greyhub.clusters import Cluster
    from greyhub.clusters.listing import ClusterList
    from greyhub.credentials import HubCredential
    from greyhub.data.catalog import Catalog

_OUTSIDE = """\
this Python was not started by a greyhub: there is no ticket in its environment.
  fix: run this in a notebook or terminal of a server that was started from the
  hub's page. If it was, greyhub.compose(c) is missing at the end of greyhub_config.py."""


class Session:
    """The platform, as one user's notebook sees it.

    Parameters
    ----------
    tickets : Mapping[str, Ticket]
        The ticket of each slot that the platform fills.
    """

    def __init__(self, tickets: Mapping[str, Ticket]) -> None:
        self._tickets = tickets

    @property
    def user(self) -> str:
        """The user's name on the platform."""
        name: str = self._tickets["spawner"].data.get("user", "")
        return name

    @cached_property
    def home(self) -> AbstractFileSystem:
        """The user's home: an fsspec filesystem, the same files as ``~``."""
        home: AbstractFileSystem = self._connect("homespace")
        return home

    @cached_property
    def data(self) -> Catalog:
        """The platform's datasets: a read-only mapping from name to dataset."""
        catalog: Catalog = self._connect("data")
        return catalog

    def cluster(self, workers: int | None = None, **options: Any) -> Cluster:
        """A new Dask cluster.

        Parameters
        ----------
        workers : int, optional
            How many workers to start with; more can be asked for with ``scale``.
        **options
            Passed to the platform's cluster adapter.

        Returns
        -------
        greyhub.clusters.Cluster
            A context manager: the cluster ends with the block.
        """
        if isinstance(workers, bool | str | float):
            raise TypeError(f"workers={workers!r}: a number of workers is a whole number")
        if workers is not None and workers < 0:
            raise ValueError(f"workers={workers}: a cluster has no fewer than 0")
        cluster: Cluster = self._connect("cluster", workers=workers, **options)
        return cluster

    def clusters(self) -> ClusterList:
        """One's own clusters that start or run, to be joined or ended.

        On a platform whose clusters outlive a kernel, also those of other servers and of
        kernels that are gone; with the local adapter, those of this process.

        Returns
        -------
        greyhub.clusters.listing.ClusterList
            ``hub.clusters()["NAME"].join()`` is a cluster, ``….end()`` ends one.
        """
        ticket = self._ticket("cluster")
        found: ClusterList = import_object(ticket.adapter).clusters(ticket.data)
        return found

    def token(self, audience: str) -> str:
        """A short-lived token for an audience that the platform's administrator has named.

        The hub is asked for a new one when half of the last one's time is over.

        Parameters
        ----------
        audience : str
            What it is for: ``"storage"``.

        Raises
        ------
        greyhub.errors.CredentialError
            There is none: says why, and what to do.
        """
        return self.credential(audience).token()

    def credential(self, audience: str) -> HubCredential:
        """The credential for an audience as an object that renews itself; nothing is asked yet.

        For clients that take a callable, threads, coroutines and Dask tasks.
        """
        from greyhub.credentials import HubCredential

        return HubCredential(self.user, audience)

    def _connect(self, slot: str, **options: Any) -> Any:
        ticket = self._ticket(slot)
        return import_object(ticket.adapter).connect(ticket.data, **options)

    def _ticket(self, slot: str) -> Ticket:
        if slot not in self._tickets:
            raise SlotEmpty(
                f"this platform fills no {slot} slot: its administrator can choose an "
                f"adapter with c.GreyHub.{slot}"
            )
        return self._tickets[slot]

    def _rows(self) -> list[tuple[str, str]]:
        return [(slot, ticket.label) for slot, ticket in self._tickets.items()]

    def __repr__(self) -> str:
        rows = "\n".join(f"  {slot:<9} {label}" for slot, label in self._rows())
        return f"<greyhub of {self.user}>\n{rows}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(slot)}</th>"
            f"<td style='text-align:left'>{escape(label)}</td></tr>"
            for slot, label in self._rows()
        )
        return f"<strong>greyhub of {escape(self.user)}</strong><table>{rows}</table>"


def connect(environ: Mapping[str, str] | None = None) -> Session:
    """Read the tickets; see `greyhub.connect`."""
    environ = os.environ if environ is None else environ
    tickets = {
        slot: Ticket.loads(slot, environ[variable(slot)])
        for slot in SLOTS
        if variable(slot) in environ
    }
    if "spawner" not in tickets:
        raise NotOnPlatform(_OUTSIDE)
    return Session(tickets)
