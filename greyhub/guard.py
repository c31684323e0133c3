"""Notices a config file that speaks of GreyHub and never composes it.

JupyterHub ignores a section that no class reads, so a forgotten
``greyhub.compose(c)`` would start a hub of JupyterHub's defaults. The hub
imports every installed ``jupyterhub.proxies`` entry point before it reads its
config file; this module is one of them, for this one purpose, and offers
GreyHub's options to ``jupyterhub --help-all`` on the way.
"""

from __future__ import annotations

import sys
from typing import Any

from greyhub.hub import GreyHub

__all__ = ["GreyHub", "require_compose"]


def require_compose(change: Any) -> None:
    """End the start if a file was read and ``c.GreyHub`` was not composed."""
    app, section = change["owner"], change["new"].get("GreyHub", {})
    if app.loaded_config_files and section and "composed" not in section:
        raise SystemExit(
            f"greyhub: c.GreyHub.{next(iter(section))} is set, but nothing reads it: "
            f"{app.loaded_config_files[-1]} never calls greyhub.compose(c).\n"
            "  to mend: end the file with\n\n    import greyhub\n    greyhub.compose(c)\n"
        )


if "jupyterhub.app" in sys.modules:
    from jupyterhub.app import JupyterHub

    if JupyterHub.initialized():
        JupyterHub.instance().observe(require_compose, names="config")
