"""``python -m greyhub.homespace.migrate.in_pod``: copy a home where claims are mounted.

`greyhub.homespace.migrate.pods` starts it in a pod, with the work in the variable `JOB`. What
it says is JSON, a line at a time: how far it is, and at the end what became of it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.homespace.migrate.copying import Copying
from greyhub.homespace.migrate.locations import Location
from greyhub.homespace.migrate.opening import endpoints
from greyhub.homespace.sync.plan import UNREADABLE
from greyhub.homespace.sync.progress import Progress
from greyhub.homespace.sync.workers import Workers

JOB: Final = "GREYHUB_COPY"
"""The variable that says what is to be done, as JSON."""

EVERY: Final = 2.0
"""Seconds between two words on how far it is."""

OF_THE_VOLUME: Final = "lost+found"
"""What is at the top of a volume and is no user's."""


def main() -> int:
    """Do what `JOB` says; 0 if there is a report."""
    job = json.loads(os.environ[JOB])
    progress, ended = Progress(time.monotonic), threading.Event()

    def tell() -> None:
        while not ended.wait(EVERY):
            say(progress={name: getattr(progress, name) for name in COUNTS})

    threading.Thread(target=tell, daemon=True).start()
    try:
        say(report=copied(job, progress))
    except (HomeError, OSError, ImportError) as error:
        say(error=str(error))
    finally:
        ended.set()
    return 0


COUNTS: Final = ("files", "size", "done", "bytes")
"""What is told of the progress."""


def copied(job: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Copy; what became of it."""
    source, target = (Location(*job[side]) for side in ("source", "target"))
    with (
        tempfile.TemporaryDirectory() as state,
        endpoints(source, target, Path(state), check=job["check"]) as (one, other, journal),
    ):
        assert other is not None
        copying = Copying(one, other, journal, progress=progress, workers=Workers())
        report = copying.run(dry=job["dry"], empty=job["empty"])
    if report.failed.get(OF_THE_VOLUME) == UNREADABLE:
        del report.failed[OF_THE_VOLUME]
    return asdict(report)


def say(**what: Any) -> None:
    """One line."""
    sys.stdout.write(f"{json.dumps(what)}\n")  # in one piece: two threads speak
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
