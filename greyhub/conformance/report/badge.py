"""The badge: an SVG that says the contract, the verdict and what stood behind it."""

from __future__ import annotations

from html import escape

from greyhub.conformance.result import Report

GREEN, AMBER, RED, GREY = "#2f7d4f", "#a06a00", "#a8322d", "#5c6570"
WIDE = frozenset("mwMWABCDEFGHKNOPQRSUVXYZ@%")
NARROW = frozenset("fijlrtI.,:;/|()[] '1")


def render(report: Report) -> str:
    """The SVG. Only a certified report has a conformant badge."""
    left, right = report.contract, _says(report)
    widths = [_width(left), _width(right)]
    total = sum(widths)
    texts = [(widths[0] / 2, left), (widths[0] + widths[1] / 2, right)]
    label = escape(f"{report.adapter}, {left}: {right}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img" '
            f'aria-label="{label}">',
            f"<title>{label}</title>",
            f'<clipPath id="r"><rect width="{total}" height="20" rx="3"/></clipPath>',
            '<g clip-path="url(#r)">',
            f'<rect width="{widths[0]}" height="20" fill="#24292f"/>',
            f'<rect x="{widths[0]}" width="{widths[1]}" height="20" fill="{_colour(report)}"/>',
            "</g>",
            '<g fill="#fff" text-anchor="middle" '
            'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">',
            *(f'<text x="{x:g}" y="14">{escape(text)}</text>' for x, text in texts),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _says(report: Report) -> str:
    if report.certified:
        return f"{report.verdict} ({report.mode})"
    verdict = report.verdict if report.exit_code else "not all clauses were run"
    return f"{verdict} ({report.mode})"


def _colour(report: Report) -> str:
    if report.certified:
        return GREEN if report.verdict == "conformant" else AMBER
    return RED if report.exit_code == 1 else GREY


def _width(text: str) -> int:
    return 12 + round(sum(9.2 if c in WIDE else 4.4 if c in NARROW else 6.9 for c in text))
