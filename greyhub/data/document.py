"""Parse the YAML of a catalogue safely, and keep the line of each entry.

Everything that can be wrong with the text itself ends here, as one `Fault`.
Intake is not imported: the hub reads its catalogues as it starts.
"""

from __future__ import annotations

import gc
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from greyhub.errors import CatalogError

DEEPEST = 50
LARGEST = 2_000_000
"""How deep values may nest, and how many there may be once aliases are followed."""

_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Fault(CatalogError):
    """What is wrong with a catalogue or one of its entries, where, and the fix.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence.
    where : str
        The file and line.
    fix : str
        What to do about it.
    """

    def __init__(self, what: str, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(what, where, fix)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  fix: {self.fix}" if self.fix else text


@dataclass(frozen=True)
class Document:
    """A catalogue file, read.

    Parameters
    ----------
    location : str
        Its path or URL, for people: it holds no password.
    directory : str
        What ``CATALOG_DIR`` stands for in it.
    version : int
        Intake's format, 1 or 2.
    body : Mapping
        What it says.
    lines : Mapping
        The line of each name in each of its sections.
    """

    location: str
    directory: str
    version: int
    body: Mapping[str, Any]
    lines: Mapping[tuple[str, Hashable], int]

    def where(self, section: str, name: Hashable) -> str:
        """The file and line of an entry."""
        return f"{self.location}:{self.lines.get((section, name), 1)}"

    def section(self, name: str) -> Mapping[Any, Any]:
        """One of its mappings; an absent one is empty."""
        found = self.body.get(name)
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            raise Fault(
                f"{name!r} is {_kind(found)}, and must be a mapping from name to entry",
                self.where("", name),
            )
        return found


def parse(content: bytes, location: str, directory: str) -> Document:
    """Read a catalogue's content.

    Raises
    ------
    Fault
        It is not text, not YAML, not safe, or not a catalogue of Intake's.
    """
    text = _decode(content, location)
    try:
        with _uncollected():
            body, root = _load(text)
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
        raise Fault(f"is not a catalogue, but {_kind(body)}", where)
    return Document(location, directory, _version(body, where), body, dict(_lines(root)))


def values(text: str) -> Any:
    """What YAML of somebody else's says, which is no catalogue.

    Raises
    ------
    yaml.YAMLError
        It is no YAML, not safe, or too large or too deep once its aliases are followed.
    """
    return _load(text)[0]


def _decode(content: bytes, location: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Fault(
            f"is not text in UTF-8: it holds the byte 0x{content[error.start]:02x}",
            f"{location}:{line}",
        ) from None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the collector rest: of a large document's nodes, all alive, it makes most of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Loader(_Safe):  # type: ignore[misc]
    """YAML's safe loader; a value that cannot be made says on which line it stands."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            raise _problem(f"a value cannot be read: {error}", node) from error


def _load(text: str) -> tuple[Any, Any]:
    _check_depth(text)
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None, None
        _size(root, {}, set())
        return loader.construct_document(root), root
    finally:
        loader.dispose()


def _check_depth(text: str) -> None:
    # The C parser makes nodes by recursion: a text that is deep enough would end the process.
    depth = 0
    too_deep = f"nests deeper than {DEEPEST} levels"
    try:
        for event in yaml.parse(text, Loader=_Safe):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEEPEST:
                    raise _problem(too_deep, event)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.scanner.ScannerError as error:  # the parser's own limit, of PyYAML 6.0.4 on
        if "nesting depth" not in str(error.problem):
            raise
        raise yaml.MarkedYAMLError(problem=too_deep, problem_mark=error.problem_mark) from error


def _size(node: Any, known: dict[int, int], above: set[int]) -> int:
    """How many values a node is once its aliases are followed; refuses what is repeated."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in known:
        return known[id(node)]
    if id(node) in above:
        raise _problem("an alias stands inside what it names, so that it has no end", node)
    above.add(id(node))
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
        children = [each for pair in node.value for each in pair]
    else:
        children = node.value
    size = 1 + sum(_size(child, known, above) for child in children)
    if size > LARGEST:
        raise _problem(f"its aliases make more than {LARGEST} values", node)
    above.discard(id(node))
    known[id(node)] = size
    return size


def _check_keys(node: Any) -> None:
    seen = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value != "<<":
            if (key.tag, key.value) in seen:
                raise _problem(f"{key.value!r} is there twice", key)
            seen.add((key.tag, key.value))


def _problem(problem: str, node: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


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


def _kind(value: object) -> str:
    names = {list: "a list", str: "one line of text", type(None): "empty"}
    return names.get(type(value), f"a {type(value).__name__}")
