"""The report as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import click

from greyhub.conformance.result import Outcome, Report, Result

COLOURS = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "red",
    Outcome.WARNED: "yellow",
    Outcome.UNPROVEN: "magenta",
    Outcome.ERROR: "magenta",
    Outcome.DECLINED: "cyan",
    Outcome.LISTED: "white",
    Outcome.NOT_RUN: "white",
}

QUIET = (Outcome.PASSED, Outcome.DECLINED, Outcome.LISTED, Outcome.NOT_RUN)
"""Outcomes that need no details."""


def line(result: Result) -> str:
    """One result in one line."""
    outcome = click.style(f"{result.outcome:<9}", fg=COLOURS[result.outcome])
    took = f"{result.seconds:6.2f} s" if result.seconds else " " * 8
    return f"{outcome} {result.id:<12} {result.level:<6} {took}  {_cut(result.promise, 76)}"


def details(result: Result) -> str:
    """All that is known of one clause that was not kept."""
    head = click.style(f"{result.outcome.upper()} {result.id}", bold=True)
    rows = [("broken" if result.outcome is Outcome.FAILED else "because", [result.message])]
    rows += [
        ("done", result.done),
        ("adapter", result.said),
        ("backend", result.saw),
        ("incident", result.seen),
        ("repeat", [result.repeat] if result.repeat else []),
        ("trace", result.trace.splitlines()[-12:]),
    ]
    lines = [f"{head} ({result.level}) {result.promise}"]
    for name, texts in rows:
        shown = texts if len(texts) <= 14 else [*texts[:6], "…", *texts[-7:]]
        for number, text in enumerate(shown):
            lines.append(f"  {name if number == 0 else '':<9} {text}")
    return "\n".join(lines)


def summary(report: Report) -> Iterator[str]:
    """What the whole run came to."""
    for result in report.results:
        if result.outcome not in QUIET:
            yield ""
            yield details(result)
    yield ""
    failed = report.having(Outcome.FAILED)
    if len(failed) > 3:
        yield f"begin with {failed[0].id}: what comes later builds upon what comes first"
        yield ""
    yield f"{report.adapter} ({report.version or 'version unknown'})"
    yield f"against {report.contract}, backend {report.mode}, seed {report.seed}"
    yield f"claims    {', '.join(map(_claim, report.claims.items())) or 'nothing beyond the core'}"
    for name, reason in report.declines.items():
        yield f"declines  {name}: {reason}"
    for leftover in report.leftovers:
        yield f"left over {leftover}"
    yield "slowest   " + ", ".join(f"{r.id} {r.seconds:.1f} s" for r in report.slowest(3))
    counts = ", ".join(f"{number} {name}" for name, number in report.counts.items())
    yield f"{counts}, in {report.seconds:.1f} s"
    colour = {0: "green", 1: "red"}.get(report.exit_code, "magenta")
    yield click.style(report.verdict, fg=colour, bold=True)


def _claim(item: tuple[str, object]) -> str:
    name, value = item
    return name if value is True else f"{name} ({value})"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
