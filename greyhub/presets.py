"""Options that the place where the hub runs presets, in the variable ``GREYHUB_PRESETS``.

The Helm chart says there by which names pods reach the hub, and where its state is:
the same config file serves on a laptop and on a cluster.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Final

from traitlets.config import Config

from greyhub.errors import ConfigError

VARIABLE: Final = "GREYHUB_PRESETS"
"""The variable: JSON, ``{"JupyterHub": {"hub_connect_ip": "hub"}}``. Nothing secret is in it."""


def presets(written: Config) -> dict[str, dict[str, Any]]:
    """The preset options by section, without those that the administrator wrote.

    Raises
    ------
    greyhub.errors.ConfigError
        The variable holds something else.
    """
    text = os.environ.get(VARIABLE, "")
    try:
        said = json.loads(text) if text else {}
    except ValueError as error:
        raise _refused(f"no JSON: {error}") from error
    if not isinstance(said, dict) or not all(isinstance(each, dict) for each in said.values()):
        raise _refused("no mapping of sections to mappings of options")
    left = {name: _left(options, written.get(name, {})) for name, options in said.items()}
    return {name: options for name, options in left.items() if options}


def _left(options: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in written}


def _refused(what: str) -> ConfigError:
    return ConfigError(
        f"the variable holds {what}",
        where=VARIABLE,
        fix='give it options by section, such as {"JupyterHub": {"hub_connect_ip": "hub"}}',
    )
