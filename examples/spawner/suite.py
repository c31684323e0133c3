from greyhub.conformance import Running, SpawnerSuite
from examples.spawner.toyspawner import ToySpawner
from examples.spawner.toyspawner.cloud import Cloud  # your platform's own client

NO = "internal_ssl isolation limits persistent_home reap rename secret_env user_options"


# fmt: off
class TestToySpawner(SpawnerSuite):
    adapter, cloud, endpoint = ToySpawner, Cloud(), "ToySpawner.url"
    claims, renames = {"named_servers", "progress", "rejections"}, {"ToySpawner": {"prefix": "x"}}
    declines = dict.fromkeys(["backend_events", *NO.split()], "the toy cloud has none")
    def prepare(self): self.cloud.start()
    def cleanup(self): self.cloud.stop()
    def config(self):
        return {"ToySpawner": {"url": self.cloud.url, "namespace": "{hub}", "grace": 1}}
    def alive(self): return [Running(m.name, m.labels, m.cmd) for m in self.cloud.running()]
    def kill(self, server): self.cloud.kill(server.id)
    def environment(self, server): return self.cloud.machines[server.id].env
