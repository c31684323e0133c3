"""Named predicates over a configuration, for the rules and for `Adapter.needs`."""

from __future__ import annotations

from greyhub.checks.facts.clusters import CLUSTERS
from greyhub.checks.facts.fact import Fact, offered
from greyhub.checks.facts.hub import HUB
from greyhub.checks.facts.servers import SERVERS
from greyhub.checks.facts.storage import STORAGE
from greyhub.checks.platform import Platform

FACTS: dict[str, Fact] = {fact.name: fact for fact in (*SERVERS, *STORAGE, *CLUSTERS, *HUB)}


def holds(platform: Platform, name: str) -> bool:
    """Whether a fact is true; ``not x`` is true where ``x`` is not.

    An adapter may say that a fact is true with it: `greyhub.adapter.Adapter.offers`.
    """
    if name.startswith("not "):
        return not holds(platform, name.removeprefix("not "))
    return offered(platform, name) or FACTS[name].holds(platform)
