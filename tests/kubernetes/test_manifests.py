"""What a Spawner makes is valid in each Kubernetes of today, and asks for no rights."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kubernetes_validate
import pytest
from kubernetes_asyncio import client
from kubernetes_validate.utils import all_versions, major_minor
from traitlets.config import Config

from greyhub.kubernetes import claims
from greyhub.kubernetes.names import hub_label, object_name
from greyhub.spawners.pod_spawner import PodSpawner
from tests.kubernetes.pod_security import refused
from tests.support.clusters import Cluster
from tests.support.hubs import Hub

NEWEST = sorted({major_minor(each) for each in all_versions()}, key=lambda each: int(each[2:]))[-3:]
"""The three newest minor versions whose schemas there are."""

CLIENT = client.ApiClient.__new__(client.ApiClient)
"""Serializes, and connects to nothing."""

GPU = {
    "display_name": "With a GPU",
    "kubespawner_override": {
        "extra_resource_limits": {"nvidia.com/gpu": "1"},
        "node_selector": {"accelerator": "a100"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}],
        "volume_mounts": [{"name": "shm", "mountPath": "/dev/shm"}],
        "mem_limit": "16G",
        "cpu_guarantee": 0.25,
    },
}

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "a named server": {"name": "Großer Server"},
    "a profile": {"profile_list": [GPU], "user_options": {"profile": "with-a-gpu"}},
    "much of all": {
        "extra_labels": {"team": "sea"},
        "extra_annotations": {"example.org/for": "{username}"},
        "environment": {
            "PLAIN": "$(HOME) {x}",
            "NODE": {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        },
        "image_pull_secrets": ["registry"],
        "init_containers": {"fetch": {"name": "fetch", "image": "busybox", "command": ["true"]}},
        "extra_containers": [{"name": "side", "image": "busybox", "ports": [{"containerPort": 1}]}],
        "volumes": {"maps": {"name": "maps", "configMap": {"name": "maps", "optional": True}}},
        "volume_mounts": {"maps": {"name": "maps", "mountPath": "/maps", "readOnly": True}},
        "node_affinity_required": [
            {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["users"]}]}
        ],
        "lifecycle_hooks": {"preStop": {"exec": {"command": ["sync"]}}},
        "priority_class_name": "users",
        "service_account": "user",
        "supplemental_gids": [200],
        "extra_container_config": {"terminationMessagePolicy": "FallbackToLogsOnError"},
    },
    "TLS of its own": {"internal_ssl": True},
    "a service": {"services_enabled": True},
    "KubeSpawner's claim": {
        "storage_pvc_ensure": True,
        "storage_capacity": "1Gi",
        "storage_access_modes": ["ReadWriteOnce"],
        "pvc_name_template": "claim-{username}",
    },
}


class Recording:
    """An API that takes all that is created."""

    api_client = CLIENT

    def __init__(self) -> None:
        self.created: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        verb, _, kind = name.partition("_namespaced_")

        async def create(namespace: str, body: Any, **options: Any) -> Any:
            self.created["tls" if kind in self.created else kind] = body
            return SimpleNamespace(status=201, close=lambda: None, json=answer)

        async def answer() -> dict[str, Any]:
            return {"metadata": {}}

        return create if verb == "create" else None


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Makes the objects of one server, by their kind."""
    api = Recording()
    monkeypatch.setattr("kubespawner.spawner.load_config", lambda **_: None)
    monkeypatch.setattr("kubespawner.spawner.shared_client", lambda *_: api)
    for name in ("key", "cert", "ca"):
        (tmp_path / name).write_text("-----BEGIN PEM-----\n")

    async def make(name: str = "", user_options: Any = None, **options: Any) -> dict[str, Any]:
        spawner = PodSpawner(
            _mock=True,
            config=Config({"PodSpawner": options | {"state_dir": str(tmp_path), "image": "lab:1"}}),
            orm_spawner=SimpleNamespace(name=name, user_options=user_options or {}, server=None),
            log=logging.getLogger("greyhub.test"),
            **({"internal_ssl": True} if options.pop("internal_ssl", None) else {}),
        )
        spawner.user.name, spawner.user_options = "Ada@Example.org", user_options or {}
        spawner.api_token = "0" * 32
        spawner.cert_paths = {f"{each}file": str(tmp_path / each) for each in ("key", "cert", "ca")}
        spawner.internal_trust_bundles = {"hub-ca": str(tmp_path / "ca")}
        await spawner.load_user_options()
        manifests = {"pod": await spawner.get_pod_manifest(), **api.created}
        if spawner.storage_pvc_ensure:
            manifests["claim"] = spawner.get_pvc_manifest()
        return {kind: serialized(each) for kind, each in manifests.items()}

    return make


