"""``greyhub-singleuser``: prepare the home, then run jupyterhub-singleuser.

Runs in the user's server on every backend, before anything of Jupyter's is
imported. All that it knows comes from the tickets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greyhub import dask_panel
from greyhub.directories import process_directory
from greyhub.errors import HomeError
from greyhub.ticket import Ticket, variable

if TYPE_CHECKING:
    from greyhub.homespace.sync.supervisor import Supervisor

KERNELS = (
    # Kernels that start together lose races for TCP ports; sockets have none,
    # and the directory that they are in keeps other users of the machine out.
    "--KernelManager.transport=ipc",
)

TEMPORARY = "greyhub-server"
"""What directories of servers are named; short, for the paths of the sockets in them."""

TELLS = frozenset(
    {"--version", "-h", "--help", "--help-all", "--show-config", "--show-config-json"}
)
"""Arguments with which the server says something, and ends."""


def main() -> None:
    """Become the notebook server."""
    environ = os.environ
    if TELLS & {*sys.argv[1:]}:
        return serve_notebooks()  # nothing is served: the home of a server that runs stays alone
    dask_panel.show(environ)
    ticket = home_ticket(environ)
    supervisor = None
    try:
        if ticket.data.get("mode") == "sync":
            supervisor = keep_home(ticket, environ)
            ticket = supervisor.ticket
        become(ticket.data, environ)
    except HomeError as error:
        raise SystemExit(f"greyhub: {error}") from error
    finally:
        if supervisor:
            supervisor.end()


def become(home: Mapping[str, Any], environ: MutableMapping[str, str]) -> None:
    """Enter the home and be the notebook server until it stops."""
    enter_home(home, environ)
    environ["JUPYTER_RUNTIME_DIR"] = process_directory(TEMPORARY)
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])
    sys.argv[1:1] = KERNELS
    serve_notebooks()


def serve_notebooks() -> None:
    """Be JupyterHub's own single-user server, with the arguments as they are."""
    from jupyterhub.singleuser import main as serve

    serve()


def home_ticket(environ: Mapping[str, str]) -> Ticket:
    """What the hub said of the home; empty if the platform fills that slot with nothing."""
    text = environ.get(variable("homespace"))
    return Ticket.loads("homespace", text) if text else Ticket("homespace", "")


def keep_home(ticket: Ticket, environ: MutableMapping[str, str]) -> Supervisor:
    """Bring the home down to a working copy, and keep it in step with its store from now on.

    The ticket in the environment says from now on where the copy stands.
    """
    from greyhub.homespace import lab
    from greyhub.homespace.sync import supervisor

    keeping = supervisor.keep(ticket, environ)
    environ[variable("homespace")] = keeping.ticket.dumps()
    lab.show(environ)
    return keeping


def enter_home(home: Mapping[str, Any], environ: MutableMapping[str, str]) -> None:
    """Make the home's directory the working directory and ``~``, if it has one here."""
    if not home.get("path"):
        if environ.get("HOME", "/") == "/":  # programs need a place of their own, kept or not
            environ["HOME"] = process_directory(TEMPORARY)
            os.chdir(environ["HOME"])
        return
    path = Path(home["path"])
    try:
        if home.get("mode") == "native":
            path.mkdir(mode=0o700, exist_ok=True)
        os.chdir(path)
    except OSError as error:
        raise HomeError(
            f"the home {path} cannot be entered: {error.strerror}.\n"
            "  fix: the hub's administrator looks at the directories above it and "
            "their modes: the user of this server must be able to pass through them"
        ) from error
    if home.get("volume"):
        check_volume(path, home["volume"])
    environ["HOME"] = str(path)


def check_volume(path: Path, volume: str) -> None:
    """Raise `HomeError` unless a home's volume is mounted there, and can be written to.

    Nothing that is written to a container's own directory is kept.
    """
    if not is_mounted(path):
        raise HomeError(
            f"the home's volume {volume} is not mounted at {path}: nothing would be kept.\n"
            "  fix: the hub's administrator looks at what changes pods: profiles, modify_pod_hook"
        )
    if not os.access(path, os.W_OK):
        raise HomeError(
            f"the home {path} cannot be written to by uid {os.geteuid()}.\n"
            "  fix: the hub's administrator sets c.KubeSpawner.fs_gid; where the volume's storage "
            "ignores it, c.KubernetesHomespace.owner_image"
        )


def is_mounted(path: Path) -> bool:
    """Whether something is mounted at a path, also a part of the file system around it."""
    points = (line.split(" ")[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    here = os.path.realpath(path)
    return any(point.encode().decode("unicode_escape") == here for point in points)


if __name__ == "__main__":
    main()
