"""Every mutant of the data slot: ``greyhub conform mutants tests.conformance.data.mutants``."""

from greyhub.conformance.mutation import collect

ROOMS = ("content", "faults", "secrets", "change")

globals().update(
    {
        each.name.rpartition(":")[2]: each
        for each in collect(f"{__package__}.mutants_{room}" for room in ROOMS)
    }
)
