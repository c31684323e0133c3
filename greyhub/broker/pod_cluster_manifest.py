"""What a cluster is in Kubernetes: a Secret, a pod for the scheduler, a pod for each worker.

The Secret holds the certificate, the key, the token, and the environment, so that none of them is
in a pod's manifest. It owns the pods: Kubernetes ends a pod whose Secret is gone, also one whose
creation was held up until after the cluster's end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kubernetes_asyncio.client import V1ObjectMeta, V1OwnerReference, V1Pod, V1Secret

from greyhub.kubernetes.names import object_name
from greyhub.kubernetes.objects import CLUSTER, HUB, START, USER

MOUNTED: Final = "/etc/greyhub/cluster"
"""Where the certificate and the key are, in pods."""

CERTIFICATE: Final = "dask.crt"
KEY: Final = "dask.pem"

GRACE: Final = 5
"""Seconds for a scheduler or a worker to end by itself."""

UID: Final = 1000
GROUP: Final = 100

VOLUME: Final = "greyhub-cluster"


class Parts:
    """The names and marks of what belongs to the clusters of one hub.

    Parameters
    ----------
    hub_id, label : str
        What tells the hub from others, and the same as the value of a label.
    """

    def __init__(self, hub_id: str, label: str) -> None:
        self.hub_id, self.label = hub_id, label

    @property
    def selector(self) -> str:
        """The label selector of all parts of all clusters."""
        return f"{HUB}={self.label},{CLUSTER}"

    def selector_of(self, cluster: str) -> str:
        """The label selector of the parts of one cluster."""
        return f"{HUB}={self.label},{CLUSTER}={cluster}"

    def secret_name(self, cluster: Any) -> str:
        """The name of a cluster's Secret."""
        return object_name("dask", self.hub_id, cluster.username, cluster.name)

    def scheduler_name(self, cluster: Any) -> str:
        """The name of its scheduler's pod."""
        return object_name("dask-scheduler", self.hub_id, cluster.username, cluster.name)

    def worker_name(self, worker: Any) -> str:
        """The name of a worker's pod."""
        cluster = worker.cluster
        return object_name(
            "dask-worker", self.hub_id, cluster.username, f"{cluster.name}/{worker.name}"
        )

    def secret(self, cluster: Any, environment: Mapping[str, str]) -> V1Secret:
        """The Secret of a cluster, with the variables of its scheduler and its workers."""
        files = {CERTIFICATE: cluster.tls_cert.decode(), KEY: cluster.tls_key.decode()}
        about = self._about(cluster, self.secret_name(cluster), cluster.name, "secret")
        return V1Secret(metadata=about, string_data={**environment, **files})

    def scheduler(
        self, cluster: Any, owner: str, command: Sequence[str], variables: Sequence[str]
    ) -> V1Pod:
        """The pod of a scheduler.

        Parameters
        ----------
        owner : str
            The identity of the cluster's Secret.
        variables : sequence of str
            The names of what is in its environment.
        """
        config = cluster.config
        room = _room(
            (config.scheduler_cores_guarantee, config.scheduler_memory_guarantee),
            (config.scheduler_cores, config.scheduler_memory),
        )
        about = self._about(cluster, self.scheduler_name(cluster), cluster.name, "scheduler")
        spec = self._spec(cluster, "scheduler", command, variables, room)
        spec |= _placed(config.node_selector, config.tolerations, config.priority_class_name)
        return self._owned(cluster, owner, about, spec)

    def worker(
        self, worker: Any, owner: str, command: Sequence[str], variables: Sequence[str]
    ) -> V1Pod:
        """The pod of a worker; the parameters are those of `scheduler`."""
        cluster, config = worker.cluster, worker.cluster.config
        size = (config.worker_cores, config.worker_memory)
        sure = (config.worker_cores_guarantee, config.worker_memory_guarantee)
        room = _room(
            tuple(most if least is None else least for least, most in zip(sure, size, strict=True)),
            size,
        )
        for kind in room.values():
            kind |= config.worker_resources
        about = self._about(cluster, self.worker_name(worker), worker.name, "worker")
        spec = self._spec(cluster, "worker", command, variables, room)
        spec |= _placed(
            {**config.node_selector, **config.worker_node_selector},
            [*config.tolerations, *config.worker_tolerations],
            config.worker_priority_class_name,
        )
        return self._owned(cluster, owner, about, spec)

    def _about(self, cluster: Any, name: str, start: str, kind: str) -> V1ObjectMeta:
        from kubespawner.slugs import is_valid_label, safe_slug

        labels = {
            **cluster.config.extra_labels,
            HUB: self.label,
            CLUSTER: cluster.name,
            USER: safe_slug(cluster.username, is_valid=is_valid_label),
            "app.kubernetes.io/managed-by": "greyhub",
            "app.kubernetes.io/component": f"dask-{kind}",
        }
        marks = {**cluster.config.extra_annotations, USER: cluster.username, START: start}
        return V1ObjectMeta(name=name, labels=labels, annotations=marks)

    def _owned(
        self, cluster: Any, owner: str, about: V1ObjectMeta, spec: Mapping[str, Any]
    ) -> V1Pod:
        name = self.secret_name(cluster)
        about.owner_references = [
            V1OwnerReference(api_version="v1", kind="Secret", name=name, uid=owner)
        ]
        return V1Pod(api_version="v1", kind="Pod", metadata=about, spec=spec)

    def _spec(
        self,
        cluster: Any,
        kind: str,
        command: Sequence[str],
        variables: Sequence[str],
        room: Mapping[str, Any],
    ) -> dict[str, Any]:
        config, secret = cluster.config, self.secret_name(cluster)
        group = GROUP if config.fs_gid is None else config.fs_gid
        files = [{"key": each, "path": each} for each in (CERTIFICATE, KEY)]
        source = {"secretName": secret, "items": files, "defaultMode": 0o440}
        mount = {"name": VOLUME, "mountPath": MOUNTED, "readOnly": True}
        security = {
            "runAsNonRoot": True,
            "runAsUser": UID if config.uid is None else config.uid,
            "fsGroup": group,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        if config.gid is not None:
            security["runAsGroup"] = config.gid
        if config.supplemental_gids:
            security["supplementalGroups"] = list(config.supplemental_gids)
        container = {
            "name": kind,
            "image": config.image,
            "command": list(command),
            "env": [
                {"name": each, "valueFrom": {"secretKeyRef": {"name": secret, "key": each}}}
                for each in sorted(variables)
            ],
            "resources": room,
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [*config.volume_mounts, mount],
        }
        if config.image_pull_policy:
            container["imagePullPolicy"] = config.image_pull_policy
        return {
            "containers": [container],
            "volumes": [*config.volumes, {"name": VOLUME, "secret": source}],
            "securityContext": security,
            "imagePullSecrets": [{"name": each} for each in config.image_pull_secrets],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": GRACE,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
        }


def _room(least: Sequence[float], most: Sequence[float]) -> dict[str, dict[str, str]]:
    """Requests and limits of cores and bytes; a guarantee above a limit is the limit."""
    sure = [min(pair) for pair in zip(least, most, strict=True)]
    return {
        name: {"cpu": f"{round(1000 * cores)}m", "memory": str(int(memory))}
        for name, (cores, memory) in {"requests": sure, "limits": most}.items()
    }


def _placed(
    selector: Mapping[str, str], tolerations: Sequence[Mapping[str, Any]], priority: str
) -> dict[str, Any]:
    placed = {"nodeSelector": dict(selector), "tolerations": list(tolerations)}
    return placed | ({"priorityClassName": priority} if priority else {})
