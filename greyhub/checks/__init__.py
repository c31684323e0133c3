"""The checks that a configuration must pass before a hub starts.

`examine` is the list of the checks; each is one module, named for what it
decides. They read, and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from greyhub.adapter import Finding
from greyhub.checks import (
    access_risks,
    accounts,
    combinations,
    config_lint,
    overrides,
    profiles,
    programs,
    resources,
    secret_leaks,
    sections,
    servers,
    shapes,
    startup,
)
from greyhub.checks.platform import Platform

LEVELS = ("error", "warning", "note", "ok")
"""From the worst."""


def examine(platform: Platform) -> list[Finding]:
    """All findings, the worst first, then in the file's order."""
    found = [
        *config_lint.check(platform.trace),
        *sections.check(platform),
        *refused_values(platform),
        *shapes.check(platform),
        *startup.check(platform),
        *resources.check(platform),
        *servers.check(platform),
        *programs.check(platform),
        *accounts.check(platform),
        *profiles.check(platform),
        *overrides.check(platform),
        *combinations.check(platform),
        *access_risks.check(platform),
        *secret_leaks.check(platform),
    ]
    return sort_findings(found)


def refused_values(platform: Platform) -> Iterator[Finding]:
    """Findings about values that the classes of their options refuse."""
    said = set()
    for cls in platform.readers.classes:
        for flaw in platform.flaws(cls):
            if flaw.path not in said and platform.written_at(flaw.path):
                said.add(flaw.path)
                fix = flaw.fix or f"change the value, or remove the line: {cls.__name__} refuses it"
                yield platform.finding("error", flaw.path, flaw.what, fix)


def sort_findings(found: Sequence[Finding]) -> list[Finding]:
    """Findings without duplicates, the worst first, then in the file's order."""

    def key(finding: Finding) -> tuple[int, str, int]:
        file, _, line = finding.place.rpartition(":")
        return LEVELS.index(finding.level), file, int(line) if line.isdigit() else 0

    return sorted(dict.fromkeys(found), key=key)
