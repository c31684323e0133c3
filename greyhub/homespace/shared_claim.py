"""Remove homes that are directories of one claim: in a pod that mounts it, as nothing else can.

The pod's name is made of the hub and the home, and it carries the hub's label: what a hub that was
killed has left is found and ended, before anybody works in that home again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.homespace.deletion import overlap
from greyhub.homespace.registry import HomeRegistry
from greyhub.homespace.remove_in_pod import JOB
from greyhub.kubernetes.claims import Claims, ClaimUrl, check_stays
from greyhub.kubernetes.failures import failure, lost_node
from greyhub.kubernetes.home_pod import PodSettings, work_pod
from greyhub.kubernetes.home_volume import HomeVolume
from greyhub.kubernetes.names import object_name
from greyhub.kubernetes.objects import USER, Objects
from greyhub.kubernetes.pod_run import CONTAINER, PodRun, end_run, running

HOMES: Final = "greyhub/homes"
"""The label of such pods: the hub's, whose homes these are."""

COMPONENT: Final = "home-removal"

VOLUME: Final = "/greyhub/homes"
"""Where the pod has the claim."""

LEAVING: Final = 60.0
"""Seconds that pods with the home may take to go, where they are going."""

ROOM: Final[Mapping[str, Mapping[str, str]]] = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"cpu": "1", "memory": "512Mi"},
}
"""What the pod may use: a namespace with a quota wants to know."""


class SharedClaim:
    """The directories of one hub's homes on the claims of one namespace.

    Parameters
    ----------
    claims : Claims
        The claims; pods are asked for in the same way.
    hub_id : str
        What tells this hub from others in the namespace.
    label : str
        The same, as a label.

    Raises
    ------
    greyhub.errors.HomeError
        It is not to be done, or it was not.
    greyhub.kubernetes.requests.Unreachable, kubernetes_asyncio.client.ApiException
        As `Claims` does: it is not known whether it was done.
    """

    def __init__(self, claims: Claims, hub_id: str, label: str) -> None:
        self.claims, self.hub_id, self.label = claims, hub_id, label
        self.objects = Objects(claims.api, claims.namespace, claims.patience)

    def _name(self, home: ClaimUrl) -> str:
        return object_name("remove-home", self.hub_id, str(home))

    async def delete(
        self,
        username: str,
        home: ClaimUrl,
        days: int,
        registry: HomeRegistry,
        settings: PodSettings,
    ) -> str:
        """Put a user's directory into the trash, or with 0 days remove it; where it is now.

        Doing it again goes on with it.
        """
        known = await asyncio.to_thread(registry.read)
        _check_alone(username, home, known, registry)
        claim = await self.claims.get(home.claim)
        if claim is None:
            raise HomeError(
                f"the claim {home.claim}, which holds the homes, is not in the namespace "
                f"{home.namespace}: nothing was removed.\n"
                "  fix: bring it back, or correct c.KubernetesHomespace.shared_claim"
            )
        check_stays(claim)
        await self._left_by_pods(username, home)
        trash = await self._remove(username, home, days, settings)
        if username in known:
            await asyncio.to_thread(registry.move, username, None)
        return str(ClaimUrl(home.namespace, home.claim, trash)) if trash else ""

    async def _left_by_pods(self, username: str, home: ClaimUrl) -> None:
        """Raise where a pod has the home, but for those that are going: these are waited for."""
        clock = asyncio.get_running_loop().time
        until = clock() + LEAVING
        while using := [each for each in await self.objects.pods("") if _has(each, home)]:
            stay = [each for each in using if "deletionTimestamp" not in each["metadata"]]
            if stay or clock() > until:
                names = ", ".join(sorted(each["metadata"]["name"] for each in stay or using))
                raise HomeError(
                    f"the home of {username}, {home}, is mounted in the pods {names}: it stays.\n"
                    "  fix: end these servers, clusters or copies, and then: greyhub home delete "
                    f"{username}"
                )
            await asyncio.sleep(1)

    async def _remove(self, username: str, home: ClaimUrl, days: int, settings: PodSettings) -> str:
        """Run the pod; the home's directory in the volume's trash, or an empty text."""
        pod = self.manifest(username, home, days, settings)
        async with running(self.objects, pod) as run:
            async for line in run.lines():
                if (trash := _heard(line)) is not None:
                    return trash
            raise HomeError(await self._why(run))

    async def _why(self, run: PodRun) -> str:
        """Why a pod ended without a report."""
        pod = await run.pod()
        why, log = failure(pod), await self.objects.log(run.name, CONTAINER)
        said = f"the pod that removes it ended without a report: {why or 'it says nothing more.'}"
        return said + (f"\nThe end of its log:\n{log}" if log else "")

    def manifest(
        self, username: str, home: ClaimUrl, days: int, settings: PodSettings
    ) -> dict[str, Any]:
        """The pod that removes a home.

        It is as the servers are, whose files these are. Where the administrator lets root make
        homes their users', root removes them: then files of other uids go, too.
        """
        job = {"volume": VOLUME, "directory": home.directory, "days": days}
        volume = HomeVolume(home.claim, VOLUME, name="homes")
        container: dict[str, Any] = {
            "command": ["python", "-m", "greyhub.homespace.remove_in_pod"],
            "env": [{"name": JOB, "value": json.dumps(job).replace("$", "$$")}],
            "volumeMounts": [volume.mount()],
            "resources": ROOM,
        }
        if settings.owner_image:
            container["securityContext"] = {
                "runAsUser": 0,
                "runAsNonRoot": False,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"], "add": ["DAC_OVERRIDE", "FOWNER"]},
            }
        pod = work_pod(
            self._name(home),
            COMPONENT,
            settings,
            container,
            [volume.volume()],
            labels={HOMES: self.label},
        )
        pod["metadata"]["annotations"] = {USER: username}
        return pod

    async def end_removal(self, username: str, home: ClaimUrl) -> None:
        """See to it that no pod removes a home, before its user works in it."""
        name = self._name(home)
        pod = await self.objects.pod(name)
        if pod is None or await end_run(self.objects, name, pod["metadata"]["uid"]):
            return
        raise HomeError(
            f"the pod {name}, which removes what was at {home}, does not end, and {username} can "
            f"have no home there meanwhile.\n{lost_node(await self.objects.pod(name)) or ''}"
            "  fix: try again when it is gone"
        )

    async def end_removals(self, known: Collection[str]) -> list[str]:
        """End what an earlier hub has left; the users whose homes it was about.

        Parameters
        ----------
        known : collection of str
            The users whose homes are being removed now: these go on.
        """
        ended = []
        for pod in await self.objects.pods(f"{HOMES}={self.label}"):
            about = pod["metadata"]
            user = str((about.get("annotations") or {}).get(USER, ""))
            if user not in known:
                await end_run(self.objects, about["name"], about["uid"])
                ended.append(user)
        return ended


