"""Compare what this process and a cluster have installed, before any work is sent.

Two rules:

- **What Dask itself speaks with** (`CORE`, and Python's minor version) must be the same: frames
  and pickles of other versions fail late, or give wrong results without a word. numpy and
  greyhub may be the workers' alone.
- **Any other package** that is here must be there in the same version, since a task may need it.
  A package that only the workers have does no harm. Nor does the absence of a tool, which no
  task imports: installers, JupyterLab and its extensions, and whatever is only there because
  one of these needs it.

A module of one's own that is no installed package cannot be seen: `Client.upload_file` sends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from inspect import getsource
from typing import Any, Final, NamedTuple

from greyhub.clusters import installed

CORE: Final = ("dask", "distributed", "cloudpickle", "msgpack", "lz4", "numpy", "greyhub")
"""Packages whose versions must be the same on both sides."""

ALONE_HERE: Final = frozenset({"greyhub"})
"""Of `CORE`, what may be absent on the cluster: no task needs it."""

ALONE_THERE: Final = frozenset({"greyhub", "numpy"})
"""Of `CORE`, what may be absent here."""

TOOL: Final = re.compile(
    r"pip|setuptools|wheel|uv|virtualenv|conda|mamba|ipython|ipykernel|greyhub"
    r"|notebook|jupyter.*|nb.*|dask-labextension|dask-gateway.*"
)
"""Names of packages that no task imports."""

FRAMEWORKS: Final = ("Framework :: Jupyter", "Framework :: IPython")
"""Whatever has one of these among its classifiers is a tool, too."""

EXPRESSION: Final = (
    f"(lambda names: (exec({getsource(installed)!r}, names), names['installed']())[1])({{}})"
)
"""What a scheduler evaluates: a text, since a pickled function is of one Python's version."""


class Difference(NamedTuple):
    """A package whose version is another one here than there; ``""`` is none."""

    name: str
    here: str
    there: str

    def __str__(self) -> str:
        here, there = (version or "not installed" for version in (self.here, self.there))
        return f"{self.name:<12} here {here}, on the cluster {there}"


def core(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[Difference]:
    """What differs of Python and of `CORE`; both as `installed.installed` tells it."""
    found = []
    if _minor(here["python"]) != _minor(there["python"]):
        found.append(Difference("python", here["python"], there["python"]))
    for name in CORE:
        mine, theirs = (side["versions"].get(name, "") for side in (here, there))
        allowed = (not theirs and name in ALONE_HERE) or (not mine and name in ALONE_THERE)
        if mine != theirs and not allowed:
            found.append(Difference(name, mine, theirs))
    return found


def packages(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[Difference]:
    """Other packages that are here and not there in the same version, and that a task may need."""
    theirs = there["versions"]
    found = [
        Difference(name, version, theirs.get(name, ""))
        for name, version in sorted(here["versions"].items())
        if name not in CORE and theirs.get(name) != version
    ]
    if not found:
        return []
    tools = tools_among(distributions())
    return [each for each in found if each.name not in tools]


def tools_among(found: Iterable[Distribution]) -> set[str]:
    """The names of tools, and of what is only there because a tool needs it."""
    tools: set[str] = set()
    needed_by: dict[str, set[str]] = {}
    for each in found:
        name = normal(each.metadata["Name"])
        classifiers = each.metadata.get_all("Classifier") or ()
        if TOOL.fullmatch(name) or any(text.startswith(FRAMEWORKS) for text in classifiers):
            tools.add(name)
        for requirement in each.requires or ():
            if "extra ==" not in requirement:
                needed_by.setdefault(_required(requirement), set()).add(name)
    candidates = needed_by.keys() - tools
    while kept := {name for name in candidates if needed_by[name] - tools - candidates}:
        candidates = candidates - kept
    return tools | candidates


def normal(name: str) -> str:
    """A package's name as the comparison has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def told(found: Iterable[Difference], most: int = 20) -> Iterator[str]:
    """A line for each difference, and how many more there are."""
    lines = [f"  {each}" for each in found]
    yield from lines[:most]
    if len(lines) > most:
        yield f"  and {len(lines) - most} more"


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]


def _required(requirement: str) -> str:
    found = re.match(r"\s*([\w.-]+)", requirement)
    return normal(found[1]) if found else ""
