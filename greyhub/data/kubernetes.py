"""Catalogues in ConfigMaps, on Kubernetes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from traitlets import Dict, List, TraitError, Unicode, Union, validate

from greyhub.adapter import Contribution, Finding
from greyhub.data import DataAdapter, prefixed
from greyhub.data.policy import Policy
from greyhub.kubernetes.mounting import mounted
from greyhub.kubernetes.names import object_name
from greyhub.kubernetes.namespace import servers_namespace, user_namespaces
from greyhub.wording import number_of

if TYPE_CHECKING:
    from greyhub.data.catalog import Catalog
    from greyhub.data.config_maps import Mounted
    from greyhub.data.loading import Source

PLACE: Final = "/etc/greyhub/catalogs"
"""Where ConfigMaps are mounted in servers' pods, each in a directory of its name."""

NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""What a ConfigMap may be called."""

OWN_NAMESPACES: Final = Finding(
    "warning",
    "each user has a namespace of their own, and a pod sees ConfigMaps of its own namespace alone",
    "copy the ConfigMaps into each user's namespace, or name catalogues by URL in "
    "c.KubernetesData.catalogs",
)


class KubernetesData(DataAdapter):
    """Fills the slot with catalogues in ConfigMaps, which servers' pods see as they change."""

    modules: ClassVar[Sequence[str]] = (*DataAdapter.modules, "kubernetes_asyncio")
    extra = "greyhub[kubernetes]"
    needs: ClassVar[Mapping[str, str]] = {
        "servers-are-pods": "ConfigMaps are mounted in the pods of servers"
    }

    config_map = Union(
        [List(Unicode()), Dict(value_trait=Unicode(), key_trait=Unicode())],
        help="ConfigMaps in the namespace of the servers' pods. Each key that ends in ``.yaml`` or "
        "``.yml`` is a catalogue. In a list, every entry keeps its own name. In a mapping, an "
        "entry is named after its ConfigMap's prefix: ``ocean.sst`` from ``{'ocean': "
        "'ocean-catalogues'}``. One that is missing keeps no server from starting. Catalogues by "
        "URL are those of ``catalogs``.",
    ).tag(config=True, seen=True, example=["catalogues"])

    @validate("config_map")
    def _named(self, proposal: Any) -> Any:
        for _, name in prefixed(proposal.value):
            if not NAME.fullmatch(name):
                raise TraitError(
                    f"{name!r} names no ConfigMap: a name has small letters, digits, '-' and '.'"
                )
        return proposal.value

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a catalogue's path is the base class's."""
        return None

    @property
    def namespace(self) -> str:
        """The namespace of the servers' pods, and so of the ConfigMaps."""
        return servers_namespace(self.parent.config)

    def config_maps(self) -> list[Mounted]:
        """The ConfigMaps, and where pods see each."""
        from greyhub.data.config_maps import Mounted

        return [
            Mounted(prefix, name, self.namespace, f"{PLACE}/{name}")
            for prefix, name in prefixed(self.config_map)
        ]

    def contribute(self) -> Contribution:
        """The ConfigMaps are mounted in each pod, if they are there."""
        super().contribute()
        maps = {object_name("catalogs", "", each.name): each for each in self.config_maps()}
        volumes = {
            volume: {"configMap": {"name": each.name, "optional": True}}
            for volume, each in maps.items()
        }
        mounts = {
            volume: {"mountPath": each.path, "readOnly": True} for volume, each in maps.items()
        }
        return Contribution(config=mounted(self.parent.config, volumes, mounts) if maps else {})

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Where the catalogues are in the pod, and what the platform gives to them."""
        said = await super().ticket(spawner)
        return {**said, "config_maps": [list(each) for each in self.config_maps()]}

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> Catalog:
        """All catalogues as one read-only mapping from name to dataset."""
        from greyhub.data.config_maps import ConfigMapCatalog, Mounted

        sources = [(str(prefix), str(location)) for prefix, location in ticket["catalogs"]]
        policy = Policy.of_ticket(ticket, cls.__name__)
        maps = [Mounted(*map(str, each)) for each in ticket["config_maps"]]
        return ConfigMapCatalog(sources, maps, policy)

    async def check(self) -> Sequence[Finding]:
        """Are the ConfigMaps there, and can each catalogue be read?"""
        from greyhub.kubernetes.live_check import asked

        held: dict[str, tuple[str, bytes]] = {}
        sources = self.remote()
        findings: list[Finding] = []
        if self.config_map and user_namespaces(self.parent.config):
            findings.append(OWN_NAMESPACES)
        elif self.config_map:
            findings += await asked(partial(self._ask, sources, held))
        return findings + await asyncio.to_thread(self.catalog_check.findings, sources, held)

    async def _ask(
        self, sources: list[Source], held: dict[str, tuple[str, bytes]], api: Any
    ) -> list[Finding]:
        """Read the ConfigMaps: their catalogues join ``sources``, and their content ``held``."""
        from greyhub.data.config_maps import SUFFIXES, absent
        from greyhub.kubernetes.config_maps import content
        from greyhub.kubernetes.live_check import missing_rights

        if await missing_rights(api, self.namespace, {"configmaps": ("get",)}):
            what = (
                f"the hub may not get configmaps in the namespace {self.namespace}: it cannot "
                "tell what is wrong with the catalogues in them"
            )
            fix = "give its service account a Role with this verb; servers do without it"
            return [Finding("warning", what, fix)]
        findings = []
        for each in self.config_maps():
            found = await content(api, self.namespace, each.name) or {}
            keys = sorted(key for key in found if key.endswith(SUFFIXES))
            for key in keys:
                held[f"{each.path}/{key}"] = (f"ConfigMap {each.name}, {key}", found[key])
                sources.append((each.prefix, f"{each.path}/{key}"))
            if not keys:
                fault = absent(each.name, self.namespace)
                findings.append(Finding("error", fault.what, fault.fix, fault.where))
        return findings

    def label(self) -> str:
        """How many ConfigMaps there are, and what is known of the other catalogues."""
        number = len(self.config_map)
        maps = f"{number_of('ConfigMap', number)} of catalogues"
        return f"{maps}, {super().label()}" if self.catalogs else maps
