"""``python -m greyhub.homespace.sync``: keep the home of this server's ticket in step.

With ``--tied``, until standard input ends. What follows is handed over by an earlier
process of the same home, as JSON: its socket, its lock, and when it last looked.

Ends with 0 when everything is in the store, with 3 when something is still only
on this machine, and with 2 when it could not begin.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from greyhub.errors import HomeError, TicketError
from greyhub.homespace.sync.daemon import Job, SyncDaemon
from greyhub.homespace.sync.signals import EndSignals, take_turn
from greyhub.ticket import Ticket, variable


def main() -> int:
    """Keep the home until SIGTERM, or the end of the server; a second signal ends at once."""
    ending = EndSignals()
    try:
        job, kept = _former() if "GREYHUB_SYNC" in os.environ else _told(sys.argv[1:])
        if "credentials" in kept:
            from greyhub.credentials import take_over

            take_over(kept["credentials"])
        if kept.get("end"):
            ending.end()
        if job.tied:
            ending.tie()
        lock = kept.get("lock") or take_turn(job.state, ending)
        if lock is None:
            return 0  # another server's process keeps the home, and this one is not needed
        companion = SyncDaemon(job, lock, kept)
        ending.tell(companion.stop)
        return companion.run()
    except (HomeError, TicketError, OSError) as error:
        print(f"greyhub home: {error}", file=sys.stderr)
        return 2


def _told(arguments: list[str]) -> tuple[Job, Mapping[str, Any]]:
    """What to keep, and what an earlier process handed over."""
    ticket = Ticket.loads("homespace", os.environ.get(variable("homespace"), ""))
    job = Job.of(ticket.data, tied="--tied" in arguments)
    return job, json.loads(next((each for each in arguments if each != "--tied"), "{}"))


def _former() -> tuple[Job, Mapping[str, Any]]:
    """The same, in a server that an earlier greyhub started: it knows two more variables."""
    told = json.loads(os.environ["GREYHUB_SYNC"])
    kept = json.loads(os.environ.pop("GREYHUB_SYNC_KEPT", "{}"))
    return Job.of(told | {"path": told.get("local")}, tied=bool(told.get("tied"))), kept


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a request that hangs must not hold the process
