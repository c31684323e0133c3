"""The pod that does something to homes on claims: as servers are, and with no rights of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.kubernetes.namespace import spawner_option
from greyhub.kubernetes.pod_run import CONTAINER

LONGEST: Final = 7 * 24 * 3600
"""Seconds after which the cluster ends a pod that nobody has ended."""


@dataclass(frozen=True)
class PodSettings:
    """How the pod is made."""

    image: str
    """With greyhub in it."""
    uid: int = 1000
    gid: int | None = None
    fs_gid: int | None = 100
    pull_policy: str | None = None
    pull_secrets: tuple[str, ...] = ()
    owner_image: str = ""
    """As ``c.KubernetesHomespace.owner_image``."""

    @classmethod
    def of(
        cls, config: Mapping[str, Any], image: str = "", *, named_by: str = "--image, or "
    ) -> PodSettings:
        """As the servers of a platform are, by its configuration."""
        said = partial(spawner_option, config)
        found = image or said("image", "")
        if not found:
            raise HomeError(
                "what is on a claim is copied or removed in a pod, and it is not known of which "
                f"image.\n  fix: name one with greyhub in it: {named_by}c.PodSpawner.image in the "
                "hub's config file"
            )
        uid, gid, fs_gid = said("uid", 1000), said("gid"), said("fs_gid", 100)
        secrets = said("image_pull_secrets") or ()
        return cls(
            image=found,
            uid=uid if isinstance(uid, int) else 1000,  # a function of each server's own
            gid=gid if isinstance(gid, int) else None,
            fs_gid=fs_gid if isinstance(fs_gid, int) else None,
            pull_policy=said("image_pull_policy"),
            pull_secrets=tuple(each if isinstance(each, str) else each["name"] for each in secrets),
            owner_image=str(config.get("KubernetesHomespace", {}).get("owner_image", "")),
        )

    @property
    def group(self) -> int:
        """The group of what is made."""
        return self.uid if self.gid is None else self.gid

    @property
    def policy(self) -> dict[str, str]:
        """How the image is pulled, as a part of a container."""
        return {"imagePullPolicy": self.pull_policy} if self.pull_policy else {}


def work_pod(
    name: str,
    component: str,
    settings: PodSettings,
    container: Mapping[str, Any],
    volumes: Sequence[Mapping[str, Any]],
    *,
    labels: Mapping[str, str] | None = None,
    first: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A pod that runs one container to its end.

    Parameters
    ----------
    name, component : str
        The pod's name, and the kind of pods that it is one of.
    settings : PodSettings
        How it is made.
    container : Mapping
        What is special of the container: its command, its variables, its mounts.
    volumes : Sequence of Mapping
        What it mounts.
    labels : Mapping, optional
        Further labels.
    first : Sequence of Mapping
        Init containers.
    """
    security = {"runAsUser": settings.uid, "runAsGroup": settings.gid}
    pod_security = {
        "runAsNonRoot": settings.uid != 0,
        "seccompProfile": {"type": "RuntimeDefault"},
        **{key: value for key, value in security.items() if value is not None},
    }
    if settings.fs_gid is not None:
        pod_security |= {"fsGroup": settings.fs_gid, "fsGroupChangePolicy": "OnRootMismatch"}
    return {
        "metadata": {
            "name": name,
            "labels": {
                "app.kubernetes.io/managed-by": "greyhub",
                "app.kubernetes.io/component": component,
                **(labels or {}),
            },
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": LONGEST,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": pod_security,
            "imagePullSecrets": [{"name": each} for each in settings.pull_secrets],
            "initContainers": list(first),
            "containers": [
                {
                    "name": CONTAINER,
                    "image": settings.image,
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    **settings.policy,
                    **container,
                }
            ],
            "volumes": list(volumes),
        },
    }