def _check_alone(
    username: str, home: ClaimUrl, known: Mapping[str, str], registry: HomeRegistry
) -> None:
    """Raise unless a directory is one home, and this user's alone."""
    if {"", ".", ".."} & set(home.directory.split("/")):
        raise HomeError(
            f"the home of {username}, {home}, is no path in its volume: nothing was removed.\n"
            f"  fix: look at {registry.path}"
        )
    for other, theirs in known.items():
        if other != username and overlap(str(home), theirs):
            raise HomeError(
                f"the home of {username}, {home}, is also {other}'s, or holds it: {theirs}. "
                f"Nothing was removed.\n  fix: look at {registry.path}, and remove it by hand"
            )


def _has(pod: Mapping[str, Any], home: ClaimUrl) -> bool:
    """Whether a pod that has not ended mounts a home, or a part of it, and not the whole volume."""
    if pod["status"].get("phase") in ("Succeeded", "Failed"):
        return False
    volumes = {
        each["name"]
        for each in pod["spec"].get("volumes") or ()
        if (each.get("persistentVolumeClaim") or {}).get("claimName") == home.claim
    }
    return any(
        mount["name"] in volumes
        and f"{mount.get('subPath', '').strip('/')}/".startswith(f"{home.directory}/")
        for kind in ("initContainers", "containers")
        for container in pod["spec"].get(kind) or ()
        for mount in container.get("volumeMounts") or ()
    )


def _heard(line: str) -> str | None:
    """What a line of the pod's says: where the home is now, if it is that."""
    try:
        said = json.loads(line)
    except ValueError:
        return None  # a warning of some library's
    if not isinstance(said, dict):
        return None
    if "error" in said:
        raise HomeError(str(said["error"]))
    return str(said["trash"]) if "trash" in said else None
