"""JSON: each text by its key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from greyhub.text_formats import Named

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)


def is_json(text: str) -> bool:
    """Whether a text is an object or a list in JSON."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def named(text: str) -> Iterator[Named]:
    """Each text and number of a JSON text, by its key; in a list by the list's.

    A value that an object has beside a ``name``, as Kubernetes writes it, is under that name.
    """
    names = [""]
    given: list[dict[str, Named]] = [{}]
    key: str | None = None
    for found in _PIECE.finditer(text):
        piece = found[0]
        if piece in ("{", "["):
            names.append(names[-1] if key is None else key)
            given.append({})
            key = None
        elif piece in ("}", "]"):
            names.pop()
            fields = given.pop()
            if "name" in fields and "value" in fields:
                yield fields["value"]._replace(name=fields["name"].text)
        elif piece[0] == '"':
            content = json.loads(piece, strict=False)
            if re.compile(r"\s*:").match(text, found.end()):
                key = content
                continue
            plain = piece[1:-1] == content
            each = Named(
                names[-1] if key is None else key,
                content,
                found.start() + 1,
                found.end() - 1,
                written=None if plain else _written,
            )
            given[-1][key or ""] = each
            yield each
            key = None
        elif piece == ",":
            key = None
        elif piece.isdigit() and len(piece) > 4:  # less is a limit, or a number of something
            yield Named(names[-1] if key is None else key, piece, *found.span())


def _written(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
