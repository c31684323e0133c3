"""SPAWNER-001 to 004: what start() promises."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.means.audit import outside
from greyhub.conformance.spawner.case import SpawnerCase


@clause("SPAWNER-001", MUST)
def construction_does_no_io(case: SpawnerCase) -> None:
    """Construction, load_state() and clear_state() do no I/O.

    Python's own audit events tell of every socket and process that is begun
    meanwhile in the hub's thread. A hub makes a spawner for each user as it starts.
    """
    hub = case.hub()
    server = case.server(hub)

    def make() -> list[str]:
        with outside() as seen:
            spawner = server._spawner()
            spawner.load_state({})
            spawner.clear_state()
        return seen

    case.did("made a spawner, load_state({}), clear_state()")
    seen = hub.run(make)
    case.require(not seen, f"it reached out: {', '.join(seen[:3])}")


@clause(
    "SPAWNER-002",
    MUST,
    seen="kubespawner#82 https://github.com/jupyterhub/kubespawner/issues/82",
)
def start_returns_an_address(case: SpawnerCase) -> None:
    """start() is awaitable and returns http(s)://host:port or (ip, port), never None."""
    case.started(case.hub())
    value = next(answer.value for answer in case.answers if answer.name == "start")
    if isinstance(value, str):
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname and parts.port)
    else:
        good = (
            isinstance(value, tuple)
            and len(value) == 2
            and isinstance(value[0], str)
            and isinstance(value[1], int)
            and 0 < value[1] < 65536
        )
    case.require(good, f"start() returned {value!r}")


@clause(
    "SPAWNER-003",
    MUST,
    seen="batchspawner#236 https://github.com/jupyterhub/batchspawner/issues/236",
)
def the_address_answers(case: SpawnerCase) -> None:
    """The returned address answers GET {base_url}api with less than 500."""
    server = case.started(case.hub())
    case.did(f"GET {server.url}api")
    status = requests.get(f"{server.url}api", timeout=5).status_code
    case.saw(f"status {status}")
    case.require(status < 500, f"the address answered {status}")
