"""dask-kubernetes' operator and its KubeCluster, on the cluster that KUBECONFIG names."""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import yaml

from greyhub.conformance.cluster import ClusterSuite, Part
from tests.support import clusters
from tests.support.waiting import until

PART = "dask.org/component in (scheduler,worker)"


def missing():
    """Why it cannot be judged here."""
    if why := clusters.missing():
        return why
    if wanted := [each for each in ("kopf", "dask_kubernetes") if find_spec(each) is None]:
        return f"needs {', '.join(wanted)}"
    try:
        socket.getaddrinfo("kubernetes.default", 443)
    except OSError:
        return "needs the names of the cluster's services, as its pods have them"
    return ""


class Operator(ClusterSuite):
    """dask-kubernetes' KubeCluster, with its operator.

    It was given its own `make_cluster_spec()`, in which the scheduler is ``dask scheduler``: the
    spec that it makes by itself calls ``dask-scheduler``, which distributed 2026.8 has no more. The
    notebook acts with the rights of its pod's service account: with them, a user has the clusters
    of all users in the namespace. Now and then a start gives up after a minute, since the new
    cluster was not marked as running; perhaps since two handlers of the operator write its phase
    at the same time (operator/controller/controller.py:400 and 423). Which clauses meet it differs
    from run to run.
    """

    adapter = "dask_kubernetes.operator:KubeCluster"
    mode = "real"
    patience = 4.0  # a pod takes seconds to start and to end
    parts = ("distributed", "kopf", "kr8s")
    endpoint = "KubeCluster.server"
    claims = {
        "adaptive": True,
        "idle_timeout": {"KubeCluster.idle_timeout": 2},
        "own_scheduler": True,
        "remote": True,
        "reattach": True,
    }
    declines = {
        "tls": "its documentation names none",
        "quota": "nothing bounds it but the namespace's ResourceQuota",
        "shared": "whoever may make a DaskCluster in the namespace has all; it knows of no users",
        "groups": "each worker is a pod of its own",
        "reaps_on_client_death": "its documentation promises no more than the idle timeout",
        "tokens": "a task has no business with the hub",
    }

    hindrance = staticmethod(missing)

    def prepare(self):
        self.folder = tempfile.TemporaryDirectory(prefix="greyhub-operator-")
        self.cluster = clusters.Cluster(f"greyhub-conform-{secrets.token_hex(4)}")
        self.definitions = self.define()
        self.cluster.kubectl("create", "namespace", self.cluster.namespace)
        watched = ["--standalone", "--namespace", self.cluster.namespace]
        command = [sys.executable, "-m", "kopf", "run", "--quiet", *watched]
        command += ["-m", "dask_kubernetes.operator.controller"]
        self.operator = subprocess.Popen(command)
        self.acts()
        proxy = ["kubectl", "proxy", "--port=0"]
        self.api = subprocess.Popen(proxy, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.api.stdout.readline().rpartition(':')[2].strip()}"

    def acts(self):
        """Wait until the operator has made something of a cluster: it is busy when it starts."""
        from dask_kubernetes.operator import make_cluster_spec

        cluster = "daskcluster.kubernetes.dask.org/begin"
        spec = make_cluster_spec("begin", image=clusters.IMAGE, n_workers=0)
        self.cluster.apply(spec)
        made = ("get", "service/begin-scheduler", "--ignore-not-found", "-o", "name")
        until(lambda: self.cluster.kubectl(*made), 120, "the operator")
        self.cluster.kubectl("delete", cluster)
        until(lambda: not self.alive(), 120, "the end of the first cluster")

    def define(self):
        """Make the administrator's part of it, as its chart does; what was not there before."""
        import dask_kubernetes

        chart = "operator/deployment/helm/dask-kubernetes-operator/crds"
        made = []
        for path in sorted((Path(dask_kubernetes.__file__).parent / chart).glob("*.yaml")):
            for each in filter(None, yaml.safe_load_all(path.read_text())):
                name = f"customresourcedefinition/{each['metadata']['name']}"
                if not self.cluster.kubectl("get", name, "--ignore-not-found"):
                    self.cluster.kubectl("create", "-f", "-", given=json.dumps(each))
                    made.append(name)
        for name in made:
            self.cluster.kubectl("wait", name, "--for=condition=Established")
        return made

    def cleanup(self):
        # While the operator runs: it has to let go of what it has marked.
        self.cluster.kubectl("delete", "daskclusters.kubernetes.dask.org", "--all")
        for process in (self.operator, self.api):
            process.terminate()
            process.wait()
        self.cluster.kubectl("delete", "namespace", self.cluster.namespace)
        if self.definitions:
            self.cluster.kubectl("delete", *self.definitions, "--wait=false")
        self.folder.cleanup()

    def config(self):
        return {
            "KubeCluster": {
                "server": self.url,
                "namespace": self.cluster.namespace,
                "image": clusters.IMAGE,
            }
        }

    def make(self, user, workers=0, **options):
        from dask_kubernetes.operator import make_cluster_spec

        given = {**self.overridden(user)["KubeCluster"], **options}
        self.reach(given.pop("server"))
        name = given.pop("name", f"dask-{user}-{secrets.token_hex(4)}")
        told = {each: given.pop(each) for each in ("image", "idle_timeout") if each in given}
        spec = make_cluster_spec(name, n_workers=workers, worker_command=["dask", "worker"], **told)
        spec["metadata"]["labels"] = {"user": user}
        scheduler = spec["spec"]["scheduler"]["spec"]["containers"][0]
        scheduler["args"] = ["dask", "scheduler", "--host", "0.0.0.0"]
        for container in (scheduler, spec["spec"]["worker"]["spec"]["containers"][0]):
            container["imagePullPolicy"] = "IfNotPresent"
        return self.subject()(custom_cluster_spec=spec, quiet=True, **given)

    def reach(self, server):
        """The notebook's kubeconfig leads to a server from now on."""
        path = Path(self.folder.name) / "kubeconfig"
        context = {"cluster": "c", "user": "u", "namespace": self.cluster.namespace}
        told = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "c", "context": context}],
            "current-context": "c",
        }
        path.write_text(yaml.safe_dump(told))
        os.environ["KUBECONFIG"] = str(path)

    def alive(self):
        said = self.cluster.kubectl("get", "pods", "-l", PART, "-o", "json")
        return [self.part(each) for each in json.loads(said)["items"]]

    def part(self, pod):
        """A pod, by its labels."""
        labels = pod["metadata"]["labels"]
        [container] = pod["spec"]["containers"]
        argv = [*container.get("command", ()), *container.get("args", ())]
        shown = {"user": labels.get("user", ""), "cluster": labels["dask.org/cluster-name"]}
        return Part(f"pod/{pod['metadata']['name']}", labels["dask.org/component"], shown, argv)

    def kill(self, part):
        ending = ("--grace-period=0", "--force", "--ignore-not-found", "--wait=false")
        self.cluster.kubectl("delete", part.id, *ending)

    def sweep(self):
        self.end_all()
        super().sweep()

    def end_all(self):
        """What a pod is of comes again: end that."""
        kinds = "daskclusters.kubernetes.dask.org,deployments,services"
        self.cluster.kubectl("delete", kinds, "--all", "--wait=false")

    @contextmanager
    def fault(self, kind, room=0):
        """``full``: the namespace's quota has no more pods; ``scheduler``: none at all."""
        pods = len(self.cluster.pods())
        most = {"full": pods + 1 + room, "scheduler": pods}[kind]
        spec = {"hard": {"pods": str(most)}}
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}}
        self.cluster.apply({**quota, "spec": spec})
        try:
            yield
        finally:
            self.cluster.kubectl("delete", "resourcequota", "full")

    def reattach(self, user, name):
        self.reach(self.overridden(user)["KubeCluster"]["server"])
        given = {"namespace": self.cluster.namespace, "shutdown_on_close": True, "quiet": True}
        return self.subject().from_name(name, **given)

    def reap(self):
        """Nothing: Kubernetes ends what is a cluster's when the cluster is deleted."""
