"""What pages count or write out is so."""

from __future__ import annotations

import re
from pathlib import Path

from greyhub.data.catalog import open_catalogs
from tests.docs.blocks import ROOT, pages


def test_the_expression_that_the_page_of_catalogues_shows(tmp_path: Path) -> None:
    assert "{{ '%02d' % month }}" in (ROOT / "docs/reference/catalogues.md").read_text()
    (tmp_path / "rain-2001.csv").write_text("day,mm\n1,3\n2,5\n")
    (tmp_path / "c.yaml").write_text(
        "sources: {rain: {driver: csv, args: {urlpath: \"rain-20{{ '%02d' % month }}.csv\"}, "
        "parameters: {month: {type: int, description: x, default: 1}}}}"
    )
    catalog = open_catalogs([("", str(tmp_path / "c.yaml"))], {})
    assert len(catalog["rain"].read()) == 2


def test_the_size_of_what_reads_catalogues() -> None:
    text = (ROOT / "docs/explanation/security.md").read_text()
    said = re.search(r"about ([0-9,]+) lines\s+\(([^)]*?) in\s+`greyhub/data`\)", text)
    assert said
    modules = re.findall(r"`(\w+)`", said[2])
    lines = sum(
        len((ROOT / f"greyhub/data/{name}.py").read_text().splitlines()) for name in modules
    )
    assert abs(lines - int(said[1].replace(",", ""))) < 100, lines


def test_a_figure_of_performance_stands_on_its_page_alone() -> None:
    """What a process at rest takes, and how long a save takes: measured once, said once."""
    measured = re.compile(r"at rest\b[^.]*[0-9.]+ (%|MB)|[0-9.]+ % of a (core|processor)")
    for page in pages():
        if page != "docs/explanation/performance.md":
            assert not measured.search((ROOT / page).read_text()), page


def test_at_rest_the_page_has_one_figure_of_a_kind() -> None:
    text = (ROOT / "docs/explanation/performance.md").read_text()
    assert len(re.findall(r"^\| at rest, of one processor", text, re.MULTILINE)) == 1
    assert len(re.findall(r"^\| at rest, memory", text, re.MULTILINE)) == 1
