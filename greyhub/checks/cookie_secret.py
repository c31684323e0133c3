"""Check the file of the secret by which the hub signs its cookies."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.files import to_be_written
from greyhub.checks.platform import Platform


def check(platform: Platform) -> Iterator[Finding]:
    """A file that is there is read by JupyterHub's own function, which refuses open ones."""
    path = platform.is_set("JupyterHub", "cookie_secret_file")
    name = platform.value("JupyterHub", "cookie_secret_file")
    if not path or not name or platform.value("JupyterHub", "cookie_secret"):
        return
    file = Path(name).expanduser()
    if not file.exists():
        yield from to_be_written(platform, path, file, "the cookies' secret")
    elif refusal := _refused_secret(str(file)):
        fix = f"chmod 600 {file}" if "anybody" in refusal else f"openssl rand -hex 32 > {file}"
        yield platform.finding("error", path, f"JupyterHub refuses {file}: {refusal}", fix)


class _Ended(Exception):
    """The application would have ended."""


def _refused_secret(file: str) -> str:
    """Why JupyterHub would not start with a file of its cookies' secret."""
    from jupyterhub.app import JupyterHub

    class Reader(JupyterHub):  # type: ignore[misc]
        def exit(self, exit_status: Any = 0) -> None:
            raise _Ended

    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.ERROR and isinstance(record.args, tuple):
                said.append(str(record.args[-1]))

    log = logging.Logger("greyhub.checks.cookie")
    log.addHandler(Listener())
    reader = Reader()
    reader.log, reader.cookie_secret_file = log, file
    try:
        reader.init_secrets()
    except _Ended:
        return said[-1] if said else "it cannot be used"
    except Exception as error:
        return " ".join(str(error).split())
    return ""
