"""``python -m greyhub.homespace.remove_in_pod``: remove a home where a shared claim is mounted.

`greyhub.homespace.shared_claim` starts it in a pod, with the work in the variable `JOB`. What it
says is JSON, a line at a time: that it is at work, and at the end what became of the home.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.homespace.deletion import remove_home

JOB: Final = "GREYHUB_REMOVE"
"""The variable that says what is to be done, as JSON."""

EVERY: Final = 10.0
"""Seconds between two words."""


def main() -> int:
    """Do what `JOB` says; 0 if there is a report."""
    job, ended = json.loads(os.environ[JOB]), threading.Event()

    def tell() -> None:
        while not ended.wait(EVERY):
            say(working=True)

    threading.Thread(target=tell, daemon=True).start()
    try:
        say(trash=removed(job["volume"], job["directory"], job["days"]))
    except (HomeError, OSError) as error:
        say(error=_in_words(error, job["volume"]))
    finally:
        ended.set()
    return 0


def removed(volume: str, directory: str, days: int) -> str:
    """Remove a home of a volume; its directory in the volume now, or "" if it is nowhere."""
    where = remove_home(f"{volume}/{directory}", {}, days)
    return where.partition("://")[2].removeprefix(f"{volume}/")


def _in_words(error: Exception, volume: str) -> str:
    said = str(error).replace(f"{volume}/", "")
    if not isinstance(error, PermissionError):
        return said
    with suppress(OSError):
        found = os.stat(volume)
        said += f". The pod ran as uid {os.geteuid()}; the volume's top is uid {found.st_uid}'s"
        said += f" and gid {found.st_gid}'s, of mode {found.st_mode & 0o7777:o}"
    return said + (
        ".\n  fix: let root do it, with c.KubernetesHomespace.owner_image, where the namespace and "
        "the storage allow that; or give the directory that holds the homes to the servers' uid or "
        "c.KubeSpawner.fs_gid"
    )


def say(**what: Any) -> None:
    """One line."""
    sys.stdout.write(f"{json.dumps(what)}\n")  # in one piece: two threads speak
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
