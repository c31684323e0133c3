"""Persistent volume claims by name: made once, found again, grown, put away by label.

A claim has its owner in its metadata: the hub's label, and the user's name as KubeSpawner
writes it. What says something else of itself is another's, and is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.kubernetes.failures import refusal
from greyhub.kubernetes.objects import HUB, USER, Namespace
from greyhub.kubernetes.requests import Unreachable, patiently

Claim = Mapping[str, Any]

TRASHED: Final = "greyhub/trashed"
"""The label of a claim that is in the trash: the day on which it went there."""

SHARED_BY_NODES: Final = frozenset({"ReadWriteMany", "ReadOnlyMany"})
"""Access modes with which pods on several nodes have one volume."""

_LETTERS: Final = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E")
_POWER: Final = {letter: 3 * power for power, letter in enumerate(_LETTERS, -3)}
_SIZE: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(?:([eE][+-]?\d+)|([KMGTPE]i)|([numkMGTPE]?))")


def quantity(text: str) -> Decimal:
    """Bytes of a size as Kubernetes writes it: ``10Gi``; `ValueError` if it is none."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f'{text!r} is no size: write it as Kubernetes does, "10Gi"')
    number, exponent, binary, decimal = found.groups()
    if binary:
        return Decimal(number) * Decimal(1024) ** ("KMGTPE".index(binary[0]) + 1)
    return Decimal(f"{number}{exponent or f'e{_POWER[decimal]}'}")


@dataclass(frozen=True)
class ClaimUrl:
    """Where a home is: ``pvc://namespace/claim``, with a directory if the claim is shared."""

    namespace: str
    claim: str
    directory: str = ""

    @classmethod
    def read(cls, url: str) -> ClaimUrl | None:
        """The parts of such a URL; None if it is another kind of URL."""
        scheme, mark, rest = url.partition("://")
        namespace, _, place = rest.partition("/")
        claim, _, directory = place.partition("/")
        return cls(namespace, claim, directory) if mark and scheme == "pvc" and claim else None

    def __str__(self) -> str:
        return "pvc://" + "/".join(filter(None, (self.namespace, self.claim, self.directory)))


