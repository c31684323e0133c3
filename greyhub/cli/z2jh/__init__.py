"""Move an installation of Zero to JupyterHub or DaskHub: from its Helm values to greyhub's files.

Each module with a ``GROUP`` is about one part of the values: a table from their paths to what
becomes of each.
"""

from __future__ import annotations
