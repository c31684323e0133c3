"""``greyhub-singleuser``: prepare the home, then run jupyterhub-singleuser.

Runs in the user's server on every backend, before anything of Jupyter's is
imported. All that it knows comes from the tickets.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greyhub.errors import HomeError
from greyhub.ticket import Ticket, variable

if TYPE_CHECKING:
    from greyhub.homespace.sync.supervisor import Supervisor

KERNELS = (
    # Kernels that start together lose races for TCP ports; sockets have none,
    # and the directory that they are in keeps other users of the machine out.
    "--KernelManager.transport=ipc",
)


def main() -> None:
    """Become the notebook server."""
    environ = os.environ
    try:
        supervisor = keep_home(environ)
    except HomeError as error:
        raise SystemExit(f"greyhub: {error}") from error
    try:
        become(environ)
    finally:
        if supervisor:
            supervisor.end()


def become(environ: MutableMapping[str, str]) -> None:
    """Enter the home and be the notebook server until it stops."""
    try:
        enter_home(environ)
    except HomeError as error:
        raise SystemExit(f"greyhub: {error}") from error
    environ["JUPYTER_RUNTIME_DIR"] = private_directory()
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])
    sys.argv[1:1] = KERNELS

    from jupyterhub.singleuser import main as serve

    serve()


def keep_home(environ: MutableMapping[str, str]) -> Supervisor | None:
    """Bring the home down if it is to be a working copy here, and keep it from now on."""
    data = home_ticket(environ)
    if data.get("mode") != "sync":
        return None
    from greyhub.homespace import lab
    from greyhub.homespace.sync import client, supervisor

    keeping = supervisor.keep(data, environ)
    environ[client.VARIABLE] = str(keeping.state)
    lab.show(environ)
    return keeping


def enter_home(environ: MutableMapping[str, str]) -> None:
    """Make the home's directory the working directory and ``~``, if it has one here."""
    path = home_path(environ)
    if path is None:
        if environ.get("HOME", "/") == "/":  # programs need a place of their own, kept or not
            environ["HOME"] = private_directory()
            os.chdir(environ["HOME"])
        return
    try:
        if home_ticket(environ).get("mode") == "native":
            path.mkdir(mode=0o700, exist_ok=True)
        os.chdir(path)
    except OSError as error:
        raise HomeError(
            f"the home {path} cannot be entered: {error.strerror}.\n"
            "  fix: the hub's administrator looks at the directories above it and "
            "their modes: the user of this server must be able to pass through them"
        ) from error
    environ["HOME"] = str(path)


def home_path(environ: Mapping[str, str]) -> Path | None:
    """Where the home stands on this machine, if it does."""
    data = home_ticket(environ)
    if data.get("mode") == "sync":
        from greyhub.homespace.sync.client import FILES, VARIABLE

        return Path(environ[VARIABLE]).parent / FILES
    return Path(data["path"]) if data.get("path") else None


def home_ticket(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """What the hub said of the home; empty if the platform fills that slot with nothing."""
    name = variable("homespace")
    return Ticket.loads("homespace", environ[name]).data if name in environ else {}


def private_directory() -> str:
    """A directory of this process's own, short enough for the sockets in it."""
    path = tempfile.mkdtemp(prefix="greyhub-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


if __name__ == "__main__":
    main()
