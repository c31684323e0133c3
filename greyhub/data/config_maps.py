"""Catalogues in ConfigMaps, as a pod sees them: directories that the kubelet keeps up to date.

It replaces all files of a ConfigMap at once, about a minute after the ConfigMap has changed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from greyhub.data.catalog import Catalog
from greyhub.data.document import Fault
from greyhub.data.loading import Source
from greyhub.data.policy import Policy

SUFFIXES = (".yaml", ".yml")
"""A key of a ConfigMap that ends so is a catalogue."""


class Mounted(NamedTuple):
    """A ConfigMap in a pod.

    Parameters
    ----------
    prefix : str
        What its entries are named after; empty for nothing.
    name, namespace : str
        The ConfigMap's.
    path : str
        Where it is mounted.
    """

    prefix: str
    name: str
    namespace: str
    path: str

    def sources(self) -> list[Source]:
        """Its catalogues.

        Raises
        ------
        Fault
            There is no such ConfigMap, or there is no catalogue in it.
        """
        try:
            keys = sorted(os.listdir(self.path))
        except FileNotFoundError:
            keys = []
        found = [(self.prefix, f"{self.path}/{key}") for key in keys if key.endswith(SUFFIXES)]
        if not found:
            raise absent(self.name, self.namespace)
        return found


def absent(name: str, namespace: str) -> Fault:
    """What is said of a ConfigMap that is not there, or holds no catalogue."""
    return Fault(
        f"there is no ConfigMap {name!r} in the namespace {namespace}, or it has no key that ends "
        "in .yaml",
        "c.KubernetesData.config_map",
        f"whoever looks after the platform makes it: kubectl -n {namespace} create configmap "
        f"{name} --from-file=catalog.yaml; servers that run see it about a minute later",
    )


class ConfigMapCatalog(Catalog):
    """The datasets of catalogues in ConfigMaps, and of others."""

    def __init__(self, sources: Sequence[Source], maps: Sequence[Mounted], policy: Policy) -> None:
        self._maps = tuple(maps)
        super().__init__(sources, policy)

    def _listed(self) -> Sequence[Source]:
        mounted = [source for each in self._maps for source in each.sources()]
        return [*super()._listed(), *mounted]
