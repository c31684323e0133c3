"""``python -m greyhub.homespace.sync``: keep the home that ``GREYHUB_SYNC`` describes.

Ends with 0 when everything is in the store, with 3 when something is still only
on this machine, and with 2 when it could not begin.
"""

from __future__ import annotations

import json
import os
import sys

from greyhub.errors import HomeError
from greyhub.homespace.sync.daemon import KEPT, Job, SyncDaemon
from greyhub.homespace.sync.signals import EndSignals, take_turn


def main() -> int:
    """Keep the home until SIGTERM, or the end of the server; a second signal ends at once."""
    ending = EndSignals()
    try:
        kept = json.loads(os.environ.pop(KEPT, "{}"))
        job = Job.loads(os.environ.get("GREYHUB_SYNC", ""))
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
    except (HomeError, OSError) as error:
        print(f"greyhub home: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a request that hangs must not hold the process
