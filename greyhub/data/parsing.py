"""Parse the YAML of a catalogue safely, and keep the line of each entry.

Everything that can be wrong with the text itself ends here, as one `Fault`.
Intake is not imported: the hub reads its catalogues as it starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from greyhub.data.document import Document, Fault, kind_in_words
from greyhub.data.safe_yaml import load, uncollected


def parse(content: bytes, location: str, directory: str) -> Document:
    """Read a catalogue's content.

    Raises
    ------
    Fault
        It is not text, not YAML, not safe, or not a catalogue of Intake's.
    """
    text = _decode(content, location)
    try:
        with uncollected():
            body, root = load(text)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise Fault(
            f"is not text: it holds the character {error.character!r}", f"{location}:{line}"
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Fault(*_explain(error), f"{location}:{line}") from None
    if root is None or body is None:
        raise Fault("is empty", f"{location}:1", "write 'sources:' and the datasets below it")
    where = f"{location}:{root.start_mark.line + 1}"
    if not isinstance(body, Mapping):
        raise Fault(f"is not a catalogue, but {kind_in_words(body)}", where)
    return Document(location, directory, _version(body, where), body, dict(_lines(root)))


def _decode(content: bytes, location: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Fault(
            f"is not text in UTF-8: it holds the byte 0x{content[error.start]:02x}",
            f"{location}:{line}",
        ) from None


def _explain(error: yaml.MarkedYAMLError) -> tuple[str]:
    problem = error.problem or error.context or "cannot be read"
    _, tagged, tag = problem.partition("could not determine a constructor for the tag ")
    if not tagged:
        return (problem if error.context is None else f"is not YAML: {problem}",)
    tag = tag.strip("'").replace("tag:yaml.org,2002:", "!!")
    if tag.startswith("!!python/"):
        return (f"the tag {tag} would run code, which no catalogue may",)
    return (f"the tag {tag} means nothing here: a catalogue is plain YAML",)


def _version(body: Mapping[Any, Any], where: str) -> int:
    version = body.get("version", 1)
    if isinstance(version, bool) or version not in (1, 2):
        raise Fault(
            f"has version {version!r}; greyhub reads versions 1 and 2 of Intake's catalogues",
            where,
            "write 'version: 2' if this is a catalogue of Intake 2, or none if of Intake 1",
        )
    wanted = {1: ("sources",), 2: ("entries", "data")}[int(version)]
    if not any(name in body for name in wanted):
        other = {1: "entries", 2: "sources"}[int(version)]
        hint = {1: "write 'version: 2' above them", 2: "leave out 'version: 2'"}[int(version)]
        raise Fault(
            f"is no catalogue of Intake's version {version}: it has no {wanted[0]!r}",
            where,
            f"it has {other!r}: {hint}" if other in body else "",
        )
    return int(version)


def _lines(root: Any) -> Any:
    for key, value in root.value:
        yield ("", key.value), key.start_mark.line + 1
        if isinstance(value, yaml.MappingNode):
            for name, _ in value.value:
                yield (key.value, name.value), name.start_mark.line + 1
