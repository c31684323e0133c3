from greyhub.conformance import ClusterSuite, Part
from examples.cluster.toycluster import ToyCluster
from examples.cluster.toycluster.cloud import Running  # your platform's own client


# fmt: off
class TestToyCluster(ClusterSuite):
    adapter, cloud, endpoint = ToyCluster, Running(), "ToyCluster.url"
    claims = dict.fromkeys(["adaptive", "own_scheduler", "remote", "shared", "tls"], True) | {
        "quota": 2, "reaps_on_client_death": 5, "idle_timeout": {"ToyCluster.idle_timeout": "1 s"}}
    declines = dict.fromkeys(["groups", "reattach", "tokens"], "the toy cloud has none")
    prepare, cleanup, reap = cloud.start, cloud.stop, cloud.reap
    def config(self): return {"ToyCluster": {"url": self.cloud.url, "user": "{user}", "maximum": 2}}
    def alive(self): return [Part(*part) for part in self.cloud.parts()]
    def kill(self, part): self.cloud.kill(part.id)
    def fault(self, kind, room=0): return self.cloud.fault(kind, room)
    def list_clusters(self, user): return ToyCluster.list_clusters(self.cloud.url, user)
