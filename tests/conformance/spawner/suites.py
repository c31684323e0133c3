"""The author's files of the reference spawners."""

from examples.spawner.toyspawner import ToySpawner
from examples.spawner.toyspawner.cloud import Cloud
from greyhub.conformance import Running, SpawnerSuite
from greyhub.conformance.spawner.local_processes import Processes
from greyhub.spawners.server import LocalSpawner
from tests.conformance.spawner.full import FullCloud, FullSpawner


def declined(*claimed, reason):
    """Everything but these, with one reason."""
    known = SpawnerSuite.contract.capabilities
    return {name: reason for name in sorted(known) if name not in claimed}


class CloudSuite(SpawnerSuite):
    """Eyes on a toy cloud."""

    cloud_class = Cloud
    endpoint = "ToySpawner.url"
    renames = {"ToySpawner": {"prefix": "lab"}}
    stop_within = 10

    def prepare(self):
        self.cloud = self.cloud_class().start()

    def cleanup(self):
        self.cloud.stop()

    def config(self):
        return {"ToySpawner": {"url": self.cloud.url, "namespace": "{hub}", "grace": 1}}

    def alive(self):
        return [Running(each.name, each.labels, each.cmd) for each in self.cloud.running()]

    def kill(self, server):
        self.cloud.kill(server.id)

    def sweep(self):
        self.cloud.clear()

    def environment(self, server):
        return self.cloud.machines[server.id].env


class Toy(CloudSuite):
    """A spawner of few lines, and few claims: over HTTP, in memory, in threads."""

    adapter = ToySpawner
    claims = {"named_servers", "progress", "rejections"}
    declines = declined(*claims, reason="the toy cloud has nothing of the kind")


class Full(CloudSuite):
    """The toy with every capability: the mutants are broken forms of it."""

    adapter = FullSpawner
    cloud_class = FullCloud
    declines = {
        "secret_env": "the toy cloud has no secrets",
        "isolation": "the machines are threads of one process",
    }
    claims = SpawnerSuite.contract.capabilities.keys() - declines.keys()
    options_good = {"size": "large"}
    options_bad = ({"size": "enormous"}, {"size": ["small"]})

    def volumes(self):
        return dict(self.cloud.volumes)

    def announce(self, server, text):
        self.cloud.machines[server.id].events.append(text)

    def limits(self, server):
        return self.cloud.machines[server.id].limits


class Local(Processes, SpawnerSuite):
    """greyhub's own: a process of this machine."""

    adapter = LocalSpawner
    config = {"LocalSpawner": {"state_dir": "{directory}", "ready_timeout": 4, "term_timeout": 1}}
    claims = {"named_servers", "progress"}
    declines = declined(*claims, reason="processes of this machine have nothing of the kind")
    renames = {}
    stop_within = 10


class Lazy(SpawnerSuite):
    """A correct spawner whose author declines everything and looks at nothing."""

    adapter = "jupyterhub.spawner:SimpleLocalProcessSpawner"
    declines = declined(reason="no time")
