"""What a cloud is given to run: a setup script that leaves an agent, or a job that is one.

Others may read it: nothing in it is secret but the nonce, which is good for one use.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Final

DIRECTORY: Final = "/var/lib/greyhub-agent"
"""Where the agent keeps its keys, unless it is told otherwise."""

UNIT: Final = "greyhub-agent.service"


def setup_script(
    *,
    hub: str,
    nonce: str,
    install: Sequence[str] = (),
    python: str = "python3",
    authorities: str = "",
    directory: str = DIRECTORY,
    units: str = "/etc/systemd/system",
    plain_http: bool = False,
) -> str:
    """A shell script for the creation of a machine, and for each of its starts.

    Parameters
    ----------
    hub : str
        The hub's address, as the machine reaches it: ``https://hub.example.org/hub/``.
    nonce : str
        From `greyhub.rendezvous.machines.Machine.invite`.
    install : sequence of str
        Lines of shell that install greyhub and what its servers need. They run in the unit,
        once, and again while they fail: the script itself returns at once.
    python : str
        The interpreter that has greyhub after them.
    authorities : str
        Certificates, as PEM, of who may vouch for the hub; by default, those of the system.
    directory, units : str
        Where the agent's files are, and the units of systemd.
    plain_http : bool
        Whether the hub may be reached without TLS.
    """
    settings = _settings(hub, nonce, authorities, plain_http=plain_http)
    start = f"{directory}/start"
    return f"""\
#!/bin/sh
set -eu
umask 077
mkdir -p {shlex.quote(directory)} {shlex.quote(units)}
chmod 711 {shlex.quote(directory)}
cat > {shlex.quote(directory)}/settings.json <<'GREYHUB_END'
{settings}
GREYHUB_END
cat > {shlex.quote(start)} <<'GREYHUB_END'
{_start(directory, install, python)}GREYHUB_END
cat > {shlex.quote(units)}/{UNIT} <<'GREYHUB_END'
[Unit]
Description=The agent of a JupyterHub's server
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/bin/sh {start}
Environment=PYTHONUNBUFFERED=1
Restart=always
RestartSec=10
KillMode=process

[Install]
WantedBy=multi-user.target
GREYHUB_END
systemctl daemon-reload
systemctl enable --now {UNIT}
"""


def _start(directory: str, install: Sequence[str], python: str) -> str:
    done = shlex.quote(f"{directory}/installed")
    lines = ["set -eu"]
    if install:
        lines += [
            f"if [ ! -e {done} ]; then",
            "(",
            "umask 022",
            *install,
            ")",
            f"touch {done}",
            "fi",
        ]
    lines.append(f"exec {shlex.quote(python)} -m greyhub.agent {shlex.quote(directory)}")
    return "\n".join(lines) + "\n"


def job_command(
    *,
    hub: str,
    nonce: str,
    directory: str,
    python: str = "python",
    authorities: str = "",
    plain_http: bool = False,
) -> str:
    """One line of shell that is a whole job: an agent that ends with its first server.

    Parameters
    ----------
    hub, nonce, authorities, plain_http
        As of `setup_script`.
    directory : str
        The agent's files; it must not be there yet.
    python : str
        The job's interpreter, which has greyhub.
    """
    settings = shlex.quote(_settings(hub, nonce, authorities, plain_http=plain_http))
    place = shlex.quote(directory)
    return (
        f"set -eu; umask 077; mkdir {place}; printf %s {settings} > {place}/settings.json; "
        f"exec {shlex.quote(python)} -m greyhub.agent --once {place}"
    )


def _settings(hub: str, nonce: str, authorities: str, *, plain_http: bool) -> str:
    """The agent's ``settings.json``."""
    return json.dumps(
        {"hub": hub, "nonce": nonce, "authorities": authorities, "plain_http": plain_http}
    )
