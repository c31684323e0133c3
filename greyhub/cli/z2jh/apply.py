"""Go through the values, and let the rule of each say what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from greyhub.cli.z2jh.moving import EMPTY, Group, Moving, Rule, left, unneeded


@dataclass
class _Node:
    """A place in the tables of all groups."""

    rule: Rule | None = None
    group: Group | None = None
    below: dict[str, _Node] = field(default_factory=dict)

    def at(self, key: str) -> _Node | None:
        return self.below.get(key) or self.below.get("*")


def _tree(groups: Sequence[Group]) -> _Node:
    root = _Node()
    for group in groups:
        for path, rule in group.table.items():
            node = root
            for key in path.split("."):
                node = node.below.setdefault(key, _Node(group=group))
            node.rule, node.group = rule, group
    return root


def apply(moving: Moving, values: Mapping[str, Any], groups: Sequence[Group], at: str = "") -> None:
    """Let the groups' rules act, and note what became of each value.

    Parameters
    ----------
    moving : Moving
        What is made of them.
    values : mapping
        The values.
    groups : sequence of Group
        Their tables.
    at : str
        Where these values stand among all: ``dask-gateway``.
    """
    _walk(moving, _tree(groups), values, at)
    for group in groups:
        moving.section = group.section
        group.finish(moving)


def _walk(moving: Moving, node: _Node, value: Any, path: str) -> None:
    if node.below and isinstance(value, Mapping) and value:
        for key, each in list(value.items()):
            here = f"{path}.{key}" if path else key
            below = node.at(key)
            if below is None:
                known = ", ".join(sorted(set(node.below) - {"*"}))
                section = node.group.section if node.group else ""
                moving.note(here, left(f"there is no such value; there is {known}"), section)
            else:
                _walk(moving, below, each, here)
        return
    moving.section = node.group.section if node.group else ""
    rule = node.rule
    if value in EMPTY and (rule is None or not rule.empty):
        outcome = unneeded("it is empty")
    elif rule is None:
        outcome = left("there is a mapping here")
        moving.drop(path)
    elif rule.takes and not isinstance(value, rule.takes):
        outcome = left(f"z2jh takes no such value here: {type(value).__name__}")
        moving.drop(path)
    else:
        try:
            outcome = rule.act(moving, path, value)
        except (AttributeError, KeyError, TypeError, ValueError):
            outcome = left(f"z2jh takes no such value here: {type(value).__name__}")
            moving.drop(path)
    moving.note(path, outcome, moving.section)
