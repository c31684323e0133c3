"""Load YAML of somebody else's: safely, and no deeper and no larger than is good."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

DEEPEST = 50
LARGEST = 2_000_000
"""How deep values may nest, and how many there may be once aliases are followed."""

_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def values(text: str) -> Any:
    """What YAML of somebody else's says, which is no catalogue.

    Raises
    ------
    yaml.YAMLError
        It is no YAML, not safe, or too large or too deep once its aliases are followed.
    """
    return load(text)[0]


@contextmanager
def uncollected() -> Iterator[None]:
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


def load(text: str) -> tuple[Any, Any]:
    """What YAML says, and the node of it; None, twice, where there is nothing."""
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
