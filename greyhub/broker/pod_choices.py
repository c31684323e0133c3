"""What a user may ask of a cluster of pods: image, profile, spot nodes, the home.

Without an image of the administrator's, it is the one that the owner's server runs: the server's
pod is looked for here, since what a notebook says of itself is not to be relied on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.options import Bool, Field, String
from kubernetes_asyncio.client import ApiException
from kubespawner.slugs import is_valid_label, safe_slug

from greyhub.broker.pod_cluster_config import PodClusterConfig
from greyhub.errors import HomeError
from greyhub.kubernetes.claims import Claims, check_shared, in_words
from greyhub.kubernetes.home_volume import NAME
from greyhub.kubernetes.objects import CLUSTER, HUB, USER, Objects
from greyhub.kubernetes.orphans import server_of
from greyhub.kubernetes.requests import Unreachable
from greyhub.spawners.profiles import Profile

FIELDS: Final[Sequence[Field]] = (
    String("image", default=""),
    String("profile", default=""),
    Bool("spot", default=False),
    Bool("home", default=False),
)

IDENTITY: Final = {
    "uid": "runAsUser",
    "gid": "runAsGroup",
    "fs_gid": "fsGroup",
    "supplemental_gids": "supplementalGroups",
}
"""Settings of a cluster, and where a server's pod has the same."""

Pod = Mapping[str, Any]


@dataclass(frozen=True)
class Offer:
    """What the administrator lets users choose."""

    images: Sequence[str] = ()
    profiles: Sequence[Profile] = ()
    gpu_resource: str = "nvidia.com/gpu"
    spot_node_selector: Mapping[str, str] | None = None
    spot_tolerations: Sequence[Mapping[str, Any]] = ()


