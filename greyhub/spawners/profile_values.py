"""The values of a profile's keys, made of what the administrator wrote."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from greyhub.errors import ConfigError
from greyhub.sizes import size_of
from greyhub.wording import write_instead


def _name(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", value):
        return value
    slug = re.sub(r"[^a-z0-9]+", "-", str(value).lower()).strip("-")
    raise ConfigError(
        f"{value!r} is not made of small letters, digits and hyphens",
        fix=f"write {slug or 'small'!r}, and {value!r} as its title",
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{value!r} is no text", fix="write a text, in quotes, or leave it out")
    return value.strip()


def _cores(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        raise ConfigError(f"{value!r} is no number above zero", fix="write a number, such as 2")
    return float(value)


def _memory(value: Any) -> int:
    try:
        size = size_of(value if isinstance(value, str) else "no text")
    except ValueError:
        size = 0
    if size and str(value).strip()[-1] in "bB":
        return size
    figure = re.match(r"\s*(\d+(\.\d+)?)", str(value))
    raise ConfigError(  # JupyterHub's own 8G are 8 GiB, and others' 8 GB
        f"{value!r} is no size with a unit",
        fix=f"write '{figure[1] if figure and float(figure[1]) else 8} GiB', or GB, MiB, MB",
    )


def _gpus(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"{value!r} is no number of GPUs", fix="write a whole number, such as 1")
    return value


def _groups(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        raise ConfigError(f"{value!r} is one text", fix=f"write [{value!r}]")
    known = isinstance(value, list | tuple | set | frozenset)
    if not known or not all(isinstance(each, str) and each for each in value):
        raise ConfigError(f"{value!r} is no list of groups' names", fix="write ['name', …]")
    if not value:
        raise ConfigError("nobody could take it", fix="name a group, or leave the key out")
    return frozenset(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{value!r} is neither True nor False", fix="write True, without quotes")
    return value


def _labels(value: Any) -> dict[str, str]:
    items = value.items() if isinstance(value, Mapping) else [(None, None)]
    if not all(isinstance(each, str) for pair in items for each in pair):
        raise ConfigError(
            f"{value!r} is no mapping of text to text", fix="write {'label': 'value'}, in quotes"
        )
    return dict(value)


_TOLERATION: Final = {
    "key": (),
    "operator": ("Equal", "Exists"),
    "value": (),
    "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute"),
    "tolerationSeconds": (),
}
"""The keys of a toleration, as Kubernetes has them, and the values that each may have."""


def _tolerations(value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, Mapping) for each in value):
        raise ConfigError(f"{value!r} is no list of tolerations", fix="write [{'key': 'gpu', …}]")
    for toleration in value:
        for key, each in toleration.items():
            _known(str(key), tuple(_TOLERATION), "key of a toleration")
            if _TOLERATION[key]:
                _known(str(each), _TOLERATION[key], key)
    return tuple(map(dict, value))


def _known(word: str, known: Sequence[str], what: str) -> None:
    if word not in known:
        raise ConfigError(f"{word!r} is no {what}", fix=write_instead(word, known))


READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": _name,
    "title": _text,
    "description": _text,
    "groups": _groups,
    "default": _flag,
    "cores": _cores,
    "memory": _memory,
    "gpus": _gpus,
    "environment": _text,
    "image": _text,
    "machine": _text,
    "node_selector": _labels,
    "tolerations": _tolerations,
}
"""Every key of a profile, and what makes its value of what was written."""
