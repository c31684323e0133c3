"""Check files: who can read them, and whether the hub can write them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from greyhub.adapter import Finding
from greyhub.checks.facts import holds
from greyhub.checks.platform import Platform


def open_file(platform: Platform, path: tuple[str, ...], file: Path) -> Iterator[Finding]:
    """A file that every account can read, on a machine where users have processes."""
    if not holds(platform, "servers-on-hub"):
        return
    try:
        mode = file.stat().st_mode
    except OSError:
        return
    if mode & 0o004:
        yield platform.finding(
            "warning",
            path,
            f"every account of this machine can read {file}, users' servers too",
            f"chmod 600 {file}",
        )


def to_be_written(
    platform: Platform, path: tuple[str, ...], file: Path, what: str
) -> Iterator[Finding]:
    """A file that the hub writes, in a directory that is not there or not its own."""
    directory = file.absolute().parent
    if file.is_dir():
        yield platform.finding(
            "error", path, f"{file} is a directory, and {what} is a file", "name a file in it"
        )
    elif not directory.is_dir():
        yield platform.finding(
            "error",
            path,
            f"there is no directory {directory} for {what}",
            f"mkdir -p {directory}, or name a file elsewhere",
        )
    elif not os.access(file if file.exists() else directory, os.W_OK):
        yield platform.finding(
            "error",
            path,
            f"no right to write {file}",
            "let the hub's account write it, or name a file elsewhere",
        )


def directories(platform: Platform) -> Iterator[Finding]:
    """The files that the hub writes besides its database, and their directories."""
    for option, what in (("pid_file", "the process number"), ("extra_log_file", "the log")):
        path = platform.is_set("JupyterHub", option)
        name = platform.value("JupyterHub", option) if path else ""
        if path and name:
            yield from to_be_written(platform, path, Path(name), what)
