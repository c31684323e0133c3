"""Starts a hub up to where it has read its config file, in this process.

It is the path of ``jupyterhub -f FILE``: the application's own class, its command
line, its loader. `tests/checks/test_starts.py` proves that a process does the same.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from jupyterhub.app import JupyterHub
from jupyterhub.crypto import CryptKeeper

from greyhub.config_loading import watch

watch(JupyterHub)  # as the entry point does where the command line names such a file

NAME = "greyhub_config.py"
COMPOSE = "\nimport greyhub\ngreyhub.compose(c)\n"
HERE = "# here"
"""Marks the line that a test is about."""


def write(directory: Path, config: str, end: str = COMPOSE) -> Path:
    """The config file, and the files that its text asks for: ``=== name`` begins each."""
    main, *others = textwrap.dedent(config).split("\n=== ")
    for other in others:
        name, _, text = other.partition("\n")
        (directory / name).write_text(text)
    file = directory / NAME
    file.write_text(main + end)
    return file


def place(directory: Path) -> str:
    """The marked line, as greyhub names it."""
    for file in sorted(directory.glob("*.*")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if HERE in line:
                return f"{file.name}:{number}: "
    return ""


def forget() -> None:
    """Let the next application be the first."""
    JupyterHub.clear_instance()
    CryptKeeper.clear_instance()


def start(file: Path, *arguments: str) -> JupyterHub:
    """An application that has read the file; it opens and makes nothing yet."""
    forget()
    app = JupyterHub.instance()
    app.parse_command_line(["-f", str(file), *arguments])
    app.load_config_file(app.config_file)
    return app


def refusal(file: Path, *arguments: str) -> str:
    """What a start says that is refused."""
    try:
        start(file, *arguments)
    except SystemExit as refused:
        return str(refused.code)
    finally:
        forget()
    raise AssertionError("the hub would have started")
