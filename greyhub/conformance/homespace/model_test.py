"""HOME-048: random operations, compared with a dictionary of files (model-based test)."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test as run_machine

from greyhub.conformance.contract import SHOULD, clause
from greyhub.conformance.homespace.case import HomespaceCase
from greyhub.conformance.homespace.random_operations import Program, Search

STEPS, PROGRAMS = 20, 60


@clause("HOME-048", SHOULD, hooks="raw", budget=40)
def a_home_is_a_dictionary(case: HomespaceCase) -> None:
    """Whatever is done in whatever order, a home holds what a dictionary of files would hold.

    Random programs of writing, adding, creating, copying, moving and removing,
    with transactions, writers that fail or are killed, and a second client. They
    go on for two seconds; a program that fails is made as short as it gets.
    """
    search = Search(case)

    def program() -> Program:
        return Program(search)

    chosen = settings(
        max_examples=PROGRAMS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=False,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        # It takes a function as well as a class.
        run_machine(seed(case.seed)(program), settings=chosen)  # type: ignore[arg-type]
    except Exception:
        # When the time is over, programs do nothing any more: the same one then ends
        # in another way, and the shortest that failed does not fail again.
        if search.error is None and not search.over():
            raise
    search.tell()
    if search.error is not None:
        raise search.error