class Choices:
    """What the options of one user mean.

    Parameters
    ----------
    servers : Objects
        The namespace of the servers' pods.
    label : str
        The hub's, as the value of a label.
    namespace : str
        Where clusters are.
    """

    def __init__(self, offer: Offer, servers: Objects, label: str, namespace: str) -> None:
        self.offer, self.servers, self.label, self.namespace = offer, servers, label, namespace

    async def settings(
        self, asked: Mapping[str, Any], user: Any, own: PodClusterConfig
    ) -> dict[str, Any]:
        """The settings of what was asked, beyond those that every backend has.

        Parameters
        ----------
        own : PodClusterConfig
            What the administrator has set for all.

        Raises
        ------
        PublicException
            It cannot be had: said in words.
        """
        settings: dict[str, Any] = {}
        profile = self._profile(asked["profile"], user)
        pod = await self._server(user.name, asked["server"])
        if pod is not None:
            settings |= _like(pod, own)
        if profile is not None:
            settings |= self._of_profile(profile, own)
        image = self._image(asked["image"], pod, own)
        settings["image"] = image or settings.get("image") or own.image
        if not settings["image"]:
            raise PublicException(
                "no image is known for the cluster: no server of yours runs as a pod of this hub, "
                "and the platform sets none.\n  fix: the administrator sets "
                "c.KubernetesCluster.image"
            )
        if asked["spot"]:
            settings |= self._spot(settings, own)
        if asked["home"]:
            settings |= await self._home(user.name, pod, own)
        return settings

    def _image(self, asked: str, pod: Pod | None, own: PodClusterConfig) -> str:
        known = {own.image, *self.offer.images} | ({_notebook(pod)["image"]} if pod else set())
        if asked and asked not in known:
            choice = ", ".join(sorted(filter(None, known)))
            raise PublicException(
                f"the image {asked!r} is not one that clusters can have here.\n"
                f"  fix: leave it out, or choose one of: {choice}"
            )
        return asked

    # The server that asks.

    async def _server(self, user: str, server: str) -> Pod | None:
        """The pod of a user's server; of several that may be meant, the newest."""
        whose = f"{USER}={safe_slug(user, is_valid=is_valid_label)}"
        try:
            pods = await self.servers.pods(f"{HUB}={self.label},!{CLUSTER},{whose}")
        except (Unreachable, ApiException) as error:
            raise PublicException(
                f"Kubernetes does not say what your server runs: {error}.\n"
                "  fix: try again in a while"
            ) from error
        found = [
            pod
            for pod in pods
            if server_of(pod)[0] == user
            and (server == "-" or server_of(pod)[1] == server)
            and _notebook(pod)["name"] == "notebook"
            and not pod["metadata"].get("deletionTimestamp")
        ]
        return max(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)

    async def _home(self, user: str, pod: Pod | None, own: PodClusterConfig) -> dict[str, Any]:
        """The volume and the mount of the home, as the server has them."""
        volumes = (
            [each for each in pod["spec"].get("volumes", ()) if each["name"] == NAME]
            if (pod)
            else []
        )
        if pod is None or not volumes:
            raise PublicException(
                "home=True cannot be had: your server has no home on a claim.\n"
                "  fix: leave it out, and let tasks read from a store that workers reach"
            )
        if self.namespace != self.servers.namespace:
            raise PublicException(
                f"home=True cannot be had: clusters are in the namespace {self.namespace}, and a "
                f"claim in {self.servers.namespace} is not mounted there.\n  fix: leave it out"
            )
        claims = Claims(self.servers.api, self.namespace, self.servers.patience)
        name = volumes[0]["persistentVolumeClaim"]["claimName"]
        try:
            with in_words(f"the home of {user} cannot be mounted"):
                if (claim := await claims.get(name)) is None:
                    raise HomeError(f"the claim {name} of {user}'s home is gone")
            check_shared(claim, user)
        except HomeError as error:
            raise PublicException(str(error)) from error
        mounts = [each for each in _notebook(pod)["volumeMounts"] if each["name"] == NAME]
        return {
            "volumes": [*own.volumes, *volumes],
            "volume_mounts": [*own.volume_mounts, *mounts],
        }

    # Profiles and spot nodes.

    def _profile(self, asked: str, user: Any) -> Profile | None:
        if not asked:
            return None
        permitted = {each.name: each for each in self.offer.profiles if each.is_for(user.groups)}
        if asked not in permitted:
            choice = f"choose one of: {', '.join(permitted)}" if permitted else "leave it out"
            raise PublicException(
                f"there is no profile {asked!r} for {user.name}.\n  fix: {choice}"
            )
        return permitted[asked]

    def _of_profile(self, profile: Profile, own: PodClusterConfig) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if profile.cores is not None:
            found["worker_cores"] = math.ceil(profile.cores)
        if profile.memory is not None:
            found["worker_memory"] = profile.memory
        if profile.gpus:
            found["worker_resources"] = {
                **own.worker_resources,
                self.offer.gpu_resource: str(profile.gpus),
            }
        if profile.image:
            found["image"] = profile.image
        if profile.environment:
            python = f"{profile.environment.rstrip('/')}/bin/python"
            found |= {"python": python, "scheduler_cmd": [python, "-m", "dask", "scheduler"]}
            found["worker_cmd"] = [python, "-m", "dask", "worker"]
        if profile.node_selector:
            found["worker_node_selector"] = {**own.worker_node_selector, **profile.node_selector}
        if profile.tolerations:
            found["worker_tolerations"] = [*own.worker_tolerations, *profile.tolerations]
        return found

    def _spot(self, settings: Mapping[str, Any], own: PodClusterConfig) -> dict[str, Any]:
        selector, tolerations = self.offer.spot_node_selector, self.offer.spot_tolerations
        if not selector and not tolerations:
            raise PublicException(
                "spot=True cannot be had: this platform has no spot nodes.\n  fix: leave it out; "
                "or the administrator sets c.KubernetesCluster.spot_node_selector"
            )
        before = settings.get("worker_node_selector", own.worker_node_selector)
        others = settings.get("worker_tolerations", own.worker_tolerations)
        return {
            "worker_node_selector": {**before, **(selector or {})},
            "worker_tolerations": [*others, *tolerations],
        }


def _notebook(pod: Pod) -> Mapping[str, Any]:
    container: Mapping[str, Any] = pod["spec"]["containers"][0]
    return container


def _like(pod: Pod, own: PodClusterConfig) -> dict[str, Any]:
    """What a cluster has as the server has it, where the administrator has set nothing."""
    spec, notebook = pod["spec"], _notebook(pod)
    security = {**(spec.get("securityContext") or {}), **(notebook.get("securityContext") or {})}
    theirs: dict[str, Any] = {
        "image": notebook["image"],
        "image_pull_policy": notebook.get("imagePullPolicy"),
        "image_pull_secrets": [each["name"] for each in spec.get("imagePullSecrets") or ()],
        **{name: security.get(field) for name, field in IDENTITY.items()},
    }
    if theirs["uid"] == 0:  # a server may run as root; what runs in its owner's name may not
        del theirs["uid"]
    unset: tuple[Any, ...] = (None, "", [])
    return {
        name: value
        for name, value in theirs.items()
        if value not in unset and getattr(own, name) in unset
    }
