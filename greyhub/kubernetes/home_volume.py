"""Mount a home into the pod of a server.

The volume is added by the pod's hook, after profiles and options have said what they say, so that
neither replaces it. It is given to the Spawner of one server: the name of a home's claim is
remembered for its user, and no configuration knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from greyhub.awaitables import awaited
from greyhub.errors import ConfigError, HomeError
from greyhub.kubernetes.namespace import SECTIONS

NAME: Final = "greyhub-home"
"""The volume's name in a pod."""

OWN: Final = 'chmod 0700 "$1" && chown "$2" "$1"'
"""Make a directory its owner's alone: its path, and the owner."""


@dataclass(frozen=True)
class HomeVolume:
    """A home as pods have it."""

    claim: str
    path: str
    """Where it is mounted."""
    directory: str = ""
    """The part of the volume that is the home; by default, all of it."""
    name: str = NAME
    """The volume's name in the pod."""

    def volume(self) -> dict[str, Any]:
        """The entry among a pod's volumes."""
        return {"name": self.name, "persistentVolumeClaim": {"claimName": self.claim}}

    def mount(self) -> dict[str, Any]:
        """The entry among a container's mounts."""
        return {"name": self.name, "mountPath": self.path} | (
            {"subPath": self.directory} if self.directory else {}
        )


class AddHome:
    """A ``modify_pod_hook`` that adds a home, and then calls the administrator's own.

    Parameters
    ----------
    home : HomeVolume
        What is mounted.
    image : str
        Of the init container that makes the home its user's; with "", there is none.
    then : callable, optional
        The hook that was set.
    """

    def __init__(self, home: HomeVolume, image: str, then: Callable[..., Any] | None) -> None:
        self.home, self.image, self.then = home, image, then

    async def __call__(self, spawner: Any, pod: Any) -> Any:
        """The pod with the home in it."""
        self._add(pod)
        if self.then is None:
            return pod
        return await awaited(self.then(spawner, pod))

    def _add(self, pod: Any) -> None:
        from kubernetes_asyncio import client

        notebook = pod.spec.containers[0]
        for each in notebook.volume_mounts or ():
            if each.mount_path.rstrip("/") == self.home.path.rstrip("/"):
                raise _refused(
                    f"the volume {each.name!r} is mounted at {self.home.path}, where the home goes",
                    "leave it out of the profile or of c.KubeSpawner.volume_mounts, or set "
                    "c.KubernetesHomespace.mount_path",
                )
        source = client.V1PersistentVolumeClaimVolumeSource(claim_name=self.home.claim)
        volume = client.V1Volume(name=NAME, persistent_volume_claim=source)
        mount = client.V1VolumeMount(
            name=NAME, mount_path=self.home.path, sub_path=self.home.directory or None
        )
        pod.spec.volumes = [*(pod.spec.volumes or ()), volume]
        notebook.volume_mounts = [*(notebook.volume_mounts or ()), mount]
        security = pod.spec.security_context or {}  # plain, as KubeSpawner has it
        if "fsGroup" in security:  # a large home is not gone through at every start
            security.setdefault("fsGroupChangePolicy", "OnRootMismatch")
        if self.image:
            first = self._owning(notebook, security)
            pod.spec.init_containers = [first, *(pod.spec.init_containers or ())]

    def _owning(self, notebook: Any, pod_security: Any) -> Any:
        """The init container that makes the home its user's."""
        security = {**pod_security, **(notebook.security_context or {})}
        user = security.get("runAsUser")
        if user is None:
            raise _refused(
                "it is not known whose the home is to be: the pod's uid is the image's own",
                "set c.KubeSpawner.uid, or leave out c.KubernetesHomespace.owner_image",
            )
        group = security.get("runAsGroup", user)
        first = owner_container(self.image, self.home.mount(), user, group)
        return first | {"imagePullPolicy": notebook.image_pull_policy}


def owner_container(image: str, mount: dict[str, Any], user: int, group: int) -> dict[str, Any]:
    """An init container that makes what is mounted the directory of a user alone."""
    room = {"cpu": "100m", "memory": "64Mi"}
    return {
        "name": f"{NAME}-owner",
        "image": image,
        "command": ["sh", "-c", OWN, "sh", mount["mountPath"], f"{user}:{group}"],
        "volumeMounts": [mount],
        "resources": {"requests": room, "limits": room},
        "securityContext": {
            "runAsUser": 0,
            "runAsNonRoot": False,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], "add": ["CHOWN", "FOWNER"]},
        },
    }


ALSO: Final = {
    "storage_pvc_ensure": "KubeSpawner would make a claim of its own for each user",
    "delete_pvc": "KubeSpawner would delete a claim with its user, whatever c.KubernetesHomespace."
    "deletion says",
}
"""Options of KubeSpawner that act on claims, too."""


def check_spawner(config: Mapping[str, Any], path: str) -> None:
    """Raise `ConfigError` where KubeSpawner's options do not go with homes on claims."""
    for section in SECTIONS:
        said = config.get(section, {})
        for option, because in ALSO.items():
            if said.get(option):
                raise ConfigError(
                    f"the homes' claims are c.GreyHub.homespace's, and {because}",
                    where=f"c.{section}.{option}",
                    fix="leave it out",
                )
        mounts = said.get("volume_mounts")
        mounts = list(mounts.values()) if isinstance(mounts, Mapping) else mounts
        for each in mounts if isinstance(mounts, list) else ():
            if str(each.get("mountPath")).rstrip("/") == path.rstrip("/"):
                raise ConfigError(
                    f"a volume is mounted at {path}, where the home goes",
                    where=f"c.{section}.volume_mounts",
                    fix="leave it out, or set c.KubernetesHomespace.mount_path",
                )


def mount_home(spawner: Any, home: HomeVolume, image: str = "") -> None:
    """Let the next pod of a spawner have a home; of several calls, the last counts."""
    then = spawner.modify_pod_hook
    spawner.modify_pod_hook = AddHome(home, image, then.then if isinstance(then, AddHome) else then)


def _refused(what: str, fix: str) -> HomeError:
    error = HomeError(f"{what}.\n  fix: {fix}")
    error.jupyterhub_message = str(error)  # type: ignore[attr-defined]
    return error
