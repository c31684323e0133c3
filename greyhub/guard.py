"""Notices a config file that speaks of GreyHub and never composes it.

JupyterHub ignores a section that no class reads, so a forgotten
``greyhub.compose(c)`` would start a hub of JupyterHub's defaults. The hub
imports every installed ``jupyterhub.proxies`` entry point while it is made,
before it reads its config file. This module is one of them, for this one
purpose; on the way it offers GreyHub's options to ``jupyterhub --help-all``.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from greyhub.hub import GreyHub

__all__ = ["GreyHub", "require_compose", "watch"]


def require_compose(app: Any) -> None:
    """End the start if a file was read and ``c.GreyHub`` was not composed."""
    section = app.config.get("GreyHub", {})
    if app.loaded_config_files and section and "composed" not in section:
        raise SystemExit(
            f"greyhub: c.GreyHub.{next(iter(section))} is set, but nothing reads it: "
            f"{app.loaded_config_files[-1]} never calls greyhub.compose(c).\n"
            "  to mend: end the file with\n\n    import greyhub\n    greyhub.compose(c)\n"
        )


def watch(application: type[Any]) -> None:
    """Look after each config file that this class of application has loaded.

    The application is not complete while this module is imported, so that
    there is no instance to observe yet.
    """
    load = application.load_config_file

    @functools.wraps(load)
    def load_config_file(self: Any, *args: Any, **kwargs: Any) -> None:
        load(self, *args, **kwargs)
        require_compose(self)

    application.load_config_file = load_config_file


if "jupyterhub.app" in sys.modules:
    watch(sys.modules["jupyterhub.app"].JupyterHub)
