"""The code blocks of the documentation's pages.

A block is run as what its language says. One that cannot be run has its reason before it,
in a comment that readers do not see::

    <!-- not run: it starts a hub, as tests/e2e does -->
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]

RUNNABLE = {"python", "yaml", "console"}
"""Languages of blocks that are run, unless a reason is given."""

SHOWN = {"text", "json", "toml", "ini", "dockerfile"}
"""Languages of what is only shown: output, and files of other programs."""

REASON = re.compile(r"^<!-- not run: (.+?) -->\s*$", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    language: str
    text: str
    reason: str
    """Why it is not run; empty if it is."""

    @property
    def where(self) -> str:
        """Its place, for messages."""
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str:
        """The name of the file that it is, where its first line says so."""
        said = re.match(r"# (\S+\.(py|yaml))\n", self.text)
        return said[1] if said else ""

    @property
    def is_config(self) -> bool:
        """Whether Python is a config file, or a part of one; otherwise it is a notebook's."""
        return bool(re.search(r"^c(\.| = )", self.text, re.MULTILINE))

    @property
    def commands(self) -> Iterator[tuple[str, str]]:
        """Each command of a console with the lines that it answers."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            count = next(i for i, line in enumerate(lines, 1) if not line.endswith("\\"))
            command = " ".join(line.removesuffix("\\").strip() for line in lines[:count])
            yield command, "\n".join(lines[count:])


def pages() -> list[str]:
    """Every page that people read, by its path in the repository."""
    found = (path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))
    return ["README.md", *sorted(str(path) for path in found if "_build" not in path.parts)]


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in its order; also those without a fence."""
    tokens = MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text())
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type not in ("fence", "code_block"):
            continue
        language = token.info.strip() if token.type == "fence" else "indented"
        said = REASON.match(before.content) if before and before.type == "html_block" else None
        line = token.map[0] + 1 if token.map else 0
        yield Block(page, line, language, token.content, said[1] if said else "")


def pattern(answer: str) -> re.Pattern[str]:
    """An answer as a pattern: ``…`` stands for anything, also for whole lines.

    How many clauses a contract has is not a page's affair: a count is any count.
    """
    lines = [" +".join(map(re.escape, line.split(" "))) for line in answer.strip().splitlines()]
    lines = [re.sub("( [+])+", " +", line.rstrip()).replace("…", ".*") for line in lines]
    lines = [re.sub(r"[0-9]+(?= \+(passed|declined))", "[0-9]+", line) for line in lines]
    whole = "\n".join("(?s:.*)" if line == ".*" else line for line in lines)
    return re.compile(whole.replace("\n(?s:.*)\n", "\n(?s:.*)").replace("(?s:.*)\n", "(?s:.*)"))
