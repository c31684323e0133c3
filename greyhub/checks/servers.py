"""Check what servers on the hub's own machine need as they start."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from greyhub.adapter import Finding
from greyhub.checks.platform import Platform
from greyhub.class_names import ON_HUB, made_from

PAGES = {
    "/lab": "jupyterlab",
    "/tree": "notebook",
    "/nbclassic": "nbclassic",
    "/retro": "retrolab",
    "/voila": "voila",
}
"""Pages of a server, and the package that brings each."""


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about what starts servers, and where those on this machine begin."""
    empty = "spawner" not in platform.adapters and "spawner" not in platform.broken
    if empty and (path := platform.is_set("GreyHub", "spawner")):
        yield platform.finding(
            "error",
            path,
            "this slot cannot be empty: without a spawner there are no servers",
            "leave the line out, or name a Spawner class",
        )
    spawner = platform.spawner
    if spawner is None or not made_from(spawner, *ON_HUB):
        return
    if path := platform.is_set("Spawner", "default_url"):
        url = str(platform.value("Spawner", "default_url")).removeprefix("/user/{username}")
        page = "/" + url.lstrip("/").partition("/")[0].partition("?")[0]
        if (module := PAGES.get(page)) and find_spec(module) is None:
            yield platform.finding(
                "error",
                path,
                f"servers would begin with {page}, which {module} brings, and it is not installed",
                f"pip install {module}, or name a page that is there: /lab",
            )
    if path := platform.is_set("Spawner", "notebook_dir"):
        folder = str(platform.value("Spawner", "notebook_dir"))
        plain = folder.startswith("/") and not {"{", "}", "%", "~"} & {*folder}
        if plain and not Path(folder).is_dir():
            yield platform.finding(
                "error",
                path,
                f"servers would begin in {folder}, and there is no such directory",
                "make it, or leave the line out: servers begin in the user's home",
            )
