"""``python -m greyhub.homespace.sync``: keep the home that ``GREYHUB_SYNC`` describes.

Ends with 0 when everything is in the store, with 3 when something is still only
on this machine, and with 2 when it could not begin.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from types import FrameType

from greyhub.errors import HomeError
from greyhub.homespace.sync.companion import KEPT, Companion, Job


def main() -> int:
    """Keep the home until SIGTERM; a second one ends at once."""
    try:
        kept = json.loads(os.environ.pop(KEPT, "{}"))
        companion = Companion(Job.loads(os.environ.get("GREYHUB_SYNC", "")), kept)
    except (HomeError, OSError) as error:
        print(f"greyhub home: {error}", file=sys.stderr)
        return 2

    def end(number: int, frame: FrameType | None) -> None:
        if companion.stopping is not None:
            os._exit(3)
        companion.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return companion.run()


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a request that hangs must not hold the process