def serialized(thing: Any) -> dict[str, Any]:
    """An object as it is sent, which names its kind."""
    kind = type(thing).__name__.removeprefix("V1")
    sent: dict[str, Any] = CLIENT.sanitize_for_serialization(thing)
    return {"apiVersion": "v1", "kind": kind} | sent


@pytest.mark.parametrize("options", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
async def test_what_is_made_is_valid(made: Callable[..., Any], options: dict[str, Any]) -> None:
    manifests = await made(**options)
    assert {"pod", "secret"} <= set(manifests)
    assert ("tls" in manifests) == options.get("internal_ssl", False)
    secure = "internal_ssl" in options or "services_enabled" in options
    assert ("service" in manifests) == secure
    for manifest in manifests.values():
        for version in NEWEST:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("storage_class", ["", "fast"])
@pytest.mark.parametrize("user", ["ada", "Ada Lovelace@Example.org", "雪" * 40])
def test_a_home_s_claim_is_valid(user: str, storage_class: str) -> None:
    name = object_name("home", "hub", user)
    claim = claims.manifest(
        name,
        user,
        hub_label("hub"),
        size="10Gi",
        access_mode="ReadWriteMany",
        storage_class=storage_class,
    )
    for version in NEWEST:
        kubernetes_validate.validate(claim, version, strict=True)


async def test_the_schemas_find_what_is_wrong(made: Callable[..., Any]) -> None:
    """A word that no schema knows, and a number where a text belongs."""
    pod = (await made())["pod"]
    for wrong in ({"memLimit": "2G"}, {"nodeSelector": {"pool": 1}}):
        spoilt = copy.deepcopy(pod)
        spoilt["spec"] |= wrong
        for version in NEWEST:
            with pytest.raises(kubernetes_validate.ValidationError):
                kubernetes_validate.validate(spoilt, version, strict=True)


def test_three_versions_are_asked() -> None:
    assert len(set(NEWEST)) == 3
    assert all(int(each.partition(".")[2]) >= 35 for each in NEWEST)


async def test_the_environment_is_in_the_secret_alone(made: Callable[..., Any]) -> None:
    manifests = await made(**CONFIGURATIONS["much of all"])
    assert manifests["secret"]["stringData"]["JUPYTERHUB_API_TOKEN"] == "0" * 32
    assert manifests["secret"]["stringData"]["PLAIN"] == "$(HOME) {x}"
    assert "0" * 32 not in str(manifests["pod"])


@pytest.mark.parametrize("name", ["as it comes", "a named server", "a profile", "TLS of its own"])
async def test_a_pod_keeps_the_restricted_standard(made: Callable[..., Any], name: str) -> None:
    assert refused((await made(**CONFIGURATIONS[name]))["pod"]) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"privileged": True}, "notebook: privileged"),
        ({"allow_privilege_escalation": True}, "notebook: allowPrivilegeEscalation"),
        ({"uid": 0}, "notebook: runAsUser"),
        ({"pod_security_context": {"runAsNonRoot": True}}, "notebook: seccompProfile"),
        ({"pod_security_context": {}}, "notebook: runAsNonRoot"),
        ({"container_security_context": {}}, "notebook: capabilities are not dropped"),
        (
            {"container_security_context": {"capabilities": {"add": ["SYS_ADMIN"]}}},
            "notebook: capability SYS_ADMIN",
        ),
        ({"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, "volume hostPath"),
        ({"extra_pod_config": {"hostNetwork": True}}, "hostNetwork"),
        ({"init_containers": [{"name": "fetch", "image": "x"}]}, "fetch: allowPrivilegeEscalation"),
        (
            {"extra_container_config": {"livenessProbe": {"httpGet": {"host": "x", "port": 1}}}},
            "notebook: livenessProbe.httpGet.host",
        ),
    ],
)
async def test_the_check_of_the_standard_finds(
    made: Callable[..., Any], options: dict[str, Any], said: str
) -> None:
    assert said in refused((await made(**options))["pod"])


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.kubernetes
def test_a_namespace_that_enforces_the_restricted_standard_takes_it(
    pods_hub: Callable[..., Hub], cluster: Cluster
) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", cluster.namespace, label)
    hub = pods_hub()
    hub.spawn("ada")
    assert hub.answers("ada")
