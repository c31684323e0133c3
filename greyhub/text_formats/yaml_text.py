"""YAML: each scalar by its key, by the events of PyYAML's parser, where that is installed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from greyhub.text_formats import Named

_LOOKS = re.compile(r"(?m)^[ \t-]*[\w.'\"-]+\s*:(?:\s|$)|^\s*[\[{]")
LONGEST = 200_000


def named(text: str) -> Iterator[Named]:
    """Each scalar of a YAML text, by its key; nothing of what is not YAML."""
    flow = text.lstrip().startswith(("{", "["))
    if len(text) > LONGEST or not (flow or "\n" in text.strip()) or not _LOOKS.search(text):
        return
    try:
        import yaml
    except ImportError:
        return
    found: list[Any] = []
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            found.append(event)
            if len(found) > LONGEST:
                return
    except (yaml.YAMLError, ValueError):
        return
    yield from _of_events(text, found)


def _of_events(text: str, events: list[Any]) -> Iterator[Named]:
    """Follow mappings and sequences: a scalar is a key or stands under one."""
    open_ones: list[tuple[bool, str]] = [(False, "")]  # whether a mapping, under which name
    key: str | None = None
    fields: list[dict[str, Named]] = [{}]
    for event in events:
        kind = type(event).__name__
        is_mapping, over = open_ones[-1]
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            open_ones.append((kind == "MappingStartEvent", over if key is None else key))
            fields.append({})
            key = None
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            open_ones.pop()
            mine = fields.pop()
            if "name" in mine and "value" in mine:
                yield mine["value"]._replace(name=mine["name"].text)
            key = None
        elif kind == "ScalarEvent":
            if is_mapping and key is None:
                key = str(event.value)
                continue
            sealed = event.tag is not None or any(
                name.lower().startswith("encrypted") for _, name in open_ones
            )
            each = _scalar(text, "" if sealed else over if key is None else key, event)
            fields[-1][key or ""] = each
            if len(open_ones) > 1:
                yield each
            key = None
        elif kind == "AliasEvent":
            key = None


def _scalar(text: str, name: str, event: Any) -> Named:
    start = event.start_mark.index
    end = event.end_mark.index
    value = str(event.value)
    raw = text[start:end]
    while raw[-1:].isspace():
        raw = raw[:-1]
    end = start + len(raw)
    style = event.style
    if style in ("'", '"') and raw[:1] == style and raw[-1:] == style:
        written = None if raw[1:-1] == value else (_double if style == '"' else _single)
        return Named(name, value, start + 1, end - 1, written=written)
    if style in ("|", ">"):
        line = text.find("\n", start) + 1
        first = line + len(text[line:end]) - len(text[line:end].lstrip())
        return Named(name, value, first, max(first, end))
    return Named(name, value, start, end)


def _double(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _single(text: str) -> str:
    return text.replace("'", "''")
