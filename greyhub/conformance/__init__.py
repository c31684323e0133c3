'''The conformance suite: a verdict that an adapter's author can trust.

Each slot has a contract, a list of clauses; each clause is one test, with the
real fault behind it. An author subclasses the slot's suite, in a few lines::

    from greyhub.conformance import SpawnerSuite

    class TestMySpawner(SpawnerSuite):
        adapter = MySpawner
        config = {"MySpawner": {"url": backend.url}}
        endpoint = "MySpawner.url"
        claims = {"named_servers", "progress"}
        declines = {"limits": "the backend has none", ...}

        def alive(self): ...          # the hooks look at the backend,
        def kill(self, server): ...   # and never through the adapter

and runs ``pytest``, or ``greyhub conform run my_tests:TestMySpawner``. Every
capability is claimed or declined with a reason; what is core cannot be
declined. A hook that is missing makes its clauses unproven, which is neither a
pass nor a skip, and keeps the badge away.

How it is built
---------------
=================  =====================================================
`contract`         a clause, a contract, and where to find them
`suite`            what an author subclasses; refuses what is not said
`case`             what a clause is given, and the record of its run
`engine`           runs a clause, and decides whose fault a failure is
`run`              a whole run; `subprocess_run`, in another process
`result`           results as plain values; `report/`, for each reader
`command`          ``greyhub conform``
`pytest_suite`     a suite as a test class of pytest
`testkit/`         a hub that can crash, a fault proxy, an OAuth provider, a simulated
                   Azure ML workspace
`mutation`         adapters broken on purpose, which test the suites
`spawner/` …       one package a slot
`new/`             example adapters, for ``greyhub conform new``
=================  =====================================================

A module imports only what stands above it, `testkit` or its own slot. A clause
is plain synchronous code; what is asynchronous runs in a thread of its own (see
`testkit.hub`), so that a broken adapter can hang itself, not the suite.

How to write a slot's suite
---------------------------
A slot is one package, ``greyhub/conformance/<slot>/``. Its ``__init__`` exports
``CONTRACT`` and the suite. ``suite.py`` holds the `Contract` (slot, version,
package, the modules with clauses, the case, the capabilities) and the `Suite`
subclass with the slot's hooks, each marked ``@hook``. ``case.py`` holds the `Case`
subclass: helpers, so that a clause reads like its promise. Clauses stand in
modules by theme::

    @clause("SPAWNER-013", MUST, hooks="alive environment")
    def poll_while_starting(case: SpawnerCase) -> None:
        """While start() is suspended, poll() is None.

        How it is tested, in a sentence or two.

        Seen: kubespawner#98 https://…
        """
        server = case.server(case.hub())
        ...
        case.equal(server.poll(), None, "while start() was under way, poll() answered")

The docstring's first paragraph is the promise, and what it ends with the real
faults behind it. `Case.require` and `Case.equal` break it, `Case.advise` is for
the part of a MUST that is only a SHOULD. Call the adapter through `Case.call`
(or, in a hub, a class made by `testkit.recorder`), so that what it raises counts
as its own failure; anything else that is raised is an error of the suite. Look
at the backend through `Case.hook` alone. Say with `Case.did` what is done.
``needs=`` names capabilities: where one is declined the clause is not run, unless
``refusal=True``; then it must find, by `Case.claims`, that what is declined is
refused cleanly. ``guards=`` says that data, money or secrets are at stake.
Clauses that cannot be executed are `listed`, with the reason, in the module they
would stand in. Wait with `Case.until`; every random choice comes from ``case.random``.

Ids are never reused, and a stricter meaning is a new id. A new clause names the
contract's version in ``since=`` and is provisional, a warning, until the next.

The mutants of a slot are in ``tests/conformance/<slot>/mutants*.py``: subclasses
of a correct adapter that break one promise each::

    @mutant("SPAWNER-013", ToySuite)
    class SaysZeroWhileStarting(ToySpawner):
        """poll() knows of processes only, and there is none yet."""

        async def poll(self): ...

``greyhub conform mutants tests.conformance.spawner.mutants`` runs each by the
whole contract: it must fail that clause and no other (``also=`` names those that
cannot but fail with it). Every executable MUST needs one, and two where it
guards something. Two correct adapters that differ must pass, and a lazy one
that declines everything must not.
'''

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from greyhub.errors import warn_renamed

if TYPE_CHECKING:
    from greyhub.conformance.auth import AuthSuite, Restriction
    from greyhub.conformance.cluster import ClusterSuite, OnThisMachine, Part
    from greyhub.conformance.data import DataSuite
    from greyhub.conformance.homespace import HomespaceSuite
    from greyhub.conformance.spawner import Running, SpawnerSuite

_HOME = {
    "SpawnerSuite": "spawner",
    "Running": "spawner",
    "AuthSuite": "auth",
    "Restriction": "auth",
    "ClusterSuite": "cluster",
    "OnThisMachine": "cluster",
    "Part": "cluster",
    "HomespaceSuite": "homespace",
    "DataSuite": "data",
}

_FORMER = {"HomeSuite": "HomespaceSuite"}

__all__ = [
    "AuthSuite",
    "ClusterSuite",
    "DataSuite",
    "HomespaceSuite",
    "OnThisMachine",
    "Part",
    "Restriction",
    "Running",
    "SpawnerSuite",
]


def __getattr__(name: str) -> Any:
    """The suites, each imported when it is asked for: none costs the others anything."""
    if name in _FORMER:
        warn_renamed(name, _FORMER[name])
        name = _FORMER[name]
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
