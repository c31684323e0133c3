"""greyhub: a JupyterHub platform made of exchangeable parts.

Two functions are all that most people need. An administrator ends a
``greyhub_config.py`` with ``greyhub.compose(c)``; a notebook begins with
``hub = greyhub.connect()``. Neither costs the other anything: this module
imports nothing until one of them is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traitlets.config import Config

    from greyhub.hub import GreyHub
    from greyhub.session import Session

__version__ = "0.1.0"
__all__ = ["__version__", "compose", "connect"]


def compose(c: Config) -> GreyHub:
    """Turn ``c.GreyHub`` into JupyterHub's own configuration.

    The last line of a ``greyhub_config.py``. What is already in ``c`` stays as
    it was written; everything else that the chosen adapters need is added to it.

    Raises
    ------
    greyhub.errors.ConfigError
        A slot, an adapter or a combination that cannot work. Inside a starting
        hub it ends the start with the message alone.
    """
    import sys

    from greyhub.composing import compose as compose_config

    # Relative paths in the configuration stand beside the file that calls this.
    return compose_config(c, sys._getframe(1).f_globals.get("__file__"))


def connect(**overrides: Any) -> Session:
    """The platform that this notebook runs on: its home, data and clusters.

    Parameters
    ----------
    **overrides
        ``environ``, a mapping to read instead of the process's environment.

    Raises
    ------
    greyhub.errors.NotOnPlatform
        This process was not started by a greyhub.
    """
    from greyhub.session import connect as connect_session

    return connect_session(**overrides)
