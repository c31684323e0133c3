"""Merge the adapters' contributions into the administrator's configuration.

One rule each: lists and mappings join, hooks are called in turn, and of
anything else there can be one value. What the administrator wrote stands,
whichever section it was written in; two adapters that differ are a conflict.

What `merge` returns says who contributes to each option; ``greyhub show`` and the
checks take it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from greyhub.adapter import Contribution
from greyhub.awaitables import awaited
from greyhub.errors import ConfigConflict
from greyhub.masking import shown


@dataclass(frozen=True)
class Origin:
    """Who contributes: ``cluster = "local"``."""

    slot: str
    adapter: str

    def __str__(self) -> str:
        return f'{self.slot} = "{self.adapter}"' if self.slot else self.adapter


@dataclass(frozen=True)
class Offer:
    """One value that somebody contributes to one option."""

    origin: Origin
    section: str
    trait: str
    value: Any

    @property
    def joins(self) -> bool:
        """Whether it joins what others say; of anything else there is one value."""
        return self.trait.endswith("_hook") or isinstance(self.value, list | Mapping)


class Merged(NamedTuple):
    """What came of a merge."""

    offers: Mapping[tuple[str, ...], Sequence[Offer]]
    """Who contributes to each option, by section and name, as it now stands."""
    conflicts: Sequence[ConfigConflict]
    """The options for which two adapters ask for different values."""


def merge(
    config: Config,
    contributions: Sequence[tuple[Origin, Contribution]],
    lineages: Sequence[Sequence[str]],
) -> Merged:
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
    """
    groups: dict[tuple[tuple[str, ...], str], list[Offer]] = {}
    for origin, contribution in contributions:
        for offer in offers(origin, contribution):
            own = (offer.section,)
            lineage = next((tuple(line) for line in lineages if offer.section in line), own)
            groups.setdefault((lineage, offer.trait), []).append(offer)
    merged: dict[tuple[str, ...], list[Offer]] = {}
    conflicts = []
    for (lineage, trait), group in groups.items():
        written = [name for name in lineage if trait in config.get(name, {})]
        named = [name for name in lineage if any(offer.section == name for offer in group)]
        section = (written or named)[0]
        if not group[0].joins:
            group.sort(key=lambda offer: lineage.index(offer.section))
        merged[section, trait] = group
        mine = config[section][trait] if written else None
        try:
            value = _join(f"c.{section}.{trait}", group, mine, present=bool(written))
        except ConfigConflict as conflict:
            conflicts.append(conflict)
        else:
            if value is not mine:
                config[section][trait] = value
    return Merged(merged, conflicts)


def offers(origin: Origin, contribution: Contribution) -> Iterator[Offer]:
    """A contribution, option by option."""
    if contribution.services:
        services = [dict(each) for each in contribution.services]
        yield Offer(origin, "JupyterHub", "services", services)
    if contribution.roles:
        roles = [dict(each) for each in contribution.roles]
        yield Offer(origin, "JupyterHub", "load_roles", roles)
    if contribution.environment:
        yield Offer(origin, "Spawner", "environment", dict(contribution.environment))
    for section, traits in contribution.config.items():
        for trait, value in traits.items():
            yield Offer(origin, section, trait, value)


def _join(option: str, group: Sequence[Offer], own: Any, *, present: bool) -> Any:
    first, *others = group
    if option.endswith("_hook"):
        hooks = [offer.value for offer in group] + ([own] if own is not None else [])
        return chain(hooks)
    for kind, like in ((list, list | tuple), (dict, Mapping)):
        mine = own is None or isinstance(own, like | LazyConfigValue)
        if first.joins and mine and isinstance(first.value, like):
            return _join_entries(option, group, own, kind)
    if present:  # also what is no list or mapping where one belongs: the checks refuse it
        return own
    for other in others:
        if other.value != first.value and other.origin != first.origin:
            raise _conflict(option, (first.origin, first.value), (other.origin, other.value))
    return first.value


def _join_entries(option: str, group: Sequence[Offer], own: Any, kind: type) -> Any:
    """Lists or mappings as one. What the administrator wrote replaces what has its name."""
    mine = own.get_value(kind()) if isinstance(own, LazyConfigValue) else kind(own or ())
    taken = {key for key, _ in _entries(mine)}
    found: dict[Any, tuple[Origin, Any]] = {}
    for offer in group:
        for key, value in _entries(offer.value):
            other = found.setdefault(key, (offer.origin, value))
            if option == "c.JupyterHub.load_roles" and (both := _role(other[1], value)):
                found[key] = (other[0], both)
            elif other[1] != value and key not in taken:
                raise _conflict(f"{option}[{key!r}]", other, (offer.origin, value))
    entries = {key: value for key, (_, value) in found.items() if key not in taken}
    return {**entries, **mine} if kind is dict else [*entries.values(), *mine]


def _role(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any] | None:
    """Two roles of one name as one with the scopes of both, if they differ in these alone."""
    scopes = [*one.get("scopes", ()), *other.get("scopes", ())]
    both = {**one, "scopes": list(dict.fromkeys(scopes))}
    return both if both == {**other, "scopes": both["scopes"]} else None


def _entries(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each part of a list or mapping, by its key, its ``name``, or else itself."""
    if isinstance(value, Mapping):
        yield from value.items()
        return
    for item in value:
        name = item.get("name") if isinstance(item, Mapping) else None
        yield name if isinstance(name, str) else repr(item), item


def _conflict(option: str, one: tuple[Origin, Any], other: tuple[Origin, Any]) -> ConfigConflict:
    return ConfigConflict(
        f"{one[0]} and {other[0]} ask for different values: {shown(one[1])} and {shown(other[1])}",
        where=option,
        fix=f"say which is right: set {option.partition('[')[0]} above greyhub.compose(c), "
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
            result = await awaited(hook(*arguments))
            if result is not None:
                arguments = (*arguments[:-1], result)
        return result

    return chained
