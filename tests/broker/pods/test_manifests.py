"""What a cluster is made of is valid in each Kubernetes of today, and asks for no rights."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest

from tests.broker.pods.helpers import cluster_of, start, start_worker
from tests.kubernetes.pod_security import refused
from tests.kubernetes.test_manifests import NEWEST
from tests.support.api_server import ApiServer

SETTINGS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "much of all": {
        "image_pull_policy": "IfNotPresent",
        "image_pull_secrets": ["registry"],
        "uid": 1234,
        "gid": 100,
        "fs_gid": 200,
        "supplemental_gids": [300],
        "worker_cores_guarantee": 0.25,
        "worker_memory_guarantee": 2**29,
        "worker_resources": {"nvidia.com/gpu": "1"},
        "node_selector": {"pool": "dask"},
        "tolerations": [{"key": "dask", "operator": "Exists", "effect": "NoSchedule"}],
        "worker_node_selector": {"price": "low"},
        "worker_tolerations": [{"key": "spot", "operator": "Exists"}],
        "priority_class_name": "users",
        "worker_priority_class_name": "batch",
        "volumes": [{"name": "home", "persistentVolumeClaim": {"claimName": "homes"}}],
        "volume_mounts": [{"name": "home", "mountPath": "/home/jovyan", "subPath": "ada"}],
        "extra_labels": {"team": "sea", "greyhub/hub": "another's"},
        "extra_annotations": {"example.org/note": "any text"},
    },
}


@pytest.mark.parametrize("user", ["ada", "Ada Lovelace@Example.org", "雪" * 40])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
async def test_what_is_made_is_valid(
    server: ApiServer, broker: Any, settings: dict[str, Any], user: str
) -> None:
    backend = await broker()
    cluster = cluster_of(backend, user, **settings)
    await start(backend, cluster)
    await start_worker(backend, backend.db.create_worker(cluster))
    made = [("Secret", each) for each in server.objects["secrets"].values()]
    made += [("Pod", each) for each in server.objects["pods"].values()]
    assert len(made) == 3
    for kind, thing in made:
        manifest = {"apiVersion": "v1", "kind": kind} | thing
        del manifest["status"]
        assert manifest["metadata"]["labels"]["greyhub/hub"] == backend.parts.label
        assert manifest["metadata"]["annotations"]["hub.jupyter.org/username"] == user
        assert len(manifest["metadata"]["name"]) <= 63
        for version in NEWEST:
            kubernetes_validate.validate(manifest, version, strict=True)
        if kind == "Pod":
            assert refused(manifest) == []


async def test_a_worker_is_placed_and_sized(server: ApiServer, broker: Any) -> None:
    backend = await broker()
    cluster = cluster_of(backend, **SETTINGS["much of all"])
    await start(backend, cluster)
    worker = backend.db.create_worker(cluster)
    await start_worker(backend, worker)
    spec = server.objects["pods"][backend.parts.worker_name(worker)]["spec"]
    assert spec["nodeSelector"] == {"pool": "dask", "price": "low"}
    assert [each["key"] for each in spec["tolerations"]] == ["dask", "spot"]
    assert spec["priorityClassName"] == "batch"
    assert spec["containers"][0]["resources"] == {
        "requests": {"cpu": "250m", "memory": str(2**29), "nvidia.com/gpu": "1"},
        "limits": {"cpu": "1000m", "memory": str(2**30), "nvidia.com/gpu": "1"},
    }
    spec = server.objects["pods"][backend.parts.scheduler_name(cluster)]["spec"]
    assert spec["nodeSelector"] == {"pool": "dask"}
    assert spec["priorityClassName"] == "users"
    assert "nvidia.com/gpu" not in str(spec)


async def test_all_a_worker_may_use_is_kept_free_for_it(server: ApiServer, broker: Any) -> None:
    backend = await broker()
    cluster = cluster_of(backend)
    await start(backend, cluster)
    worker = backend.db.create_worker(cluster)
    await start_worker(backend, worker)
    [container] = server.objects["pods"][backend.parts.worker_name(worker)]["spec"]["containers"]
    size = {"cpu": "1000m", "memory": str(2**30)}
    assert container["resources"] == {"requests": size, "limits": size}
    assert container["command"][:4] == ["python", "-m", "dask", "worker"]
