"""Read a config file as ``jupyterhub -f FILE`` would, without starting the hub."""

from __future__ import annotations

import io
import logging
import re
import shlex
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from greyhub.adapter import Finding
from greyhub.checks import sort_findings
from greyhub.checks.platform import COMMAND_LINE
from greyhub.checks.provenance import Location
from greyhub.composition import Composition, inspecting
from greyhub.errors import ConfigError

file_option = click.option(
    "-f",
    "--file",
    default="greyhub_config.py",
    show_default=True,
    type=click.Path(exists=True, dir_okay=False),
    help="The config file.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program.")
like_jupyterhub = {"ignore_unknown_options": True, "allow_interspersed_args": True}
"""Settings of a command that passes ``--Section.option=value`` on to JupyterHub."""


@dataclass(frozen=True)
class Reading:
    """A config file as JupyterHub read it."""

    file: str
    application: Any
    composition: Composition | None
    """None where the file never came to ``greyhub.compose(c)``."""
    findings: Sequence[Finding]

    @property
    def failed(self) -> bool:
        """Whether a hub would not start from it."""
        return any(finding.level == "error" for finding in self.findings)


class _LogRecorder(logging.Handler):
    """Keeps what JupyterHub logs as it reads the file."""

    def __init__(self) -> None:
        super().__init__(logging.CRITICAL)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def read(file: str, arguments: Sequence[str] = ()) -> Reading:
    """Read a config file.

    Parameters
    ----------
    file : str
        Its path.
    arguments : sequence of str
        More of JupyterHub's command line: ``--JupyterHub.port=8001``.
    """
    from jupyterhub.app import JupyterHub
    from jupyterhub.auth import Authenticator
    from jupyterhub.crypto import CryptKeeper
    from jupyterhub.spawner import Spawner

    from greyhub.config_loading import trace, unread
    from greyhub.hub import GreyHub

    trace(JupyterHub)
    JupyterHub.clear_instance()
    CryptKeeper.clear_instance()
    recorder = _LogRecorder()
    # By itself, the application imports whatever is installed for any of its parts.
    app = JupyterHub.instance(classes=[GreyHub, Spawner, Authenticator, CryptKeeper])
    app.log = logging.getLogger("greyhub.cli")
    app.log.handlers, app.log.propagate = [recorder], False
    found: list[Finding] = []
    with inspecting() as seen, redirect_stdout(sys.stderr):
        usage = io.StringIO()
        try:
            with redirect_stderr(usage):
                app.parse_command_line(["-f", file, *arguments])
            if app.extra_args:
                found.append(_of_command_line(f"{shlex.join(app.extra_args)}: nothing reads it"))
            app.load_config_file(app.config_file)
            found += unread(app)
        except SystemExit:
            said = [*recorder.said, *re.findall(r"error: (.+)", usage.getvalue())]
            found += [_of_command_line(each) for each in said if not seen]
        except Exception as error:
            if not _is_said(error, seen):
                found.append(_raised(error, file))
    composition = seen[-1] if seen else None
    if composition is None and not found:
        found.append(_not_composed(file))
    found += composition.findings if composition else []
    return Reading(file, app, composition, sort_findings(found))


def _is_said(error: Exception, seen: Sequence[Composition]) -> bool:
    """Whether composing has said it: what it refuses, JupyterHub refuses once more."""
    told = [finding.message for finding in seen[-1].findings] if seen else []
    return bool(seen) and (isinstance(error, ConfigError) or str(error) in told)


def _of_command_line(said: str) -> Finding:
    """What JupyterHub's own reader has against an argument."""
    said = said.removeprefix("Bad config encountered during initialization: ")
    fix = "see the arguments that a hub takes: jupyterhub --help-all"
    return Finding("error", said, fix, place=COMMAND_LINE)


def _raised(error: Exception, file: str) -> Finding:
    """An exception of the config file itself."""
    here = Path(file).resolve()
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).resolve().parent == here.parent]
    line: int | None = own[-1].lineno if own else None
    name = own[-1].filename if own else file
    if isinstance(error, SyntaxError):
        name, line = error.filename or file, error.lineno
    said = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"
    return Finding(
        "error", f"this line fails: {said}", "fix it", place=str(Location(name, line or 0))
    )


def _not_composed(file: str) -> Finding:
    return Finding(
        "error",
        "this file never calls greyhub.compose(c), so greyhub has no part in it",
        "end it with: import greyhub; greyhub.compose(c)",
        place=file,
    )
