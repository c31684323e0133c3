"""Ask the sync daemon for a home's state, or to save everything now.

One line of JSON each way over a unix socket. Needs nothing but Python, for it is
used in kernels, in the command line and in the notebook server.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.ticket import Ticket, variable

SOCKET: Final = "sync.sock"
FILES, STATE = "home", "state"
"""What stands in the place of a working copy: the files, and what is remembered of them."""

FORMER: Final = "GREYHUB_HOME_SYNC"
"""Names the state directory in servers that an earlier greyhub started."""


def status(state: Path | None = None) -> Mapping[str, Any]:
    """The state of the home.

    Raises
    ------
    greyhub.errors.HomeError
        No process keeps it, or it does not answer.
    """
    return ask({"do": "status"}, state, timeout=10)


def sync(state: Path | None = None, timeout: float = 300.0) -> Mapping[str, Any]:
    """Wait until all that is in the home now is in the store, and the store's news are here.

    Parameters
    ----------
    timeout : float
        Seconds after which to return anyway: the state says what is still local.

    Raises
    ------
    greyhub.errors.HomeError
        No process keeps it, or it does not answer.
    """
    return ask({"do": "sync", "timeout": timeout}, state, timeout=timeout + 10)


def ask(question: Mapping[str, Any], state: Path | None, timeout: float) -> Mapping[str, Any]:
    """Ask one question."""
    where = state or own_state()
    try:
        line = _answer(question, where, timeout)
        # A process that just begins anew drops a question, and answers the next.
        answer = json.loads(line or _answer(question, where, timeout))
    except TimeoutError as error:
        raise HomeError(f"the process that keeps the home did not answer in {timeout:.0f} s") from (
            error
        )
    except (OSError, ValueError) as error:
        raise HomeError(
            f"no process keeps the home of {where}: {error}.\n"
            "  fix: stop this server and start it again"
        ) from error
    if "error" in answer:
        raise HomeError(str(answer["error"]))
    result: Mapping[str, Any] = answer
    return result


def _answer(question: Mapping[str, Any], where: Path, timeout: float) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connect(connection, where / SOCKET)
        connection.sendall(json.dumps(dict(question)).encode() + b"\n")
        with connection.makefile("rb") as answers:
            return answers.readline()


def connect(connection: socket.socket, path: Path) -> None:
    """Connect to a socket, however long its path is: the kernel allows 107 bytes."""
    with _short(path) as name:
        connection.connect(name)


def bind(connection: socket.socket, path: Path) -> None:
    """Make a socket that only this user can connect to."""
    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        with _short(path) as name:
            connection.bind(name)
    finally:
        os.umask(before)


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for a path by way of its open folder."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def own_state() -> Path:
    """The state directory of this server's home, as its ticket has it."""
    text = os.environ.get(variable("homespace"))
    ticket = Ticket.loads("homespace", text).data if text else {}
    if state := ticket.get("state") or os.environ.get(FORMER):
        return Path(state)
    raise HomeError(
        "this server's home is not a working copy: what is written here is saved where it is"
    )
