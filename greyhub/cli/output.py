"""Print findings, for people and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import click

from greyhub.adapter import Finding

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue", "ok": "green"}


def print_json(value: Any) -> None:
    """One JSON document."""
    click.echo(json.dumps(value, indent=2, default=str))


def as_mapping(finding: Finding) -> Mapping[str, Any]:
    """A finding for a program."""
    named = re.fullmatch(r"(.*?)(?::(\d+))?", finding.place)
    return {
        "level": finding.level,
        "option": finding.option,
        "file": named[1] if named else finding.place,
        "line": int(named[2]) if named and named[2] else None,
        "message": finding.message,
        "fix": finding.fix,
    }


def print_findings(findings: Sequence[Finding], title: str = "", *, err: bool = False) -> None:
    """Findings for people, one below the other; ``err``, beside a command's own output."""
    for finding in findings:
        level = click.style(f"{finding.level:<8}", fg=_COLOURS[finding.level], bold=True)
        first, *rest = str(finding).splitlines()
        click.echo(f"{level} {f'{title}: ' if title else ''}{first}", err=err)
        for line in rest:
            click.echo(f"         {line.strip()}", err=err)


def counted(findings: Sequence[Finding]) -> str:
    """How many there are of each level: ``2 errors, 1 note``."""
    parts = []
    for level in ("error", "warning", "note"):
        count = sum(finding.level == level for finding in findings)
        if count:
            parts.append(f"{count} {level}{'s' if count > 1 else ''}")
    return ", ".join(parts)
