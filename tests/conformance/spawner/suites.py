"""The author's files of the reference spawners."""

from greyhub.conformance import Running, SpawnerSuite
from greyhub.conformance.new.spawner.toyspawner import ToySpawner
from greyhub.conformance.new.spawner.toyspawner.cloud import Cloud
from greyhub.conformance.spawner.processes import Processes
from greyhub.spawners.server import LocalSpawner


class Toy(SpawnerSuite):
    """The toy cloud: over HTTP, in memory, in threads."""

    adapter = ToySpawner
    endpoint = "ToySpawner.url"
    claims = {"named_servers", "progress", "rejections"}
    declines = {
        name: "the toy has none"
        for name in SpawnerSuite.contract.capabilities.keys() - {"named_servers", "progress", "rejections"}
    }
    renames = {"ToySpawner": {"prefix": "lab"}}
    stop_within = 10

    def prepare(self):
        self.cloud = Cloud().start()

    def cleanup(self):
        self.cloud.stop()

    def config(self):
        return {"ToySpawner": {"url": self.cloud.url, "namespace": "{hub}", "grace": 1}}

    def alive(self):
        return [Running(each.name, each.labels, each.cmd) for each in self.cloud.running()]

    def kill(self, server):
        self.cloud.kill(server.id)

    def environment(self, server):
        return self.cloud.machines[server.id].env


class Local(Processes, SpawnerSuite):
    """greyhub's own: a process of this machine."""

    adapter = LocalSpawner
    config = {"LocalSpawner": {"state_dir": "{directory}", "ready_timeout": 4, "term_timeout": 1}}
    claims = {"named_servers", "progress"}
    declines = {
        name: "none"
        for name in SpawnerSuite.contract.capabilities.keys() - {"named_servers", "progress"}
    }
    renames = {}
    stop_within = 10
