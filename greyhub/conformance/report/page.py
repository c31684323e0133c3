"""The report as a page: one file, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby

from greyhub.conformance.report import badge
from greyhub.conformance.result import Report, Result


def render(report: Report) -> str:
    """The HTML."""
    from jinja2 import Environment

    source = files("greyhub.conformance.report").joinpath("page.html").read_text("utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )
    return template.render(report=report, badge=badge.render(report), link=link)


def link(text: str) -> tuple[str, str]:
    """What a reference says, and its URL if it holds one: ``project#7 https://…``."""
    words = text.split()
    url = next((word for word in words if word.startswith("https://")), "")
    return " ".join(word for word in words if word != url) or url, url


def groups(results: list[Result]) -> Iterator[tuple[str, list[Result]]]:
    """The results by outcome."""
    for outcome, each in groupby(sorted(results, key=lambda r: r.outcome), lambda r: r.outcome):
        yield outcome, list(each)
