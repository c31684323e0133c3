"""Dask clusters: the values of dask-gateway, for greyhub's broker of clusters in pods."""

from __future__ import annotations

import ast
import re
from typing import Any, Final

from greyhub.cli.z2jh.moving import (
    Group,
    Moving,
    Outcome,
    Rule,
    left,
    moved,
    not_needed,
    not_taken,
    tables,
)

LITERALS: Final = {
    "idle_timeout": ("idle_timeout", ""),
    "cluster_max_workers": ("cluster_limits", "workers"),
    "cluster_max_cores": ("cluster_limits", "cores"),
    "cluster_max_memory": ("cluster_limits", "memory"),
}
"""Options of dask-gateway's clusters, and those of greyhub's, which are the same."""

_OWN: Final = "the broker runs beside the hub, and its proxy, too"
_PODS: Final = (
    "set c.KubernetesCluster.pods, node_selector, tolerations or profiles to what of it you need"
)


def _enabled(moving: Moving, path: str, value: Any) -> Outcome:
    return moved("c.GreyHub.cluster" if value else "c.GreyHub.cluster = None")


def _pods(name: str) -> Rule:
    def act(moving: Moving, path: str, value: Any) -> Outcome:
        moving.pods[name] = value
        return moved(f"c.KubernetesCluster.pods[{name!r}]")

    return Rule(act)


def _in_words(value: Any) -> str:
    """Memory as dask-gateway reads it, 2G or a number of bytes, as greyhub's options have it."""
    size = re.fullmatch(r"([0-9.]+) *([KMGT])i?B?", str(value))
    return f"{size[1]} {size[2]}iB" if size else f"{float(value) / 2**20:g} MiB"


def _worker(moving: Moving, path: str, value: Any) -> Outcome:
    if path.endswith("memory.limit"):
        moving.clusters["worker_memory"] = _in_words(value)
        return moved("c.KubernetesCluster.worker_memory")
    if float(value) != int(value):
        return left("workers have whole cores: c.KubernetesCluster.worker_cores")
    moving.clusters["worker_cores"] = int(value)
    return moved("c.KubernetesCluster.worker_cores")


def _extra(part: str) -> Rule:
    """Of extraPodConfig: where pods run, and what they tolerate."""

    def act(moving: Moving, path: str, value: Any) -> Outcome:
        rest = dict(value)
        taken = []
        for key, name in (("tolerations", "tolerations"), ("nodeSelector", "node_selector")):
            if part == "worker" and key in rest:
                moving.pods[f"worker_{name}"] = rest.pop(key)
                taken.append(f"worker_{name}")
        for key, why in (
            ("automountServiceAccountToken", "pods have no token of the API server"),
            ("securityContext", "pods have the server's uid and group"),
        ):
            if key in rest:
                rest.pop(key)
                taken.append(why)
        if rest:
            done = f"; of it, taken over: {', '.join(taken)}" if taken else ""
            return left(f"{', '.join(rest)}: {_PODS}{done}")
        return moved(f"c.KubernetesCluster.pods: {', '.join(taken)}")

    return Rule(act)


def _code(moving: Moving, path: str, value: Any) -> Outcome:
    try:
        tree = ast.parse(str(value))
    except SyntaxError as error:
        return left(f"it is no Python, line {error.lineno}")
    taken = []
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Attribute):
            continue
        option = node.targets[0].attr
        if option in LITERALS and isinstance(node.value, ast.Constant):
            name, kind = LITERALS[option]
            if kind:
                most = node.value.value
                most = _in_words(most) if kind == "memory" else most
                moving.clusters.setdefault(name, {})[kind] = most
            else:
                moving.clusters[name] = node.value.value
            taken.append((node, option))
    if len(taken) == len(tree.body) and taken:
        return moved(f"c.KubernetesCluster: {', '.join(name for _, name in taken)}")
    done = f"; taken over of it: {', '.join(name for _, name in taken)}" if taken else ""
    handler = any("cluster_options" in ast.dump(node) for node in tree.body)
    return left(
        (
            "users name sizes in hub.cluster(worker_cores=, worker_memory=, image=, environment=): "
            "set c.KubernetesCluster.max_worker_cores, max_worker_memory, allowed_images and "
            "profiles to what this code lets them have"
            if handler
            else "it is code of dask-gateway's server: say it in c.KubernetesCluster"
        )
        + done
    )


def _finish(moving: Moving) -> None:
    if not moving.values.gateway or moving.values.gateway.get("enabled") is False:
        moving.write("# There were no Dask clusters: without this line, there are.")
        moving.write("c.GreyHub.cluster = None")
        return
    for name, found in moving.clusters.items():
        moving.option("dask-gateway.gateway.extraConfig", f"KubernetesCluster.{name}", found)
    if moving.pods:
        moving.option("dask-gateway.gateway.backend", "KubernetesCluster.pods", moving.pods)


_BACKEND: Final = "gateway.backend"

GROUP: Final = Group(
    "Clusters",
    {
        "enabled": Rule(_enabled),
        f"{_BACKEND}.image": not_needed("a cluster has the image of the server that asks"),
        f"{_BACKEND}.imagePullSecrets": not_needed("clusters' images are pulled as the server's"),
        f"{_BACKEND}.namespace": not_taken("c.KubernetesCluster.namespace; it needs a Role there"),
        f"{_BACKEND}.environment": not_taken(
            "put them into c.KubeSpawner.environment and hub.cluster(environment=…)"
        ),
        f"{_BACKEND}.scheduler.cores.limit": _pods("scheduler_cores"),
        f"{_BACKEND}.scheduler.cores.request": _pods("scheduler_cores_guarantee"),
        f"{_BACKEND}.scheduler.memory.limit": _pods("scheduler_memory"),
        f"{_BACKEND}.scheduler.memory.request": _pods("scheduler_memory_guarantee"),
        f"{_BACKEND}.worker.cores.request": _pods("worker_cores_guarantee"),
        f"{_BACKEND}.worker.memory.request": _pods("worker_memory_guarantee"),
        f"{_BACKEND}.worker.cores.limit": Rule(_worker),
        f"{_BACKEND}.worker.memory.limit": Rule(_worker),
        f"{_BACKEND}.worker.threads": _pods("worker_threads"),
        f"{_BACKEND}.scheduler.extraPodConfig": _extra("scheduler"),
        f"{_BACKEND}.worker.extraPodConfig": _extra("worker"),
        f"{_BACKEND}.scheduler.extraContainerConfig": not_taken(_PODS),
        f"{_BACKEND}.worker.extraContainerConfig": not_taken(_PODS),
        "gateway.extraConfig": Rule(_code),
        "gateway.extraConfig.*": Rule(_code),
        "gateway.auth.type": not_taken(
            "users are the hub's: servers ask with their own token", but="jupyterhub"
        ),
        "gateway.auth.jupyterhub": not_needed("the broker is a service of the hub's"),
        **tables("gateway.auth", "simple kerberos custom", not_taken("users are the hub's")),
        **tables(
            "gateway",
            "replicas annotations resources prefix loglevel image env imagePullSecrets service "
            "livenessProbe readinessProbe nodeSelector affinity tolerations",
            not_needed(_OWN),
        ),
        **dict.fromkeys(
            ("controller", "traefik", "rbac", "nameOverride", "fullnameOverride", "global"),
            not_needed(_OWN),
        ),
    },
    finish=_finish,
)
