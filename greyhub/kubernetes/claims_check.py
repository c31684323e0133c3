"""Ask a cluster whether it has the storage that homes on claims need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from greyhub.adapter import Finding
from greyhub.kubernetes.claims import SHARED_BY_NODES, Claims
from greyhub.kubernetes.live_check import PATIENCE, asked, rights_in
from greyhub.kubernetes.requests import patiently

RIGHTS: Final[Mapping[str, Sequence[str]]] = {
    "persistentvolumeclaims": ("create", "get", "list", "patch", "delete")
}
"""What homes ask of the namespace."""

REMOVING: Final[Mapping[str, Sequence[str]]] = {
    "pods": ("create", "get", "list", "delete"),
    "pods/log": ("get",),
}
"""What removing a directory of a shared claim asks for, besides."""

DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"

ONE_NODE: Final = frozenset(
    {
        "disk.csi.azure.com",
        "ebs.csi.aws.com",
        "cinder.csi.openstack.org",
        "kubernetes.io/aws-ebs",
        "kubernetes.io/azure-disk",
        "kubernetes.io/gce-pd",
        "pd.csi.storage.gke.io",
        "rancher.io/local-path",
    }
)
"""Provisioners of volumes that one node at a time can have, as their documentation says."""


async def storage(
    namespace: str,
    *,
    storage_class: str,
    access_mode: str,
    shared_claim: str,
    deletes: bool = False,
) -> list[Finding]:
    """Findings on rights, the storage class, and the claim that all share, if there is one."""

    async def question(api: Any) -> list[Finding]:
        from kubernetes_asyncio import client

        if shared_claim:
            rights = {"persistentvolumeclaims": ("get",)}
            found = await rights_in(api, namespace, rights, "look at claims")
            if deletes:
                what = "remove homes from the shared claim"
                found += await rights_in(api, namespace, REMOVING, what)
            claims = Claims(client.CoreV1Api(api), namespace, PATIENCE)
            return [*found, await _shared(claims, shared_claim)]
        found = await rights_in(api, namespace, RIGHTS, "make and delete claims")
        return [*found, *await _class(client.StorageV1Api(api), storage_class, access_mode)]

    return await asked(question)


async def _shared(claims: Claims, name: str) -> Finding:
    claim = await claims.get(name)
    option = "c.KubernetesHomespace.shared_claim"
    if claim is None:
        return Finding(
            "error",
            f"there is no claim {name} in the namespace {claims.namespace}",
            "make it, or correct its name",
            option,
        )
    modes = set(claim["spec"]["accessModes"])
    if not SHARED_BY_NODES & modes:
        return Finding(
            "warning",
            f"the claim {name} is {', '.join(modes)}: all servers would have to run on one node",
            "share one that is ReadWriteMany",
            option,
        )
    return Finding("ok", f"the claim {name} is there")


async def _class(api: Any, name: str, access_mode: str) -> list[Finding]:
    from kubernetes_asyncio.client import ApiException

    option = "c.KubernetesHomespace.storage_class"
    try:
        classes = (await patiently(api.list_storage_class, PATIENCE)).items
    except ApiException as error:
        if error.status != 403:
            raise
        return [
            Finding("note", "the hub may not look at storage classes, so they were not checked")
        ]
    chosen = [
        each
        for each in classes
        if (each.metadata.name == name)
        or (not name and (each.metadata.annotations or {}).get(DEFAULT) == "true")
    ]
    if not chosen:
        known = ", ".join(sorted(each.metadata.name for each in classes)) or "none"
        what = f"there is no storage class {name}" if name else "no storage class is the default"
        said = f"{what}: no claim would be bound"
        return [Finding("error", said, f"set one of: {known}", option)]
    return [*_growing(chosen[0], option), *_mode(chosen[0], access_mode)]


def _growing(found: Any, option: str) -> list[Finding]:
    name = found.metadata.name
    if found.allow_volume_expansion:
        return [Finding("ok", f"the storage class {name} is there, and lets claims grow")]
    return [
        Finding(
            "note",
            f"the storage class {name} is there, and its claims do not grow: a larger size is for "
            "new users alone",
            "choose a class with allowVolumeExpansion if that matters",
            option,
        )
    ]


def _mode(found: Any, access_mode: str) -> list[Finding]:
    if access_mode != "ReadWriteMany" or found.provisioner not in ONE_NODE:
        return []
    return [
        Finding(
            "error",
            f"{found.provisioner} makes volumes for one node at a time: no ReadWriteMany claim "
            "would be bound",
            "set it to ReadWriteOnce, or choose a storage class of shared volumes",
            "c.KubernetesHomespace.access_mode",
        )
    ]
