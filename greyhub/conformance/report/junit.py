"""The report as JUnit's XML, for CI servers."""

from __future__ import annotations

from xml.etree import ElementTree as Tree

import click

from greyhub.conformance.report.terminal import details
from greyhub.conformance.result import Outcome, Report, Result

SKIPPED = (Outcome.DECLINED, Outcome.LISTED, Outcome.NOT_RUN, Outcome.WARNED)


def render(report: Report) -> str:
    """The XML. What is unproven counts as an error: a CI server must not turn green on it."""
    errors = report.having(Outcome.ERROR, Outcome.UNPROVEN)
    suite = Tree.Element(
        "testsuite",
        name=f"{report.contract} {report.adapter}",
        tests=str(len(report.results)),
        failures=str(len(report.having(Outcome.FAILED))),
        errors=str(len(errors)),
        skipped=str(len(report.having(*SKIPPED))),
        time=str(report.seconds),
        timestamp=report.started,
    )
    properties = Tree.SubElement(suite, "properties")
    for name in ("target", "adapter", "version", "contract", "mode", "seed", "verdict"):
        Tree.SubElement(properties, "property", name=name, value=str(getattr(report, name)))
    for result in report.results:
        _case(suite, report, result)
    root = Tree.Element("testsuites")
    root.append(suite)
    Tree.indent(root)
    return Tree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: Tree.Element, report: Report, result: Result) -> None:
    case = Tree.SubElement(
        suite,
        "testcase",
        classname=report.target,
        name=f"{result.id} {result.promise}",
        time=str(result.seconds),
    )
    if result.outcome is Outcome.PASSED:
        return
    tag = {Outcome.FAILED: "failure", Outcome.ERROR: "error", Outcome.UNPROVEN: "error"}
    child = Tree.SubElement(
        case,
        tag.get(result.outcome, "skipped"),
        message=f"{result.outcome}: {_plain(result.message)}",
    )
    if result.outcome in tag:
        child.text = _plain(click.unstyle(details(result)))


def _plain(text: str) -> str:
    """Only what XML allows."""
    return "".join(each for each in text if each in "\n\t" or each.isprintable())
