"""What can be seen of processes from outside; one that ends meanwhile is no fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from greyhub.errors import TicketError
from greyhub.slots import SLOTS
from greyhub.ticket import Ticket, variable


def environment(process: psutil.Process) -> str:
    """The environment that it was started with, as it is in /proc; empty if it has ended."""
    try:
        return Path(f"/proc/{process.pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def command(process: psutil.Process) -> list[str]:
    """Its arguments; empty if it has ended."""
    try:
        found: list[str] = process.cmdline()
        return found
    except psutil.Error:
        return []


def started_in(directory: Path) -> Iterator[psutil.Process]:
    """The processes whose environment names a directory, as all do that a test's hub starts."""
    for process in psutil.process_iter():
        given = environment(process)
        if str(directory) in given or str(directory) in "".join(_tickets(given)):
            yield process


def _tickets(given: str) -> Iterator[str]:
    """What an environment's tickets say."""
    for line in given.split("\0"):
        name, _, text = line.partition("=")
        for slot in SLOTS:
            if name == variable(slot):
                with suppress(TicketError):  # another program's, or of another version
                    yield repr(Ticket.loads(slot, text))


def ended(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for counts."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
