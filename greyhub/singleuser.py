"""``greyhub-singleuser``: make the home ready, then become jupyterhub-singleuser.

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

from greyhub.errors import HomeError
from greyhub.ticket import Ticket, variable

KERNELS = (
    # Kernels that start together lose races for TCP ports; sockets have none,
    # and the directory that they are in keeps other users of the machine out.
    "--KernelManager.transport=ipc",
)


def main() -> None:
    """Become the notebook server."""
    environ = os.environ
    try:
        enter_home(environ)
    except HomeError as error:
        raise SystemExit(f"greyhub: {error}") from error
    environ["JUPYTER_RUNTIME_DIR"] = private_directory()
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])
    sys.argv[1:1] = KERNELS

    from jupyterhub.singleuser import main as become

    become()


def enter_home(environ: MutableMapping[str, str]) -> None:
    """Make the home's directory the working directory and ``~``, if it has one here."""
    path = home_path(environ)
    if path is None:
        return
    try:
        os.chdir(path)
    except OSError as error:
        raise HomeError(
            f"the home {path} cannot be entered: {error.strerror}.\n"
            "  to mend: the hub's administrator looks at the directories above it and "
            "their modes: the user of this server must be able to pass through them"
        ) from error
    environ["HOME"] = str(path)


def home_path(environ: Mapping[str, str]) -> Path | None:
    """Where the home stands on this machine, if the ticket says so."""
    name = variable("homespace")
    if name not in environ:
        return None
    path = Ticket.loads("homespace", environ[name]).data.get("path")
    return Path(path) if path else None


def private_directory() -> str:
    """A directory of this process's own, short enough for the sockets in it."""
    path = tempfile.mkdtemp(prefix="greyhub-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


if __name__ == "__main__":
    main()
