"""``python -m greyhub.azureml.dask_command scheduler|worker …``: Dask's own command.

What is secret comes in the environment and not on the command line: the path of the pages.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Final

VARIABLE: Final = "GREYHUB_DASHBOARD_PREFIX"
"""Holds the path that the pages of a scheduler or worker are below."""


def main() -> None:
    """Run it until it has ended."""
    if sys.argv[1:2] not in (["scheduler"], ["worker"]) or VARIABLE not in os.environ:
        raise SystemExit("a job of Azure ML runs this program: it is not for the command line")
    command = import_module(f"distributed.cli.dask_{sys.argv[1]}").main
    command([*sys.argv[2:], "--dashboard-prefix", os.environ[VARIABLE]])


if __name__ == "__main__":
    main()
