"""Homes: ``singleuser.storage``. Claims and directories keep the names that z2jh gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from greyhub.cli.z2jh.defaults import DEFAULTS
from greyhub.cli.z2jh.moving import (
    Group,
    Moving,
    Outcome,
    Rule,
    joined,
    kept_file,
    left,
    moved,
    not_taken,
    option,
    unneeded,
)
from greyhub.cli.z2jh.values import at

STORAGE: Final = "singleuser.storage"
MODES: Final = ("ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod")
FILES: Final = "from-z2jh-singleuser-files"
"""The Secret with the contents of singleuser.extraFiles."""

_NO_HOMES: Final = "z2jh gives no homes with this storage.type"


def _type(moving: Moving, path: str, value: Any) -> Outcome:
    if value in ("dynamic", "static"):
        return moved("c.KubernetesHomespace")
    moving.assign(path, "c.GreyHub.homespace", None)
    if value in (None, "none"):
        return moved("c.GreyHub.homespace = None", "nobody has a home but by extraVolumes")
    return left("z2jh knows dynamic, static and none")


def _only(kind: str, rule: Rule) -> Rule:
    """A rule for one type of storage."""

    def act(moving: Moving, path: str, value: Any) -> Outcome:
        return rule.act(moving, path, value) if _kind(moving) == kind else unneeded(_other(moving))

    return Rule(act, rule.empty)


def _kind(moving: Moving) -> str:
    return str(moving.get(f"{STORAGE}.type"))


def _other(moving: Moving) -> str:
    return f"{STORAGE}.type is {_kind(moving)}"


def _directory(moving: Moving, path: str, value: Any) -> Outcome:
    if _kind(moving) != "static":
        return unneeded(_other(moving))
    scheme = moving.get("hub.config.KubeSpawner.slug_scheme") or moving.version
    if "{username}" in str(value) and not scheme:
        return moved(
            "c.KubernetesHomespace.directory",
            "z2jh 4 and those before it name the directories of users such as ada@example.org "
            "differently: with a z2jh before 4, say so by --z2jh-version 3",
        )
    return moved("c.KubernetesHomespace.directory")


def _path(moving: Moving, path: str, value: Any) -> Outcome:
    if _kind(moving) not in ("dynamic", "static"):
        return unneeded(_other(moving))
    moving.option(path, "KubernetesHomespace.mount_path", value)
    return moved("c.KubernetesHomespace.mount_path")


def _access(moving: Moving, path: str, value: Any) -> Outcome:
    modes = value if isinstance(value, list) else [value]
    if len(modes) != 1 or modes[0] not in MODES:
        return left(f"c.KubernetesHomespace.access_mode is one of {', '.join(MODES)}")
    moving.option(path, "KubernetesHomespace.access_mode", modes[0])
    return moved("c.KubernetesHomespace.access_mode")


def _part(moving: Moving, path: str, value: Any) -> Outcome:
    if _kind(moving) != "dynamic":
        return unneeded(_other(moving))
    return left(
        "a home is the whole of its claim: move what is in this directory of each claim to its "
        "top before, or leave the homes at z2jh"
    )


def _finish(moving: Moving) -> None:
    """Volumes: those of the values, the files, and the shared claim where others name it."""
    if moving.version and moving.version.split(".")[0] in "0123":
        moving.assign("--z2jh-version", "c.KubeSpawner.slug_scheme", "escape")
    if _kind(moving) == "dynamic":  # also where the values took z2jh's own template away
        path = f"{STORAGE}.dynamic.pvcNameTemplate"
        named = moving.get(path) or at(DEFAULTS, path)
        moving.option(path, "KubernetesHomespace.claim_name", named)
    elif _kind(moving) == "static":
        path = f"{STORAGE}.static.subPath"
        named = str(moving.get(path) or at(DEFAULTS, path)).strip("/")
        moving.option(path, "KubernetesHomespace.directory", named)
    volumes = _named(moving.get(f"{STORAGE}.extraVolumes", {}), numbered=False)
    mounts = _named(moving.get(f"{STORAGE}.extraVolumeMounts", {}), numbered=True)
    files = moving.files.get(FILES, {})
    if files:
        volumes["files"] = moving.volume_of(FILES)
    for number, (key, file) in enumerate(files.items()):
        mounts[f"{number}-files"] = {
            "name": "files",
            "mountPath": file.get("mountPath"),
            "subPath": key,
        }
    if _kind(moving) == "static" and "home" in set(_mounted(moving, mounts)):
        claim = {"claimName": moving.get(f"{STORAGE}.static.pvcName")}
        volumes["home"] = {"name": "home", "persistentVolumeClaim": claim}
        moving.write("# Mounts below name the claim of homes as z2jh does: home.")
    moving.option(f"{STORAGE}.extraVolumes", "KubeSpawner.volumes", volumes)
    moving.option(f"{STORAGE}.extraVolumeMounts", "KubeSpawner.volume_mounts", mounts)


def _named(entries: Any, *, numbered: bool) -> dict[str, Any]:
    """Volumes or mounts as a mapping, with the names that z2jh gives them."""
    if isinstance(entries, Mapping):
        return {key: each for key, each in entries.items() if isinstance(each, Mapping)}
    return {
        f"{number}-{each['name']}" if numbered else each["name"]: each
        for number, each in enumerate(entries)
        if isinstance(each, Mapping)
    }


def _mounted(moving: Moving, mounts: Mapping[str, Any]) -> Iterator[str]:
    """The volumes that mounts and containers name."""
    for each in mounts.values():
        yield str(each.get("name"))
    spawner = moving.get("hub.config.KubeSpawner", {})
    for where in (
        moving.get("singleuser.initContainers", []),
        moving.get("singleuser.extraContainers", []),
        spawner.get("init_containers", []),
        spawner.get("extra_containers", []),
        moving.get("singleuser.profileList", []),
    ):
        yield from _names(where)


def _names(value: Any) -> Iterator[str]:
    """The names of volumes in mounts anywhere below."""
    if isinstance(value, Mapping):
        if "mountPath" in value:
            yield str(value.get("name"))
        for each in value.values():
            yield from _names(each)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each)


GROUP: Final = Group(
    "Homes",
    {
        f"{STORAGE}.type": Rule(_type, empty=True),
        f"{STORAGE}.static.pvcName": _only("static", option("KubernetesHomespace.shared_claim")),
        f"{STORAGE}.static.subPath": Rule(_directory),
        f"{STORAGE}.dynamic.pvcNameTemplate": _only(
            "dynamic", Rule(lambda *_: moved("c.KubernetesHomespace.claim_name"), empty=True)
        ),
        f"{STORAGE}.dynamic.storageClass": _only(
            "dynamic", option("KubernetesHomespace.storage_class")
        ),
        f"{STORAGE}.dynamic.storageAccessModes": _only("dynamic", Rule(_access)),
        f"{STORAGE}.dynamic.volumeNameTemplate": Rule(
            lambda *_: unneeded("the volume's name in a pod is greyhub-home")
        ),
        f"{STORAGE}.dynamic.subPath": Rule(_part),
        f"{STORAGE}.capacity": _only("dynamic", option("KubernetesHomespace.size")),
        f"{STORAGE}.homeMountPath": Rule(_path),
        f"{STORAGE}.extraLabels": not_taken("label the claims by kubectl label pvc"),
        f"{STORAGE}.extraVolumes": joined("c.KubeSpawner.volumes", dict, list),
        f"{STORAGE}.extraVolumeMounts": joined("c.KubeSpawner.volume_mounts", dict, list),
        "singleuser.extraFiles.*": kept_file(FILES, "c.KubeSpawner.volumes names"),
    },
    finish=_finish,
)
