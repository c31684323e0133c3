"""How a hub that starts reads greyhub's config file: traced, and refused unless composed.

JupyterHub ignores a section that no class reads, so a forgotten
``greyhub.compose(c)`` would start a hub of JupyterHub's defaults.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.config_loader import Loader
from greyhub.composition import act, inspected
from greyhub.errors import ConfigError, ConfigErrors

_ENDING = "end the file with\n\n    import greyhub\n    greyhub.compose(c)\n"


def unread(app: Any) -> Iterator[Finding]:
    """What stands in a config file that was loaded, or beside it, and nothing reads."""
    section = app.config.get("GreyHub", {})
    files = app.loaded_config_files
    named = Path(app.config_file)
    if not files and named.exists() and "greyhub" in named.read_text(errors="replace"):
        yield Finding(
            "error",
            f"JupyterHub does not read {named}: the name of its config file ends in .py",
            f"rename it to {named.with_suffix('.py')}",
        )
    elif not files and not named.exists() and Path("greyhub_config.py").exists():
        yield Finding(
            "error",
            "there is a greyhub_config.py here, and nothing reads it",
            "start with jupyterhub -f greyhub_config.py",
        )
    elif files and section and "composed" not in section:
        yield Finding(
            "error",
            f"c.GreyHub.{next(iter(section))} is set, but nothing reads it: "
            f"{files[-1]} never calls greyhub.compose(c)",
            _ENDING,
        )
    elif section:
        yield from _late(files)


def _late(files: list[str]) -> Iterator[Finding]:
    """What was set after ``compose``, which has not seen it."""
    read = Loader.latest
    for path in dict.fromkeys(read.late if read else ()):
        place = read.find(*path) if read else None
        yield Finding(
            "error",
            "this is set after greyhub.compose(c), which has not seen it",
            "move the line above greyhub.compose(c)",
            ".".join(("c", *path)),
            str(place or ""),
        )
    for file in files:
        if file.endswith(".json"):
            yield Finding(
                "error",
                "JupyterHub reads this file, too, after greyhub.compose(c), which has not seen it",
                "move what it sets into the Python file of the same name, and remove it",
                place=file,
            )


def trace(application: type[Any]) -> None:
    """Have this class of application read its config files with a trace of every line."""
    application.python_config_loader_class = Loader


def watch(application: type[Any]) -> None:
    """Refuse what is wrong once this class of application has read its config file.

    The application is not complete when this is called, so that there is no instance
    to observe yet.
    """
    load = application.load_config_file

    @functools.wraps(load)
    def load_config_file(self: Any, *args: Any, **kwargs: Any) -> None:
        load(self, *args, **kwargs)
        if inspected():
            return
        try:
            if found := list(unread(self)):
                raise ConfigErrors(found)
            if Loader.latest is not None and Loader.latest.composed is not None:
                act(Loader.latest.composed, self.config)
        except ConfigError as error:
            raise SystemExit(f"greyhub: {error}") from error

    application.load_config_file = load_config_file
    trace(application)
