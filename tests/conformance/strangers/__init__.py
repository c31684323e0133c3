"""Adapters that others have written, as they are: the author's files by which they are judged.

Their packages come with ``pip install -e '.[test,strangers]'``. What a suite claims is
what the adapter's documentation offers, whether it keeps it or not. `tests.conformance.reports`
runs them and writes docs/conformance.
"""

ABSENT = {
    "SystemdSpawner": "needs a machine whose first process is systemd",
}
"""Adapters that were not judged, each with the reason."""
