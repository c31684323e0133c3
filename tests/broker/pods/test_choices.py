"""What a user may ask of a cluster of pods, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from dask_gateway_server.backends.base import PublicException

from greyhub.kubernetes.names import hub_label
from tests.support.api_server import ApiServer

WHOSE = "hub.jupyter.org/username"
CHOICE = {"image": "", "profile": "", "spot": False, "home": False, "server": "-"}


def user(*groups: str, name: str = "ada") -> Any:
    return SimpleNamespace(name=name, groups=set(groups))


def add_server(
    server: ApiServer, name: str = "", hub: str = "one", user: str = "ada", **spec: Any
) -> None:
    """The pod of a user's notebook server."""
    container = {
        "name": "notebook",
        "image": f"{user}:{name or 'default'}",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"runAsUser": 1234},
        "volumeMounts": [{"name": "greyhub-home", "mountPath": "/home/jovyan", "subPath": "ada"}],
    }
    which = "hub.jupyter.org/servername"
    server.put(
        "pods",
        {
            "metadata": {
                "name": f"jupyter-{hub}-{user}-{name}",
                "labels": {"greyhub/hub": hub_label(hub), WHOSE: user},
                "annotations": {WHOSE: user} | ({which: name} if name else {}),
                "creationTimestamp": f"2026-11-30T00:00:{len(server.names('pods')):02}Z",
            },
            "spec": {"containers": [container], "securityContext": {"fsGroup": 55}, **spec},
        },
    )


async def test_a_cluster_has_the_image_of_the_server_that_asks(
    server: ApiServer, broker: Any
) -> None:
    backend = await broker(allowed_images=["other:1"])
    with pytest.raises(PublicException, match="no image is known"):
        await backend.cluster_settings(CHOICE, user())
    add_server(server, hub="two")
    add_server(server, user="bob")
    with pytest.raises(PublicException, match="no image is known"):
        await backend.cluster_settings(CHOICE, user())
    add_server(server, "first", imagePullSecrets=[{"name": "registry"}])
    add_server(server, "second")
    found = await backend.cluster_settings(CHOICE | {"server": "first"}, user())
    assert found == {
        "image": "ada:first",
        "image_pull_policy": "IfNotPresent",
        "image_pull_secrets": ["registry"],
        "uid": 1234,
        "fs_gid": 55,
    }
    assert (await backend.cluster_settings(CHOICE, user()))["image"] == "ada:second"
    asked = CHOICE | {"image": "other:1"}
    assert (await backend.cluster_settings(asked, user()))["image"] == "other:1"
    with pytest.raises(PublicException, match="choose one of: ada:second, other:1"):
        await backend.cluster_settings(CHOICE | {"image": "evil:1"}, user())
    backend.config.PodClusterConfig.image = "set:1"
    assert (await backend.cluster_settings(CHOICE, user()))["image"] == "set:1"


async def test_whose_label_is_anothers_by_chance_has_not_their_image(
    server: ApiServer, broker: Any
) -> None:
    """A label may have a hash of 32 bits in place of the name: the annotation has the name."""
    backend = await broker()
    add_server(server, user="bob")
    [pod] = server.objects["pods"].values()
    pod["metadata"]["labels"][WHOSE] = "ada"
    with pytest.raises(PublicException, match="no image is known"):
        await backend.cluster_settings(CHOICE, user())


async def test_a_server_of_root_s_makes_no_workers_of_root_s(
    server: ApiServer, broker: Any
) -> None:
    backend = await broker()
    add_server(server)
    [pod] = server.objects["pods"].values()
    pod["spec"]["containers"][0]["securityContext"]["runAsUser"] = 0
    assert "uid" not in await backend.cluster_settings(CHOICE, user())


PROFILES = [
    {
        "name": "gpu",
        "groups": ["gpu-users"],
        "gpus": 2,
        "cores": 3.5,
        "memory": "8 GiB",
        "node_selector": {"pool": "gpu"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
    },
    {"name": "large", "memory": "32 GiB", "environment": "/opt/large"},
]


async def test_a_profile_is_for_those_who_may_take_it(server: ApiServer, broker: Any) -> None:
    spot = {"spot_node_selector": {"price": "low"}, "spot_tolerations": [{"key": "spot"}]}
    backend = await broker(profiles=PROFILES, **spot)
    add_server(server)
    with pytest.raises(PublicException, match="choose one of: large"):
        await backend.cluster_settings(CHOICE | {"profile": "gpu"}, user())
    asked = CHOICE | {"profile": "gpu", "spot": True}
    found = await backend.cluster_settings(asked, user("gpu-users"))
    assert found["worker_resources"] == {"nvidia.com/gpu": "2"}
    assert found["worker_node_selector"] == {"pool": "gpu", "price": "low"}
    assert found["worker_tolerations"] == [{"key": "gpu", "operator": "Exists"}, {"key": "spot"}]
    assert (found["worker_cores"], found["worker_memory"]) == (4, 8 * 2**30)
    found = await backend.cluster_settings(CHOICE | {"profile": "large"}, user())
    assert found["worker_cmd"][0] == found["python"] == "/opt/large/bin/python"


async def test_spot_nodes_are_refused_where_there_are_none(server: ApiServer, broker: Any) -> None:
    add_server(server)
    with pytest.raises(PublicException, match="no spot nodes"):
        await (await broker()).cluster_settings(CHOICE | {"spot": True}, user())


HOME = {"volumes": [{"name": "greyhub-home", "persistentVolumeClaim": {"claimName": "homes"}}]}


async def test_a_home_is_mounted_as_the_server_has_it(server: ApiServer, broker: Any) -> None:
    backend = await broker()
    asked = CHOICE | {"home": True}
    add_server(server)
    with pytest.raises(PublicException, match="no home on a claim"):
        await backend.cluster_settings(asked, user())
    add_server(server, **HOME)
    with pytest.raises(PublicException, match="is gone"):
        await backend.cluster_settings(asked, user())
    for mode, shared in (("ReadWriteOnce", False), ("ReadWriteMany", True)):
        server.put(
            "persistentvolumeclaims",
            {"metadata": {"name": "homes"}, "spec": {"accessModes": [mode]}},
        )
        if not shared:
            with pytest.raises(PublicException, match="cannot be mounted by workers"):
                await backend.cluster_settings(asked, user())
            continue
        found = await backend.cluster_settings(asked, user())
        assert found["volumes"] == HOME["volumes"]
        [mount] = found["volume_mounts"]
        assert (mount["mountPath"], mount["subPath"]) == ("/home/jovyan", "ada")
    elsewhere = await broker(namespace="m", servers_namespace="n")
    with pytest.raises(PublicException, match="clusters are in the namespace m"):
        await elsewhere.cluster_settings(asked, user())
