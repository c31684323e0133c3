"""The values of the Helm chart: their JSON Schema and their page, made of ``values.yaml``.

Each value has a comment above it. Its type is that of its default, and a line
``# schema: {…}`` narrows it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final

HEAD: Final = """\
# Values of the chart

What `helm install --set` and a file of values take for the chart `charts/greyhub`. Whatever is not
here is said in `greyhub_config.py`. This page is made from `charts/greyhub/values.yaml`:
`python -m greyhub.reference docs`. How the chart is installed is in
[Install on Kubernetes](../how-to/install-on-kubernetes.md).
"""

KEY: Final = re.compile(r"( *)(\w+):")
TYPES: Final = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}


@dataclass(frozen=True)
class Value:
    """One value: its way from the top, its meaning, its default, what narrows its type."""

    path: tuple[str, ...]
    meaning: str
    default: Any
    narrowed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        kind = {} if self.default is None else {"type": TYPES[type(self.default)]}
        return {"description": self.meaning, **kind, **self.narrowed}


def values(text: str) -> list[Value]:
    """The values of a ``values.yaml``, in its order.

    Raises
    ------
    ValueError
        One has no comment that says what it is.
    """
    import yaml

    everything = yaml.safe_load(text)
    lines = list(_keys(text))
    commented = [path for path, comment in lines if comment]
    found: list[Value] = []
    for path, comment in lines:
        if any(path[: len(above.path)] == above.path for above in found):
            continue  # a part of a default
        if any(below[: len(path)] == path and below != path for below in commented):
            continue  # a section, whose values follow
        words = [line for line in comment if not line.startswith("schema:")]
        if not words:
            raise ValueError(f"{'.'.join(path)} has no comment")
        rules = [json.loads(line[len("schema:") :]) for line in comment if line not in words]
        default = reduce(lambda inside, name: inside[name], path, everything)
        found.append(Value(path, " ".join(words), default, *rules))
    return found


def _keys(text: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Each key of mappings in the block style, and the lines of the comment above it."""
    path: list[str] = []
    comment: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            comment.append(line.lstrip().removeprefix("#").strip())
        elif key := KEY.match(line):
            path = [*path[: len(key[1]) // 2], key[2]]
            yield tuple(path), comment
            comment = []
        else:
            comment = []


def schema(text: str) -> dict[str, Any]:
    """The JSON Schema by which Helm checks values; what nobody knows is refused."""
    top = _section()
    for value in values(text):
        inside = top
        for name in value.path[:-1]:
            inside = inside["properties"].setdefault(name, _section())
        inside["properties"][value.path[-1]] = value.schema
    # Helm hands it to a chart that is part of another one.
    top["properties"]["global"] = {"type": "object"}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **top}


def _section() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def page(text: str) -> str:
    """The page as Markdown."""
    lines = [HEAD, "| value | by default | what it is |", "|---|---|---|"]
    for each in values(text):
        lines.append(f"| `{'.'.join(each.path)}` | {_shown(each)} | {each.meaning} |")
    return "\n".join(lines) + "\n"


def _shown(value: Value) -> str:
    if value.default in ("", [], {}):
        return ""
    text = value.default if isinstance(value.default, str) else json.dumps(value.default)
    return f"`{text}`"
