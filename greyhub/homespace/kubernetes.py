"""Homes on persistent volume claims, which pods mount."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar

from traitlets import Dict, Enum, Float, Integer, TraitError, Unicode, validate

from greyhub.adapter import Contribution, Finding
from greyhub.errors import ConfigError, HomeError
from greyhub.homespace.adapter import HomespaceAdapter
from greyhub.homespace.claims import HomeClaims, NewHome
from greyhub.homespace.removals import Removals
from greyhub.hub_tasks import run_in_hub
from greyhub.kubernetes.claims import Claims, ClaimUrl, in_words, manifest, quantity
from greyhub.kubernetes.connection import connected
from greyhub.kubernetes.home_volume import HomeVolume, check_spawner, mount_home
from greyhub.kubernetes.names import check_template, filled_in, hub_id, hub_label, object_name
from greyhub.kubernetes.namespace import servers_namespace, spawner_option
from greyhub.kubernetes.pod_run import end_with_signal, run_to_end

PATIENCE = 60.0
"""Seconds for which an API server that does not answer is asked, outside of a start."""


class KubernetesHomespace(HomespaceAdapter):
    """A persistent volume claim for each user, or a directory of one that all share."""

    modules = ("kubespawner",)
    extra = "greyhub[kubernetes]"
    needs: ClassVar[Mapping[str, str]] = {"servers-are-pods": "a claim is mounted in a pod"}

    # None of these here: a claim has no options, and is no copy of anything.
    storage_options = Dict()
    mode = Enum(["native"], "native")
    copies, quota = Unicode(), Unicode()
    quota_files, grace = Integer(), Float()

    size = Unicode(
        "10Gi",
        help="What a claim asks for. Where it is raised, claims grow at the next start, if their "
        "storage class allows that; none ever shrinks.",
    ).tag(config=True, example="20Gi")

    storage_class = Unicode(
        help="The storage class of new claims; by default, the cluster's own default."
    ).tag(config=True, example="premium-rwx")

    access_mode = Enum(
        ["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"],
        "ReadWriteOnce",
        help="Who may mount a new claim at once: the pods of one node, all pods, or one pod. "
        "Only with ``ReadWriteMany`` do a user's servers and workers run on several nodes.",
    ).tag(config=True, example="ReadWriteMany")

    claim_name = Unicode(
        help="The names of claims, a template with KubeSpawner's fields: ``{username}``, "
        "``{user_server}``, ``{escaped_username}``, ``{safe_username}``, of the user's default "
        "server. A claim of such a name that is there is taken as it is: ``claim-{username}`` "
        "takes over the homes of Zero to JupyterHub. By default, a name that is made of the hub "
        "and the user. Each user's is remembered: a change moves nobody.",
    ).tag(config=True, example="claim-{username}")

    shared_claim = Unicode(
        help="A claim, made by the administrator, that holds the homes of all in directories: "
        "then users get no claims of their own."
    ).tag(config=True, example="homes")

    directory = Unicode(
        "{filename}",
        help="With ``shared_claim``: each user's directory in it, a template as ``claim_name``, "
        "and ``{filename}``, which tells all names apart. It is remembered, too.",
    ).tag(config=True, example="homes/{username}")

    mount_path = Unicode(
        "/home/jovyan", help="Where a server has the home: it is ``~`` there."
    ).tag(config=True)

    owner_image = Unicode(
        help="The image of an init container that runs as root and makes the home the directory of "
        "the server's uid, closed to others: for storage that ignores ``fs_gid``, and for the "
        "directories of a ``shared_claim``. It needs sh, chmod and chown. By default, there is "
        "none."
    ).tag(config=True, example="busybox:1.37")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.removals = Removals(self)

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a URL is the base class's."""
        return None

    @validate("size")
    def _is_a_quantity(self, proposal: Any) -> str:
        try:
            asked = quantity(proposal.value)
        except ValueError as error:
            raise TraitError(str(error)) from None
        if not asked:
            raise TraitError(f"{proposal.value!r} is zero: no claim is so small")
        return str(proposal.value)

    @validate("claim_name", "directory")
    def _tells_users_apart(self, proposal: Any) -> str:
        template = str(proposal.value)
        if not template:
            return template
        try:
            check_template(template)
        except ValueError as error:
            raise TraitError(str(error)) from None
        if proposal.trait.name == "claim_name" and ("/" in template or "{filename}" in template):
            raise TraitError(f"{template!r} is not what a claim can be called")
        if template.startswith("/") or {"..", ""} & set(template.split("/")):
            raise TraitError(f"{template!r} leads out of the volume, or is no path in it")
        return template

    @validate("mount_path")
    def _is_absolute(self, proposal: Any) -> str:
        path = str(proposal.value)
        if not path.startswith("/") or path == "/" or ":" in path or ".." in path.split("/"):
            raise TraitError(f"{path!r} is no absolute path of a directory, such as /home/jovyan")
        return path

    def contribute(self) -> Contribution:
        """KubeSpawner leaves claims alone, and their volumes are the server's to write."""
        where = "c.KubernetesHomespace.shared_claim"
        if self.shared_claim and self.claim_name:
            raise ConfigError(
                "claim_name is for claims of the users' own, and shared_claim is one for all",
                where=where,
                fix="keep one of the two",
            )
        if self.shared_claim and self.deletion != "keep":
            self.removals.check()
        check_spawner(self.parent.config, self.mount_path)
        return Contribution(config={"KubeSpawner": {"delete_pvc": False, "fs_gid": 100}})

    @property
    def namespace(self) -> str:
        """Where the servers' pods are, and so the claims."""
        return servers_namespace(self.parent.config)

    @property
    def hub_id(self) -> str:
        """What tells this hub's claims from those of others in the namespace."""
        set_to = self.parent.config.get("PodSpawner", {}).get("hub_id")
        return str(set_to) if set_to else hub_id(self.parent.private)

    @property
    def hub_label(self) -> str:
        """The same, as a label."""
        return hub_label(self.hub_id)

    def _filled_in(self, template: str, username: str) -> list[str]:
        scheme = spawner_option(self.parent.config, "slug_scheme", "safe")
        return filled_in(template, username, scheme)

    def _names(self, username: str) -> list[str]:
        template = self.claim_name
        return self._filled_in(template, username) if template else [self._own_name(username)]

    def _own_name(self, username: str, number: int = 1) -> str:
        return object_name("home", self.hub_id, username, str(number) if number > 1 else "")

    def _new(self, namespace: str, username: str) -> ClaimUrl:
        if self.shared_claim:
            folder = self._filled_in(self.directory, username)[0]
            return ClaimUrl(namespace, self.shared_claim, folder)
        return ClaimUrl(namespace, self._names(username)[0])

    @property
    def template(self) -> str:
        """Where homes are; of claims that greyhub names itself, only as people write it."""
        shown = f"{self.shared_claim}/{self.directory}" if self.shared_claim else self.claim_name
        return f"pvc://{self.namespace}/{shown or 'home-{username}'}"

    def new_claim(self, username: str, url: str) -> Mapping[str, Any] | None:
        """The claim of a home; nothing makes the one that is shared."""
        home = ClaimUrl.read(url)
        return None if home is None or home.directory else self._manifest(username, home.claim)

    def home_of(self, username: str, *, remembered: bool = True) -> str:
        """The URL of a user's home: the one that is remembered, or what it would be now."""
        known = self.registry.read() if remembered else {}
        return known.get(username) or str(self._new(self.namespace, username))

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """The claim is there, and the pod will have it."""
        name = spawner.user.name
        self.parent.make_state()
        claims = Claims(spawner.api, spawner.namespace, spawner.k8s_api_request_retry_timeout)
        homes = HomeClaims(claims, self.registry, self.hub_label, self.log)
        # KubeSpawner knows the claim that a user of its own has, whatever its template says now.
        known = [spawner.get_state().get("pvc_name")] if self.claim_name else []
        new = NewHome(
            list(dict.fromkeys(filter(None, [*known, *self._names(name)]))),
            partial(self._own_name, name),
            partial(self._manifest, name),
            self._new(claims.namespace, name) if self.shared_claim else None,
        )
        if name in self.removals:
            raise HomeError(
                f"the home of {name} is being removed.\n  fix: try again when it is gone"
            )
        with in_words(f"the home of {name} is not there"):
            home = await homes.open(name, new, self.size)
            if home.directory:
                await self.removals.shared(claims).end_removal(name, home)
        volume = HomeVolume(home.claim, self.mount_path, home.directory)
        mount_home(spawner, volume, self.owner_image)
        return {"mode": "native", "path": self.mount_path, "volume": str(home)}

    def _manifest(self, username: str, name: str) -> dict[str, Any]:
        return manifest(
            name,
            username,
            self.hub_label,
            size=self.size,
            access_mode=self.access_mode,
            storage_class=self.storage_class,
        )

    async def delete_user(self, username: str) -> None:
        """A user is deleted: what becomes of the home is what ``deletion`` says.

        A pod removes a directory, and the hub's own loop waits for it: a hub that is stopped
        meanwhile is not held up.
        """
        if self.deletion == "keep" or not self.removals.directory_of(username):
            return await super().delete_user(username)
        days = self.trash_days if self.deletion == "trash" else 0
        self.log.info("greyhub: a pod removes the home of %s", username)
        where = await self.removals.delete(username, days)
        self.log.info("greyhub: the home of %s: %s", username, where or "removed")

    def delete_home(self, username: str, days: int) -> str:
        """Put a user's home into the trash for some days, or delete it; where it is then.

        Raises
        ------
        greyhub.errors.HomeError
            It is not this user's alone, or it is not known whether it was done.
        """

        async def delete() -> str:
            end_with_signal()
            if self.removals.directory_of(username):
                return await self.removals.delete(username, days)
            home = ClaimUrl.read(self.home_of(username)) or self._new(self.namespace, username)
            async with self.claims_of(home.namespace) as claims:
                homes = HomeClaims(claims, self.registry, self.hub_label, self.log)
                with in_words(f"the home of {username} was not removed"):
                    return await homes.delete(username, home, days)

        return run_to_end(delete())

    def hub_starts(self, app: Any) -> None:
        """The hub starts: end the pods that an earlier one has left."""
        if self.shared_claim:
            run_in_hub(self.removals.end_left())

    @asynccontextmanager
    async def claims_of(self, namespace: str) -> AsyncIterator[Claims]:
        """The claims of a namespace, outside of a start."""
        from kubernetes_asyncio.client import CoreV1Api

        async with connected() as api:
            yield Claims(CoreV1Api(api), namespace, PATIENCE)

    async def check(self) -> Sequence[Finding]:
        """May the hub make claims, and does the storage do what is asked of it?"""
        from greyhub.kubernetes.claims_check import storage

        return await storage(
            self.namespace,
            storage_class=self.storage_class,
            access_mode=self.access_mode,
            shared_claim=self.shared_claim,
            deletes=self.deletes_with_user,
        )

    def label(self) -> str:
        """A claim per user, or one for all."""
        if self.shared_claim:
            return f"directories of the claim {self.shared_claim}"
        return "a persistent volume claim for each user"
