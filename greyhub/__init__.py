"""greyhub: a JupyterHub platform made of exchangeable parts.

Two functions are all that most people need. An administrator ends a
``greyhub_config.py`` with ``greyhub.compose(c)``; a notebook begins with
``hub = greyhub.connect()``. Neither costs the other anything: this module
imports nothing until one of them is called. A third, ``greyhub.secret``, stands
in a config file where a secret would.
"""

from __future__ import annotations

# Type checkers know the name; importing typing would be most of this import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from traitlets.config import Config

    from greyhub.hub import GreyHub
    from greyhub.secrets import Secret
    from greyhub.session import Session

__version__ = "0.1.0"
__all__ = ["__version__", "compose", "connect", "secret"]


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

    from greyhub.composition import compose as compose_config

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


def secret(*, env: str | None = None, file: str | None = None) -> Secret:
    """A secret for a config file: where it is, not what it is.

    It is read when JupyterHub needs it, and no output of greyhub or JupyterHub
    shows it: ``c.GenericOAuthenticator.client_secret = greyhub.secret(env="OIDC_SECRET")``.
    It may stand inside of lists and mappings, too. In ``storage_options`` the hub
    does not read it: the user's server does.

    Parameters
    ----------
    env : str, optional
        The variable that holds it, in the environment of whoever reads it.
    file : str, optional
        The file that holds it; a relative path stands beside the config file, and
        ``~`` is the home of the account that reads it.

    Raises
    ------
    greyhub.errors.ConfigError
        Neither is named, or both are. One that is missing or empty keeps the hub
        from starting, and is named by variable or file.
    """
    import sys

    from greyhub.secrets import secret as make_secret

    return make_secret(env, file, sys._getframe(1).f_globals.get("__file__"))
