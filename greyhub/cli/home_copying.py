"""Copy one home for greyhub home copy, here or in a pod, and remember where it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from greyhub.cli.home_options import FAILURES, bar, said
from greyhub.cli.homes import Party
from greyhub.errors import HomeError
from greyhub.homespace.migrate import pods
from greyhub.homespace.migrate.copying import Copied, Copying
from greyhub.homespace.migrate.opening import endpoints
from greyhub.homespace.migrate.users import PlatformHomes
from greyhub.homespace.sync.workers import Workers
from greyhub.kubernetes.home_pod import PodSettings

RUNS = "a server of this user runs: stop it, and run the same command again"


def copy_home(
    who: Party,
    one: PlatformHomes,
    other: PlatformHomes,
    name: str,
    everyone: bool,
    dry: bool,
    check: bool,
    image: str,
    state: str | None,
    quiet: bool,
) -> dict[str, Any]:
    """Copy one home; what became of it."""
    source, target = one.of(name, remembered=True), other.of(name, remembered=False)
    report = Copied(source.url, target.url, dry=dry)
    where = Path(state) if state else None
    try:
        if who.busy(name, source, target):
            raise HomeError(RUNS)
        if source.on_claim or target.on_claim:
            work = pods.Work(name, source, target, dry=dry, check=check, empty=everyone)
            with bar(name, hidden=quiet) as (progress, tick):
                report = pods.copy(work, _settings(one, other, who, image), progress, tick)
        else:
            with (
                bar(name, hidden=quiet) as (progress, tick),
                endpoints(source, target, where, check=check) as (here, there, journal),
            ):
                assert there is not None
                how: dict[str, Any] = {"progress": progress, "tick": tick, "workers": Workers()}
                copying = Copying(here, there, journal, **how)
                report = copying.report
                copying.run(dry=dry, empty=everyone)
        if who.busy(name, source, target):
            report.failed[""] = f"{RUNS}: it was started meanwhile"
    except FAILURES as error:
        report.failed[""] = said(error)
    return {"user": name, "whole": report.whole, **asdict(report)}


def _settings(one: PlatformHomes, other: PlatformHomes, who: Party, image: str) -> PodSettings:
    """How the pod is made that copies: as the servers of the platform that has claims."""
    platforms = [other.adapter, one.adapter, *who.platforms.values()]
    configs = [each.parent.config for each in platforms if each is not None]
    pods_of = (each for each in configs if {"PodSpawner", "KubeSpawner"} & set(each))
    return PodSettings.of(next(pods_of, {}), image)


def switch_hub(
    who: Party, other: PlatformHomes, names: Sequence[str], found: Sequence[Mapping[str, Any]]
) -> None:
    """Let the hub remember the target as the home of everyone whose home is there whole."""
    for name, each in zip(names, found, strict=True):
        for adapter in who.platforms.values():
            registry = PlatformHomes.of_platform(adapter).registry
            if each["whole"] and registry is not None:
                adapter.parent.make_state()
                registry.move(name, other.of(name, remembered=False).url)
