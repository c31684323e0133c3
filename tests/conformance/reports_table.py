"""The page docs/conformance/README.md: who was judged, by what, and what came out."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping

from greyhub.conformance.report.withholding import WITHHELD
from greyhub.conformance.result import Outcome, Report, Result
from greyhub.conformance.suite import Suite
from tests.conformance.strangers.causes import CAUSES

HEAD = """\
# Who keeps the contracts

Made by `make reports`; each line links to its report. greyhub's own adapters come first in each
slot, then others' as they are on PyPI.

- *Failed* is a MUST that was broken, *warned* a SHOULD. *Declined* is what an adapter does not
  offer. *Unproven* could not be seen here.
- **real**: the backend itself; **emulator**: a stand-in for it that others have written, as moto
  is; **fake**: one of these tests'.
- The author's files, which say what is claimed and declined, are in
  [tests/conformance/strangers](../../tests/conformance/strangers). A claim is what the adapter's
  documentation offers.
- What may be a security fault of somebody else's adapter is *withheld*: it is for its maintainers
  to hear of. All clauses of the kind are then withheld together, kept or not. It may well be by
  design, documented, or JupyterHub's own.
- *Source* is where in its code it was traced to; what has no such line was seen, and not traced.
- A contract asks for more than an adapter's own API may promise: a clause that is broken says that
  this promise is not kept, not that the project ever made it. `greyhub conform explain ID` tells
  what a clause wants, and the real fault behind it.

To repeat all of it: `pip install -e '.[test,strangers]'`, then `make reports`.
"""

SLOTS = {
    "spawner": "Spawners",
    "auth": "Authenticators",
    "cluster": "Clusters",
    "homespace": "Homes",
    "data": "Catalogues",
}

COLUMNS = ("adapter", "versions", "mode", "verdict",
           "passed", "failed", "warned", "declined", "unproven")  # fmt: skip


def render(
    reports: Mapping[str, Report], suites: Mapping[str, type[Suite]], absent: Mapping[str, str]
) -> str:
    """The page, of the reports that are there."""
    lines = [HEAD]
    for slot, title in SLOTS.items():
        here = {n: r for n, r in reports.items() if suites[n].contract.slot == slot}
        if here:
            contract = suites[next(iter(here))].contract.name
            lines += [f"## {title}, by {contract}", "", *_row(COLUMNS)]
            lines += _row(["---"] * 4 + ["---:"] * 5)
            for name, report in here.items():
                lines += _row(_cells(name, report, suites[name]))
            lines.append("")
            for name, report in here.items():
                lines += _broken(report, suites[name], CAUSES.get(name, {}))
    if absent:
        lines += ["## Not judged", ""]
        lines += [f"- {name}: {reason}" for name, reason in absent.items()] + [""]
    return "\n".join(lines)


def called(suite: type[Suite]) -> str:
    """How people call what a suite judges: its docstring's first line."""
    first = (suite.__doc__ or suite.__name__).partition("\n")[0].rstrip(".")
    return first.replace("``", "`")


def _cells(name: str, report: Report, suite: type[Suite]) -> Iterator[str]:
    yield f"[{called(suite)}]({name}.json)"
    yield ", ".join(_versions(report, suite))
    yield report.mode
    yield f"![{report.verdict}]({name}.svg)"
    for outcomes in (
        (Outcome.PASSED,),
        (Outcome.FAILED,),
        (Outcome.WARNED,),
        (Outcome.DECLINED,),
        (Outcome.UNPROVEN, Outcome.ERROR),
    ):
        yield str(len(report.having(*outcomes)))


def _versions(report: Report, suite: type[Suite]) -> list[str]:
    made = "" if report.adapter.startswith("tests.") else report.version
    parts = [part.partition(" ")[0] for part in suite.parts]
    named = [f"{part} {report.platform[part]}" for part in parts if part in report.platform]
    return list(dict.fromkeys([each for each in (made, *named) if each]))


def _broken(report: Report, suite: type[Suite], causes: Mapping[str, str]) -> list[str]:
    found = report.having(Outcome.FAILED, Outcome.WARNED, Outcome.ERROR)
    if not found:
        return []
    about = inspect.cleandoc(suite.__doc__ or "").partition("\n\n")[2]
    lines = [_line(result, causes.get(result.id, "")) for result in found]
    return [f"### {called(suite)}", "", *([about, ""] if about else []), *lines, ""]


def _line(result: Result, cause: str) -> str:
    if result.id == WITHHELD:
        return f"- **{result.promise}**: {result.message}"
    kind = "" if result.outcome is Outcome.FAILED else f" ({result.outcome})"
    said = " ".join(result.message.replace("|", "\\|").split())
    rows = [f"- **{result.id}**{kind} {result.promise}", f"Seen: {said}"]
    if cause:
        rows.append(f"Source: {cause}.")
    return "\\\n  ".join([*rows, f"`{result.repeat}`"])


def _row(cells: object) -> list[str]:
    return ["| " + " | ".join(cells) + " |"]  # type: ignore[arg-type]
