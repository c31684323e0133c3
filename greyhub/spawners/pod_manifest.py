"""What a user's pod is made of: its name, its marks, safe defaults, and its environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubernetes_asyncio import client
from kubespawner import KubeSpawner
from traitlets import Unicode, default

from greyhub.kubernetes.names import hub_id, hub_label, object_name
from greyhub.kubernetes.objects import HUB, START


class PodManifest(KubeSpawner):  # type: ignore[misc]
    """KubeSpawner's pods, with names for good, marks of their owner, and few rights."""

    state_dir = Unicode(help="Where the hub's own mark is kept.").tag(
        config=True, example="/srv/jupyterhub/hub"
    )

    hub_id = Unicode(
        help="Tells the pods of this hub from those of others in the same namespace. By default, "
        "it is made once, and kept in the state directory."
    ).tag(config=True, example="teaching")

    _start_id = ""
    """The mark of the start that is going on, or was the last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name_pod()

    # Safe defaults: whoever wants other values sets them.

    @default("hub_id")
    def _kept_id(self) -> str:
        return hub_id(Path(self.state_dir))

    @default("uid")
    def _jovyan(self) -> int:
        return 1000

    @default("fs_gid")
    def _users(self) -> int:
        return 100

    @default("pod_security_context")
    def _not_root(self) -> dict[str, Any]:
        return {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}

    @default("container_security_context")
    def _no_capabilities(self) -> dict[str, Any]:
        return {"capabilities": {"drop": ["ALL"]}}

    @default("automount_service_account_token")
    def _no_rights(self) -> bool:
        return False

    @default("extra_pod_config")
    def _ends_for_good(self) -> dict[str, Any]:
        return {"restartPolicy": "Never", "enableServiceLinks": False}

    @default("mem_limit")
    def _memory(self) -> int:
        return 2 * 2**30

    @default("mem_guarantee")
    def _memory_for_sure(self) -> int:
        return min(2**29, self.mem_limit or 2**29)

    @default("cpu_limit")
    def _processors(self) -> float:
        return 2.0

    @default("cpu_guarantee")
    def _processors_for_sure(self) -> float:
        return min(0.1, self.cpu_limit or 0.1)

    @default("delete_grace_period")
    def _time_to_save(self) -> int:
        return 30

    @default("start_timeout")
    def _nodes_may_have_to_come(self) -> int:
        return 900

    @default("k8s_api_request_retry_timeout")
    def _patience(self) -> int:
        return 120

    # Names and marks.

    def _name_pod(self) -> None:
        if self.pod_name_template == type(self).pod_name_template.default_value:
            self.pod_name = object_name("jupyter", self.hub_id, self.user.name, self.name)
            self.dns_name = self.dns_name_template.format(
                namespace=self.namespace, name=self.pod_name
            )
            self.secret_name = self.pod_name

    @property
    def environment_name(self) -> str:
        """The name of the Secret that holds the server's environment."""
        return f"{self.pod_name}-env"

    @property
    def hub_label(self) -> str:
        """The value of the label `HUB`."""
        return hub_label(self.hub_id)

    @property
    def pods_of_the_hub(self) -> str:
        """The label selector of all pods of this hub."""
        return f"component={self.component_label},{HUB}={self.hub_label}"

    def _build_common_labels(self, extra_labels: Mapping[str, str]) -> dict[str, str]:
        labels: dict[str, str] = super()._build_common_labels(extra_labels)
        return labels | {HUB: self.hub_label}

    def _build_common_annotations(self, extra_annotations: Mapping[str, str]) -> dict[str, str]:
        annotations: dict[str, str] = super()._build_common_annotations(extra_annotations)
        return annotations | {START: self._start_id}

    # The environment.

    def _expand_env(self, env: Mapping[str, str]) -> dict[str, str]:
        """The variables, with user properties filled in where braces name some."""
        expanded: dict[str, str] = {}
        for name, value in env.items():
            try:
                expanded |= super()._expand_env({name: value})
            except (LookupError, ValueError):  # other braces are the value's own
                expanded[name] = value
        return expanded

    async def get_pod_manifest(self) -> Any:
        """The pod; its environment is in a Secret, which others than the hub cannot read.

        Nor does the kubelet expand ``$(NAME)`` there, as it does in a pod's own fields.
        """
        pod = await super().get_pod_manifest()
        notebook = pod.spec.containers[0]
        values = {each.name: each.value for each in notebook.env or () if each.value is not None}
        notebook.env = [each for each in notebook.env or () if each.value is None] or None
        about = client.V1ObjectMeta(
            name=self.environment_name,
            labels=pod.metadata.labels,
            annotations={START: self._start_id},
        )
        await self.write_environment(client.V1Secret(metadata=about, string_data=values))
        source = client.V1EnvFromSource(
            secret_ref=client.V1SecretEnvSource(name=self.environment_name)
        )
        notebook.env_from = [*(notebook.env_from or ()), source]
        return pod

    async def write_environment(self, secret: Any) -> None:
        """Make the Secret of the server's environment."""
        raise NotImplementedError
