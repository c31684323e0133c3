"""How much a cluster, a user, and the users of a group may have at one time."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

KINDS: Final = ("clusters", "workers", "cores", "memory")
"""What is counted; memory in GiB. Schedulers are not counted among cores and memory."""

Limit = Mapping[str, float]
"""The most of each kind; what is not named has none."""


@dataclass(frozen=True)
class Usage:
    """What one cluster has, or is about to get."""

    cluster: str
    user: str
    groups: frozenset[str]
    workers: int
    cores: float
    """Of each worker."""
    memory: float
    """Of each worker, in GiB."""

    def of(self, kind: str) -> float:
        """How much of a kind all its workers use together."""
        each = {"clusters": 0, "workers": 1, "cores": self.cores, "memory": self.memory}[kind]
        return 1 if kind == "clusters" else self.workers * each


@dataclass(frozen=True)
class Limits:
    """All limits of a platform.

    Parameters
    ----------
    cluster, user : mapping
        For each cluster, and for all clusters of a user.
    member : mapping
        By group: for each user in it, in place of ``user``; of several groups, the most counts.
    group : mapping
        By group: for all users in it together.
    """

    cluster: Limit
    user: Limit
    member: Mapping[str, Limit]
    group: Mapping[str, Limit]

    def for_user(self, groups: Collection[str]) -> Limit:
        """What a user may have who is in certain groups."""
        found = [self.member[each] for each in groups if each in self.member]
        if not found:
            return self.user
        return {kind: max(each.get(kind, math.inf) for each in found) for kind in KINDS}

    def refusal(self, asked: Usage, others: Collection[Usage]) -> str:
        """Why there can be no further cluster, in words; empty if there can."""
        for whose, limit, used in self._each(asked, others):
            most = limit.get("clusters", math.inf)
            if (now := sum(each.of("clusters") for each in used)) + 1 > most:
                amount = _amount("clusters", most)
                return f"{whose} can have {amount} at a time, and have {now:g}"
        return ""

    def workers(self, asked: Usage, others: Collection[Usage]) -> tuple[int, str]:
        """How many of the workers that are asked for can be had, and why not all of them."""
        most, why = asked.workers, ""
        none: list[Usage] = []
        own = ("a cluster", self.cluster, none)
        for whose, limit, used in (own, *self._each(asked, others)):
            for kind, unit in (("workers", 1.0), ("cores", asked.cores), ("memory", asked.memory)):
                if limit.get(kind, math.inf) == math.inf:
                    continue
                room = limit[kind] - sum(each.of(kind) for each in used)
                number = max(0, math.floor(room / unit + 1e-9)) if unit else most
                if number < most:
                    most, why = number, f"{whose} can have {_amount(kind, limit[kind])}"
        return most, why

    def _each(
        self, asked: Usage, others: Collection[Usage]
    ) -> Iterator[tuple[str, Limit, list[Usage]]]:
        others = [each for each in others if each.cluster != asked.cluster]
        mine = [each for each in others if each.user == asked.user]
        yield f"all clusters of {asked.user} together", self.for_user(asked.groups), mine
        for name in sorted(asked.groups & self.group.keys()):
            members = [each for each in others if name in each.groups]
            yield f"all users of the group {name} together", self.group[name], members


def _amount(kind: str, number: float) -> str:
    """A number of a kind, in words."""
    if kind == "memory":
        return f"{number:g} GiB of memory in workers"
    one = kind.removesuffix("s") if number == 1 else kind
    return f"{number:g} {one}" + (" in workers" if kind == "cores" else "")
