"""The setup script of a machine: it leaves an agent there, as a unit of systemd, and returns.

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
    settings = {
        "hub": hub,
        "nonce": nonce,
        "authorities": authorities,
        "plain_http": plain_http,
    }
    start = f"{directory}/start"
    return f"""\
#!/bin/sh
set -eu
umask 077
mkdir -p {shlex.quote(directory)} {shlex.quote(units)}
chmod 711 {shlex.quote(directory)}
cat > {shlex.quote(directory)}/settings.json <<'GREYHUB_END'
{json.dumps(settings)}
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
