"""Every mutant of the slot: ``greyhub conform mutants tests.conformance.homespace.mutants``."""

from greyhub.conformance.mutation import collect

ROOMS = ("content", "atomic", "names", "isolation", "freshness")

globals().update(
    {
        each.name.rpartition(":")[2]: each
        for each in collect(f"{__package__}.mutants_{room}" for room in ROOMS)
    }
)
