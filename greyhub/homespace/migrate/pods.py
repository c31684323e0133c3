"""Copy a home from or to a claim: in a pod, which is where a claim can be mounted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.homespace.migrate.copying import Copied
from greyhub.homespace.migrate.in_pod import COUNTS, JOB
from greyhub.homespace.migrate.locations import Location, check_apart
from greyhub.homespace.sync.progress import Progress
from greyhub.kubernetes.claims import (
    TRASHED,
    Claims,
    ClaimUrl,
    check_owner,
    check_stays,
    in_words,
    trashed,
)
from greyhub.kubernetes.connection import connected
from greyhub.kubernetes.home_pod import PodSettings, work_pod
from greyhub.kubernetes.home_volume import HomeVolume, owner_container
from greyhub.kubernetes.names import object_name
from greyhub.kubernetes.objects import HUB, Objects
from greyhub.kubernetes.pod_run import CONTAINER, end_with_signal, run_to_end, running
from greyhub.secret_references import SecretReference, references

PATIENCE: Final = 120.0
"""Seconds for which an API server that does not answer is asked."""

VARIABLE: Final = "GREYHUB_COPY_SECRET"
"""The beginning of the variables that hold the stores' credentials in the pod."""


@dataclass(frozen=True)
class Work:
    """One home that is copied."""

    user: str
    source: Location
    target: Location
    dry: bool = False
    check: bool = True
    empty: bool = False
    """There may be no home, or nothing in it."""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    """What the pod's variables hold."""


def copy(work: Work, settings: PodSettings, progress: Progress, tick: Callable[[], None]) -> Copied:
    """Copy a home of which one end at least is a claim; what became of it.

    It may be ended at any moment, and done again. The pod goes with it.

    Raises
    ------
    greyhub.errors.HomeError
        It was not done.
    """
    return run_to_end(_copy(work, settings, progress, tick))


async def _copy(
    work: Work, settings: PodSettings, progress: Progress, tick: Callable[[], None]
) -> Copied:
    from kubernetes_asyncio.client import CoreV1Api

    check_apart(work.source, work.target)
    ends = {side: ClaimUrl.read(getattr(work, side).url) for side in ("source", "target")}
    namespace = _namespace(ends)
    for side, end in ends.items():
        if end is None and (folder := getattr(work, side).directory) is not None:
            raise HomeError(
                f"{folder} is a directory of this machine, which no pod reaches.\n"
                "  fix: copy by way of a store: to s3://…, and from there to the claim, or the "
                "other way round; or run a server of the user's and use its files"
            )
    end_with_signal()
    async with connected() as api:
        core = CoreV1Api(api)
        with in_words("the home was not copied"):
            claims = Claims(core, namespace, PATIENCE)
            for side, end in ends.items():
                if end:
                    place = getattr(work, side)
                    await _there(claims, end, work.user, place, make=side == "target")
            pod = manifest(work, ends, settings)
            objects = Objects(core, namespace, PATIENCE)
            async with running(objects, pod, work.secrets or None) as run:
                async for line in run.lines():
                    if (report := _heard(line, progress)) is not None:
                        report.source, report.target = work.source.url, work.target.url
                        return report
                    tick()
                said = await objects.log(run.name, CONTAINER)
    raise HomeError(f"the pod that copies ended without a report. The end of its log:\n{said}")


def _namespace(ends: Mapping[str, ClaimUrl | None]) -> str:
    namespaces = {end.namespace for end in ends.values() if end}
    if len(namespaces) > 1:
        raise HomeError(
            f"claims of two namespaces, {' and '.join(sorted(namespaces))}, are not mounted in one "
            "pod.\n  fix: copy by way of a store"
        )
    return namespaces.pop()


async def _there(claims: Claims, end: ClaimUrl, user: str, place: Location, *, make: bool) -> None:
    """See to it that a claim is there, and is the user's."""
    claim = await claims.get(end.claim)
    if claim is None and place.claim and make:
        claim = await claims.create(place.claim)
    if claim is None:
        raise HomeError(
            f"there is no claim {end.claim} in the namespace {end.namespace}: nothing was copied.\n"
            "  fix: look whether the place and the user's name are right; the claims of a "
            "platform are made if its config file is DST"
        )
    check_stays(claim)
    if trashed(claim) and make:
        raise HomeError(
            f"the claim {end.claim} is in the trash: nothing was copied into it.\n"
            f"  fix: take it out, with kubectl label pvc {end.claim} {TRASHED}-, or delete it"
        )
    if user and not end.directory:
        label = (claim["metadata"].get("labels") or {}).get(HUB, "")
        check_owner(claim, user, place.claim["metadata"]["labels"][HUB] if place.claim else label)


def _heard(line: str, progress: Progress) -> Copied | None:
    """What a line of the pod's says: the report, if it is that."""
    try:
        said = json.loads(line)
    except ValueError:
        return None  # a warning of some library's
    if not isinstance(said, dict):
        return None
    for name, value in said.get("progress", {}).items():
        if name in COUNTS:
            setattr(progress, name, value)
    if "error" in said:
        raise HomeError(str(said["error"]))
    return Copied(**said["report"]) if "report" in said else None


def manifest(
    work: Work, ends: Mapping[str, ClaimUrl | None], settings: PodSettings
) -> dict[str, Any]:
    """The pod that copies. What is secret goes to ``work.secrets``, and a Secret of its name."""
    name = object_name("copy", work.source.url, work.user, work.target.url)
    job: dict[str, Any] = {"dry": work.dry, "check": work.check, "empty": work.empty}
    volumes, mounts = [], []
    for side, end in ends.items():
        place: Location = getattr(work, side)
        if end is None:
            options = references(place.options)
            job[side] = [place.url, _without_secrets(options, work.secrets)]
            continue
        mounted = HomeVolume(end.claim, f"/greyhub/{side}", end.directory, name=side)
        job[side] = [mounted.path]
        volumes.append(mounted.volume())
        mounts.append(mounted.mount() | ({"readOnly": True} if side == "source" else {}))
    owned = [each for each in mounts if each["name"] == "target" and settings.owner_image]
    container: dict[str, Any] = {
        "command": ["python", "-m", "greyhub.homespace.migrate.in_pod"],
        "env": [{"name": JOB, "value": json.dumps(job).replace("$", "$$")}],
        "volumeMounts": mounts,
    }
    if work.secrets:
        container["envFrom"] = [{"secretRef": {"name": name}}]
    return work_pod(
        name,
        "home-copy",
        settings,
        container,
        volumes,
        first=[
            owner_container(settings.owner_image, each, settings.uid, settings.group)
            | settings.policy
            for each in owned
        ],
    )


def _without_secrets(value: Any, secrets: dict[str, str]) -> Any:
    """Options as the pod has them: each secret is in a variable of its own there."""
    if reference := SecretReference.of(value):
        secret, problem = reference.content()
        if problem:
            raise HomeError(
                f"a storage option is to be read from {reference.source}, which {problem}.\n"
                "  fix: put the credential there; it goes to the pod by a Secret"
            )
        variable = f"{VARIABLE}_{len(secrets)}"
        secrets[variable] = secret
        return {"env": variable}
    if isinstance(value, Mapping):
        return {key: _without_secrets(each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(each, secrets) for each in value]
    return value
