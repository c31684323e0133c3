"""KubeSpawner, on the cluster that KUBECONFIG names."""

import asyncio

from kubespawner import KubeSpawner

from greyhub.conformance import SpawnerSuite
from tests.conformance.spawner.pods import NOT_HERE, Pods


class KubeSpawnerOfALoop(KubeSpawner):
    """KubeSpawner whose watches end with their hub: there are several in this process."""

    def _get_reflector_key(self, kind):
        return (asyncio.get_running_loop(), *super()._get_reflector_key(kind))


class Kube(Pods, SpawnerSuite):
    """KubeSpawner as it is, on a real cluster."""

    adapter = KubeSpawnerOfALoop
    section = "KubeSpawner"
    endpoint = "KubeSpawner.k8s_api_host"
    parts = ("jupyterhub-kubespawner", "kubernetes_asyncio")
    claims = Pods.claims - {"reap", "secret_env"}
    declines = NOT_HERE | {
        "reap": "it has no list_orphans() and no reap()",
        "secret_env": "the environment stands in the pod, for all who may look at pods",
    }
    renames = {"KubeSpawner": {"pod_name_template": "other-{user_server}"}}

    def config(self):
        config = super().config()
        config["KubeSpawner"] |= {"uid": 1000, "k8s_api_request_retry_timeout": 3}
        return config
