"""Each heading of the page is a message that greyhub has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.docs.blocks import ROOT

PAGE = ROOT / "docs/how-to/troubleshooting.md"
HEADINGS = re.findall(r"^### `(.+)`$", PAGE.read_text(), re.MULTILINE)


def texts() -> Iterator[str]:
    """Every text in the code; what is filled in is an ellipsis."""
    for path in (ROOT / "greyhub").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub("%[srd]", "…", node.value)


@pytest.fixture(scope="module")
def messages() -> str:
    return "\n\0".join(texts())


def test_there_are_many() -> None:
    assert len(HEADINGS) > 50


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_heading_is_a_message(heading: str, messages: str) -> None:
    pieces = [re.escape(part.strip()) for part in heading.split("…") if part.strip(" :")]
    assert re.search("[^\0]*?".join(pieces), messages), heading
