"""The report as a page: one file, nothing loaded from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from greyhub.conformance.report import badge
from greyhub.conformance.report.terminal import QUIET
from greyhub.conformance.result import Report


def render(report: Report) -> str:
    """The HTML."""
    from jinja2 import Environment

    source = files("greyhub.conformance.report").joinpath("page.html").read_text("utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source).render(
        report=report,
        badge=badge.render(report),
        stories=[result for result in report.results if result.outcome not in QUIET],
        quiet=QUIET,
        link=link,
    )


def link(text: str) -> tuple[str, str]:
    """What a reference says, and its URL if it holds one: ``project#7 https://…``."""
    words = text.split()
    url = next((word for word in words if word.startswith("https://")), "")
    return " ".join(word for word in words if word != url) or url, url
