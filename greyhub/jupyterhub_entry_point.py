"""What every JupyterHub of this environment imports of greyhub: nothing, unless it is greyhub's.

JupyterHub imports all installed ``jupyterhub.proxies`` as it starts, before it reads
its config file. This module is one of them, though it is no proxy. Where that file
speaks of greyhub, it sees to it that the file is composed, and offers GreyHub's
options to ``jupyterhub --help-all``. Any other hub is left as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Nothing:
    """What a hub gets that is none of greyhub's: no configurable class, so it is passed over."""


def in_use(arguments: Sequence[str]) -> bool:
    """Whether a command line of JupyterHub names a config file that speaks of greyhub."""
    named = Path(_config_file(arguments))
    try:
        files = {named, named.with_suffix(".py"), named.with_suffix(".json")}
        found = [file.read_text(errors="replace") for file in files if file.is_file()]
    except (OSError, ValueError):
        return False
    if not found:
        return Path("greyhub_config.py").exists()  # and it was forgotten to name it
    return any("greyhub" in text.lower() for text in found)


def _config_file(arguments: Sequence[str]) -> str:
    for position, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if flag in ("-f", "--config", "--JupyterHub.config_file"):
            return value if equals else next(iter(arguments[position + 1 :]), "")
    return "jupyterhub_config.py"


def load() -> type[Any]:
    """The class that JupyterHub adds to those whose options it knows."""
    if "jupyterhub.app" not in sys.modules or not in_use(sys.argv[1:]):
        return Nothing
    from greyhub.config_loading import watch
    from greyhub.hub import GreyHub

    watch(sys.modules["jupyterhub.app"].JupyterHub)
    return GreyHub


options = load()
