"""Adapters that others have written, as they are: the author's files by which they are judged.

Their packages come with ``pip install -e '.[test,strangers]'``. What a suite claims is
what the adapter's documentation offers, whether it keeps it or not. `tests.conformance.reports`
runs them and writes docs/conformance.
"""

ABSENT = {
    "dask-jobqueue's LocalCluster": "it waits for a line of its workers' log, and what failed "
    "could not yet be told from a slow machine",
    "LocalProcessSpawner": "each of its users must be an account of the system, which a test "
    "would have to make; SimpleLocalProcessSpawner is the same code without them",
    "SudoSpawner": "needs sudo, and accounts of the system",
    "SystemdSpawner": "needs a machine whose first process is systemd",
}
"""Adapters that were not judged, each with the reason."""
