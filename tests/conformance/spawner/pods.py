"""Spawners of pods, judged on the cluster that KUBECONFIG names.

The cluster is seen through ``kubectl proxy``, which is also the endpoint that faults stand at.
"""

import re
import secrets
import subprocess
import tempfile
from contextlib import suppress
from typing import Any, ClassVar

import requests

from greyhub.conformance import Running, SpawnerSuite
from greyhub.spawner_class import spawner_class
from greyhub.spawners.pod_spawner import PodSpawner
from tests.support.clusters import HOST, IMAGE, missing

NOT_HERE = {
    "isolation": "which pods reach which others is for the cluster's NetworkPolicy",
    "persistent_home": "a home on a claim is the homespace's to keep",
    "rename": "a server's data are in its user's home, which has no server's name",
}


class Pods:
    """The hooks of a suite for servers that are pods; stands before the suite."""

    mode = "real"
    patience = 3.0  # a pod takes seconds to start and to end
    claims: ClassVar[Any] = {
        "backend_events",
        "internal_ssl",
        "limits",
        "named_servers",
        "progress",
        "reap",
        "rejections",
        "secret_env",
        "user_options",
    }
    declines: ClassVar[Any] = NOT_HERE
    options_good: ClassVar[Any] = {"profile": "small"}
    options_bad: ClassVar[Any] = ({"profile": "enormous"}, {"profile": ["small"]})
    section = ""
    """The section of the Spawner's own options."""

    hindrance = staticmethod(missing)

    def prepare(self):
        self.namespace = f"greyhub-conform-{secrets.token_hex(4)}"
        self.proxy_process = subprocess.Popen(
            ["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True
        )
        assert self.proxy_process.stdout
        port = re.search(r":(\d+)", self.proxy_process.stdout.readline())[1]
        self.url = f"http://127.0.0.1:{port}"
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})

    def cleanup(self):
        self.ask("DELETE", f"/api/v1/namespaces/{self.namespace}")
        self.proxy_process.terminate()
        self.proxy_process.wait()

    def config(self):
        return {
            # What is checked while the hub starts is checked on after it has started.
            "JupyterHub": {"hub_ip": HOST, "init_spawners_timeout": 2},
            self.section: {
                "k8s_api_host": self.url,
                "namespace": self.namespace,
                "image": IMAGE,
                "image_pull_policy": "IfNotPresent",
                "delete_grace_period": 6,
                # Where a server may leave a note for the suite.
                "volumes": [{"name": "notes", "hostPath": {"path": tempfile.gettempdir()}}],
                "volume_mounts": [{"name": "notes", "mountPath": tempfile.gettempdir()}],
                "profile_list": [
                    {"display_name": "Small", "slug": "small", "default": True},
                    {"display_name": "Large", "slug": "large"},
                ],
            },
        }

    def ask(self, method, path, body=None, **query):
        """A request to the API server; its answer."""
        answer = requests.request(method, self.url + path, json=body, params=query, timeout=30)
        return answer.json()

    def pods(self):
        """All pods, by name."""
        found = self.ask("GET", f"/api/v1/namespaces/{self.namespace}/pods")["items"]
        return {each["metadata"]["name"]: each for each in found}

    def alive(self):
        return [
            Running(
                each["metadata"]["name"],
                {**each["metadata"].get("labels", {}), **each["metadata"].get("annotations", {})},
                [
                    *each["spec"]["containers"][0].get("command", ()),
                    *each["spec"]["containers"][0].get("args", ()),
                ],
            )
            for each in self.pods().values()
            if each["status"].get("phase") not in ("Failed", "Succeeded")
        ]

    def kill(self, server):
        self.ask(
            "DELETE",
            f"/api/v1/namespaces/{self.namespace}/pods/{server.id}",
            {"gracePeriodSeconds": 0},
        )

    def environment(self, server):
        shown = self.run_in(server, "cat", "/proc/1/environ")
        if shown is None:  # it does not run yet: what it will have
            return self.declared(server)
        return dict(each.split("=", 1) for each in shown.rstrip("\0").split("\0"))

    def run_in(self, server, *command):
        """What a command in the pod prints; None if it does not run."""
        done = subprocess.run(
            ["kubectl", "-n", self.namespace, "exec", server.id, "--", *command],
            capture_output=True,
            check=False,
        )
        return done.stdout.decode() if done.returncode == 0 else None

    def declared(self, server):
        """The variables that the pod is to have."""
        import base64

        found = {}
        for container in self.pods().get(server.id, {"spec": {"containers": []}})["spec"][
            "containers"
        ]:
            for source in container.get("envFrom", ()):
                name = source["secretRef"]["name"]
                secret = self.ask("GET", f"/api/v1/namespaces/{self.namespace}/secrets/{name}")
                for key, value in secret.get("data", {}).items():
                    found[key] = base64.b64decode(value).decode()
            found |= {each["name"]: each.get("value", "") for each in container.get("env", ())}
        return found

    def announce(self, server, text):
        pod = self.pods()[server.id]
        now = pod["metadata"]["creationTimestamp"]
        self.ask(
            "POST",
            f"/api/v1/namespaces/{self.namespace}/events",
            {
                "metadata": {"generateName": "conformance-", "namespace": self.namespace},
                "involvedObject": {
                    "kind": "Pod",
                    "namespace": self.namespace,
                    "name": server.id,
                    "uid": pod["metadata"]["uid"],
                },
                "type": "Normal",
                "reason": "Conformance",
                "message": text,
                "source": {"component": "conformance"},
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
            },
        )

    def limits(self, server):
        first = (
            "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us "
            "/sys/fs/cgroup/cpu/cpu.cfs_period_us 2>/dev/null || "
            "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max"
        )
        memory, quota, period = (self.run_in(server, "sh", "-c", first) or "0 0 1").split()
        return {"mem_limit": float(memory), "cpu_limit": float(quota) / float(period)}

    def volumes(self):
        found = self.ask("GET", f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims")
        return {each["metadata"]["name"]: each["metadata"]["uid"] for each in found["items"]}

    def sweep(self):
        where = f"/api/v1/namespaces/{self.namespace}"
        for name in self.pods():
            with suppress(requests.RequestException):
                self.ask("DELETE", f"{where}/pods/{name}", {"gracePeriodSeconds": 0})
        self.ask("DELETE", f"{where}/secrets")
        self.ask("DELETE", f"{where}/events")


class Kubernetes(Pods, SpawnerSuite):
    """greyhub's own: a pod of a cluster."""

    adapter = spawner_class(PodSpawner)
    section = "PodSpawner"
    endpoint = "PodSpawner.k8s_api_host"
    parts = ("jupyterhub-kubespawner", "kubernetes_asyncio")
    renames: ClassVar[Any] = {"PodSpawner": {"pod_name_template": "other-{user_server}"}}

    def config(self):
        config = super().config()
        config["PodSpawner"] |= {"hub_id": "{hub}", "k8s_api_request_retry_timeout": 3}
        return config
