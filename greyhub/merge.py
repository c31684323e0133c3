"""Merge the adapters' contributions into the administrator's configuration.

One rule each: lists and mappings join, hooks are called in turn, and of
anything else there can be one value. What the administrator wrote stands,
whichever section it was written in; two adapters that differ are a conflict.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from greyhub.adapter import Contribution
from greyhub.errors import ConfigConflict


@dataclass(frozen=True)
class Origin:
    """Who contributes: ``cluster = "local"``."""

    slot: str
    adapter: str

    def __str__(self) -> str:
        return f'{self.slot} = "{self.adapter}"' if self.slot else self.adapter


Offer = tuple[Origin, Any]


def merge(
    config: Config,
    contributions: Sequence[tuple[Origin, Contribution]],
    lineages: Sequence[Sequence[str]],
) -> None:
    """Add the contributions to ``config`` in place.

    Parameters
    ----------
    config : Config
        What the administrator wrote; it is added to.
    contributions : sequence of (Origin, Contribution)
        In the order in which lists and hooks shall run.
    lineages : sequence of sequences of str
        The section names of each class in use, the most specific first, such
        as ``["KubeSpawner", "Spawner"]``: an option may be set in any of them.

    Raises
    ------
    greyhub.errors.ConfigConflict
        Two adapters ask for different values of one option.
    """
    for (section, trait), offers in _by_option(contributions).items():
        lineage = next((line for line in lineages if section in line), [section])
        written = [name for name in lineage if trait in config.get(name, {})]
        target = written[0] if written else section
        own = config[target][trait] if written else None
        option = f"c.{section}.{trait}"
        merged = _join(option, offers, own, present=bool(written))
        if merged is not own:
            config[target][trait] = merged


def _by_option(
    contributions: Sequence[tuple[Origin, Contribution]],
) -> dict[tuple[str, str], list[Offer]]:
    options: dict[tuple[str, str], list[Offer]] = {}
    for origin, contribution in contributions:
        for section, trait, value in _options(contribution):
            options.setdefault((section, trait), []).append((origin, value))
    return options


def _options(contribution: Contribution) -> Iterator[tuple[str, str, Any]]:
    if contribution.services:
        yield "JupyterHub", "services", [dict(each) for each in contribution.services]
    if contribution.roles:
        yield "JupyterHub", "load_roles", [dict(each) for each in contribution.roles]
    if contribution.environment:
        yield "Spawner", "environment", dict(contribution.environment)
    for section, traits in contribution.config.items():
        for trait, value in traits.items():
            yield section, trait, value


def _join(option: str, offers: Sequence[Offer], own: Any, *, present: bool) -> Any:
    first = offers[0][1]
    if option.endswith("_hook"):
        hooks = [value for _, value in offers] + ([own] if own is not None else [])
        return chain(hooks)
    if isinstance(first, list) and _joinable(own, list | tuple):
        return _join_lists(option, offers, own)
    if isinstance(first, Mapping) and _joinable(own, Mapping):
        return _join_mappings(option, offers, own)
    if present:
        return own
    for origin, value in offers[1:]:
        if value != first:
            raise _conflict(option, offers[0], (origin, value))
    return first


def _joinable(own: Any, kind: Any) -> bool:
    """Whether it can be joined with its like; what cannot stands, and the checks refuse it."""
    return own is None or isinstance(own, kind | LazyConfigValue)


def _join_lists(option: str, offers: Sequence[Offer], own: Any) -> Any:
    mine = own.get_value([]) if isinstance(own, LazyConfigValue) else list(own or ())
    taken = {_name(item) for item in mine} - {None}
    offered: dict[Any, Offer] = {}
    joined: list[Any] = []
    for origin, items in offers:
        for item in items:
            name = _name(item)
            if name is None:
                if item not in joined and item not in mine:
                    joined.append(item)
            elif name in offered and offered[name][1] != item:
                raise _conflict(f"{option}: {name!r}", offered[name], (origin, item))
            elif name not in taken and name not in offered:
                joined.append(item)
                offered[name] = (origin, item)
    return [*joined, *mine]


def _join_mappings(option: str, offers: Sequence[Offer], own: Any) -> Any:
    mine = own.get_value({}) if isinstance(own, LazyConfigValue) else dict(own or {})
    offered: dict[str, Offer] = {}
    for origin, values in offers:
        for key, value in values.items():
            if key in offered and offered[key][1] != value and key not in mine:
                raise _conflict(f"{option}[{key!r}]", offered[key], (origin, value))
            offered[key] = (origin, value)
    return {**{key: value for key, (_, value) in offered.items()}, **mine}


def _name(item: Any) -> Any:
    return item.get("name") if isinstance(item, Mapping) else None


def _conflict(option: str, one: Offer, other: Offer) -> ConfigConflict:
    return ConfigConflict(
        f"{one[0]} and {other[0]} ask for different values: {one[1]!r} and {other[1]!r}",
        where=option,
        fix=f"say which is right: set {option.split(':')[0]} above greyhub.compose(c), "
        "or choose another adapter for one of the two slots",
    )


def chain(hooks: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """One hook that awaits several in turn and passes results on.

    JupyterHub's hooks either return None, or a changed form of their last
    argument (``post_auth_hook``): each hook sees what the one before returned.
    """
    if len(hooks) == 1:
        return hooks[0]

    async def chained(*arguments: Any) -> Any:
        result = None
        for hook in hooks:
            result = hook(*arguments)
            if inspect.isawaitable(result):
                result = await result
            if result is not None:
                arguments = (*arguments[:-1], result)
        return result

    return chained