def manifest(
    name: str, user: str, hub: str, *, size: str, access_mode: str, storage_class: str
) -> dict[str, Any]:
    """A claim for a user's home.

    Parameters
    ----------
    name, user : str
        The claim's name, and whose it is.
    hub : str
        The value of the label `greyhub.kubernetes.objects.HUB`.
    size, access_mode, storage_class : str
        As in the claim's ``spec``; without a class, the cluster's default.
    """
    from kubespawner.slugs import is_valid_label, safe_slug

    labels = {
        HUB: hub,
        USER: safe_slug(user, is_valid=is_valid_label),
        "app.kubernetes.io/managed-by": "greyhub",
        "app.kubernetes.io/component": "home",
    }
    spec = {"accessModes": [access_mode], "resources": {"requests": {"storage": size}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": labels, "annotations": {USER: user}},
        "spec": spec | ({"storageClassName": storage_class} if storage_class else {}),
    }


def name_of(claim: Claim) -> str:
    """Its name."""
    return str(claim["metadata"]["name"])


def trashed(claim: Claim) -> str:
    """The day on which it went to the trash; empty if it is not there."""
    return str((claim["metadata"].get("labels") or {}).get(TRASHED, ""))


def made_for(claim: Claim, user: str, hub: str) -> bool:
    """Whether the claim says that this hub made it for this user."""
    about = claim["metadata"]
    labels, annotations = about.get("labels") or {}, about.get("annotations") or {}
    return labels.get(HUB) == hub and annotations.get(USER) == user


def check_owner(claim: Claim, user: str, hub: str) -> None:
    """Raise `HomeError` if a claim says that it is another user's, or another hub's."""
    about, name = claim["metadata"], name_of(claim)
    owner = (about.get("annotations") or {}).get(USER, user)
    if owner != user:
        raise HomeError(
            f"the claim {name} is the home of {owner!r} by its annotation, and not of {user!r}.\n"
            f"  fix: if it is theirs, kubectl annotate --overwrite pvc {name} {USER}={user}"
        )
    if (about.get("labels") or {}).get(HUB, hub) != hub:
        raise HomeError(
            f"the claim {name} belongs to another hub by its label {HUB}.\n"
            f"  fix: give homes another c.KubernetesHomespace.claim_name; or, if it is this hub's, "
            f"kubectl label --overwrite pvc {name} {HUB}={hub}"
        )


def check_stays(claim: Claim) -> None:
    """Raise `HomeError` if a claim is being deleted."""
    if claim["metadata"].get("deletionTimestamp"):
        raise HomeError(
            f"the claim {name_of(claim)} is being deleted.\n  fix: try again when it is gone; if "
            "that takes long, a pod still has it"
        )


def check_shared(claim: Claim, user: str) -> None:
    """Raise `HomeError` if pods on other nodes than the server's cannot mount a claim."""
    modes = claim["spec"]["accessModes"]
    if not SHARED_BY_NODES & set(modes):
        raise HomeError(
            f"the home of {user} cannot be mounted by workers: its claim is {', '.join(modes)}, "
            "for the pods of one node.\n  fix: homes of c.KubernetesHomespace.access_mode = "
            '"ReadWriteMany"; copy the ones that there are'
        )


def is_smaller(claim: Claim, size: str) -> bool:
    """Whether a claim asks for less than a size."""
    return quantity(claim["spec"]["resources"]["requests"]["storage"]) < quantity(size)


class Claims(Namespace):
    """The claims of one namespace.

    Raises
    ------
    greyhub.kubernetes.requests.Unreachable
        It is not known whether it was done, or whether something is there.
    kubernetes_asyncio.client.ApiException
        It was refused.
    """

    async def get(self, name: str) -> Claim | None:
        """A claim as the API server knows it now; None if it says that there is none."""
        from kubernetes_asyncio.client import ApiException

        read = self.api.read_namespaced_persistent_volume_claim
        try:
            return self.plain(await patiently(lambda: read(name, self.namespace), self.patience))
        except ApiException as error:
            if error.status == 404:
                return None
            raise

    async def create(self, claim: Claim) -> Claim:
        """Make a claim; the one that is there now, whoever made it."""
        from kubernetes_asyncio.client import ApiException

        make = self.api.create_namespaced_persistent_volume_claim
        try:
            return self.plain(await patiently(lambda: make(self.namespace, claim), self.patience))
        except ApiException as error:
            # 409: it is there. 403: a quota is looked at first, also where it is there.
            if error.status not in (403, 409) or not (found := await self.get(name_of(claim))):
                raise
            return found

    async def patch(self, name: str, body: Mapping[str, Any]) -> Claim:
        """Change what is named of a claim."""
        change = self.api.patch_namespaced_persistent_volume_claim
        return self.plain(
            await patiently(lambda: change(name, self.namespace, body), self.patience)
        )

    async def grow(self, claim: Claim, size: str) -> str:
        """Ask for more room; why there will be none, or an empty text."""
        from kubernetes_asyncio.client import ApiException

        body = {"spec": {"resources": {"requests": {"storage": size}}}}
        try:
            await self.patch(name_of(claim), body)
        except ApiException as error:
            why = refusal(error, "it")
            return why.what if why else f"{error.status} {error.reason}"
        return ""

    async def delete(self, claim: Claim) -> None:
        """Delete this very claim; fine if it is gone."""
        from kubernetes_asyncio.client import ApiException

        body = {"preconditions": {"uid": claim["metadata"]["uid"]}}
        remove, name = self.api.delete_namespaced_persistent_volume_claim, name_of(claim)
        try:
            await patiently(lambda: remove(name, self.namespace, body=body), self.patience)
        except ApiException as error:
            if error.status not in (404, 409):  # 409: another one has its name by now
                raise

    async def in_trash(self, hub: str) -> list[Claim]:
        """The claims that a hub has put into the trash."""
        listed = await patiently(
            lambda: self.api.list_namespaced_persistent_volume_claim(
                self.namespace, label_selector=f"{TRASHED},{HUB}={hub}"
            ),
            self.patience,
        )
        return [self.plain(each) for each in listed.items]


@contextmanager
def in_words(what: str) -> Iterator[None]:
    """Raise a refusal or an outage of the API server as `HomeError`."""
    from kubernetes_asyncio.client import ApiException

    try:
        yield
    except Unreachable as error:
        raise HomeError(f"{what}: {error}.\n  fix: try again when it answers") from error
    except ApiException as error:
        why = refusal(error, "the claim") or f"the cluster refuses: {error.status} {error.reason}."
        raise HomeError(f"{what}: {why}") from error
