"""The filesystem of a home that is a local working copy of a store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.homespace.filesystem import Home
from greyhub.homespace.sync import client
from greyhub.homespace.sync.client import FILES, STATE

NAMED: Final = 10


class SyncedHome(Home):
    """The working copy of a home.

    Parameters
    ----------
    place : str
        The directory that holds the copy, and what is remembered of it.
    ticket : Mapping[str, Any]
        How the home is reached without a copy, as on another machine.
    """

    def __init__(self, place: str, ticket: Mapping[str, Any]) -> None:
        super().__init__(str(Path(place) / FILES))
        self.place, self.ticket = place, dict(ticket)

    def sync(self, timeout: float = 300.0) -> Mapping[str, Any]:
        """Wait until all that is in the home now is in its store; its `status` then.

        Parameters
        ----------
        timeout : float
            Seconds to wait at most.

        Raises
        ------
        greyhub.errors.HomeError
            Something is still only here: says what, and why.
        """
        state = client.sync(Path(self.place) / STATE, timeout)
        if not state["saved"]:
            reasons = state["reasons"]
            lines = [f"  {path}: {reasons.get(path, 'on its way')}" for path in state["paths"]]
            more = state["unsaved"] - len(lines[:NAMED])
            rest = [f"  and {more:,} more"] if more else []
            trouble = f": {state['trouble']}" if state["trouble"] else ""
            what = f"{state['unsaved']:,} paths of the home are still only in {state['home']}"
            if not state["unsaved"]:
                what = "it is not known whether the home is saved"
            raise HomeError("\n".join([f"{what}{trouble}", *lines[:NAMED], *rest]))
        return state

    def status(self) -> Mapping[str, Any]:
        """How the home is doing: ``saved``, ``word``, ``unsaved``, ``paths``, ``bytes``, ….

        Raises
        ------
        greyhub.errors.HomeError
            No process keeps it.
        """
        return client.status(Path(self.place) / STATE)

    def __reduce__(self) -> Any:
        # On another machine there is no copy, and the same files are in the store.
        return reopen, (self.place, self.ticket)


def reopen(place: str, ticket: Mapping[str, Any]) -> Home:
    """The working copy if it is on this machine, otherwise the home on its store."""
    if (Path(place) / STATE / client.SOCKET).exists():
        return SyncedHome(place, ticket)
    return Home(ticket["url"], ticket["storage_options"])


def here(ticket: Mapping[str, Any], options: Mapping[str, Any]) -> Home | None:
    """The working copy of this server, if it keeps one."""
    state = ticket.get("state") or os.environ.get(client.FORMER)
    if not state or not Path(state).is_dir():
        return None  # the ticket has come to another machine, as with a cluster's workers
    known = {"url": ticket["url"], "storage_options": {**ticket["storage_options"], **options}}
    return SyncedHome(str(Path(state).parent), known)
