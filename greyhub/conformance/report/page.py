"""The report as one HTML page, with nothing loaded from elsewhere."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files

from greyhub.conformance.report import badge
from greyhub.conformance.report.terminal import QUIET
from greyhub.conformance.result import Outcome, Report

WORST_FIRST = (Outcome.FAILED, Outcome.ERROR, Outcome.UNPROVEN, Outcome.WARNED)


def render(report: Report) -> str:
    """The HTML."""
    from jinja2 import Environment
    from markupsafe import Markup

    source = files("greyhub.conformance.report").joinpath("page.html").read_text("utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["prose"] = lambda text: Markup(prose(text))  # noqa: S704 - it is escaped
    return environment.from_string(source).render(
        report=report,
        badge=badge.render(report),
        explained=sorted(
            (result for result in report.results if result.outcome not in QUIET),
            key=lambda result: WORST_FIRST.index(result.outcome),
        ),
        quiet=QUIET,
        link=link,
    )


def prose(text: str) -> str:
    """HTML of a promise: what stands in double backticks is code."""
    return re.sub("``(.+?)``", r"<code>\1</code>", escape(text))


def link(text: str) -> tuple[str, str]:
    """What a reference says, and its URL if it holds one: ``project#7 https://…``."""
    words = text.split()
    url = next((word for word in words if word.startswith("https://")), "")
    return " ".join(word for word in words if word != url) or url, url
