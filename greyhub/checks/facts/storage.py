"""What may be true of homes and catalogues."""

from __future__ import annotations

from greyhub.checks.facts.fact import Fact
from greyhub.checks.platform import Platform
from greyhub.class_names import made_from


def _home_on_hub(platform: Platform) -> bool:
    home = platform.adapters.get("homespace")
    url = str(getattr(home, "url", ""))
    return made_from(type(home), "LocalHomespace") or url.startswith(("file:", "local:"))


def _home_shared(platform: Platform) -> bool:
    home = platform.adapters.get("homespace")
    return not made_from(type(home), "LocalHomespace") or bool(getattr(home, "root", ""))


def _home_in_memory(platform: Platform) -> bool:
    return str(getattr(platform.adapters.get("homespace"), "url", "")).startswith("memory:")


def _catalogs_on_hub(platform: Platform) -> bool:
    sources = getattr(platform.adapters.get("data"), "sources", None)
    try:
        return any("://" not in location for _, location in sources()) if sources else False
    except Exception:
        return False


STORAGE: tuple[Fact, ...] = (
    Fact(
        "home-on-hub",
        "homes are directories of the hub's own machine",
        _home_on_hub,
        'set c.GreyHub.homespace = "local"',
    ),
    Fact(
        "home-shared",
        "the directory of the homes is named, as for one that servers elsewhere mount",
        _home_shared,
        'set c.GreyHub.homespace to a URL, such as "s3://homes/{username}"; or set '
        "c.LocalHomespace.root to a directory that the servers mount at the same path",
    ),
    Fact(
        "home-in-memory",
        "homes are kept in the memory of the server",
        _home_in_memory,
        'set c.GreyHub.homespace = "memory://{username}"',
    ),
    Fact(
        "catalogs-on-hub",
        "catalogues are files of the hub's own machine",
        _catalogs_on_hub,
        "name a catalogue by its path",
    ),
)
