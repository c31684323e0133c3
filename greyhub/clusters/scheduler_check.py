"""Ask a scheduler and its workers what they have installed, and refuse what does not fit."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from distributed.protocol.pickle import dumps
from distributed.versions import get_versions

from greyhub.clusters import installed, versions
from greyhub.errors import ClusterError


async def ask(scheduler: Any) -> Mapping[str, Any]:
    """What the scheduler's interpreter has installed: as `greyhub.clusters.installed` tells it."""
    answer = await scheduler.run_function(
        function=dumps(eval), args=dumps((versions.EXPRESSION,)), kwargs=dumps({}), wait=True
    )
    if answer["status"] == "OK":
        found: Mapping[str, Any] = answer["result"]
        return found
    return _as_installed(await scheduler.versions())


async def compare(there: Mapping[str, Any], packages: str, *, home: bool) -> None:
    """Refuse other versions of what Dask speaks with, and packages that are not there.

    Parameters
    ----------
    packages : str
        What to do about packages: ``"refuse"``, ``"warn"`` or ``"ignore"``.
    home : bool
        Whether a home may be mounted by an option of the cluster's.
    """
    here = installed.installed()
    if differ := versions.core(here, there):
        raise ClusterError(_core_error(differ))
    if packages == "ignore" or "places" not in there:
        return
    if lacking := await asyncio.to_thread(versions.packages, here, there):
        text = _packages_error(lacking, home)
        if packages == "refuse":
            raise ClusterError(text)
        warnings.warn(text, stacklevel=2)


async def workers(scheduler: Any, addresses: list[str]) -> str:
    """What differs on new workers of what Dask speaks with, in words; empty if nothing does."""
    with suppress(OSError, KeyError):  # one that is gone again is no matter
        told = {"op": "versions"}
        answers = await scheduler.broadcast(msg=told, workers=addresses, on_error="return")
        mine = _as_installed(get_versions())
        for answer in answers.values():
            if isinstance(answer, Mapping) and (
                differ := versions.core(mine, _as_installed(answer))
            ):
                return _core_error(differ)
    return ""


def _as_installed(told: Mapping[str, Any]) -> dict[str, Any]:
    """Dask's own account of versions, in the shape of ours; it has but some packages."""
    found = {name: version for name, version in told["packages"].items() if version}
    return {"python": found.pop("python"), "versions": found}


def _core_error(differ: list[versions.Difference]) -> str:
    pins = " ".join(f"{each.name}=={each.there}" for each in differ if each.there)
    other = f"pip install {pins}" if pins and "python" not in pins else "choose another image"
    return "\n".join(
        [
            "this Python and the cluster's have different versions of what Dask works with:",
            *versions.told(differ),
            "  fix: give the cluster this server's image and Python, or make this server's as "
            f"the cluster's: {other}",
        ]
    )


def _packages_error(lacking: list[versions.Difference], home: bool) -> str:
    ways = ["  fix: have them put into the image of the workers"]
    if home:
        ways.append("  or, if they are in the home, mount it: hub.cluster(home=True)")
    ways.append('  or, if no task needs them: hub.cluster(packages="ignore")')
    return "\n".join(
        [
            "packages of this Python are not on the cluster in the same version:",
            *versions.told(lacking),
            *ways,
        ]
    )
