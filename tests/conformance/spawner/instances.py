"""The Spawner of compute instances, judged on the simulated workspace of Azure ML."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from greyhub.conformance import Running, SpawnerSuite
from greyhub.conformance.testkit.azureml import Simulator
from greyhub.rendezvous.handlers import ROUTE, RendezvousHandler
from greyhub.spawner_class import spawner_class
from greyhub.spawners.azureml_spawner import AzureMLSpawner
from tests.azureml.hubs import settings_of

NOT_HERE = {
    "backend_events": "Azure ML tells states, and no texts while a start goes on",
    "isolation": "machines are apart; those of the simulator are one account's processes",
    "limits": "the size of the machine is the limit",
    "persistent_home": "a home is the homespace's to keep",
    "rename": "a server's data are in its user's home, which has no server's name",
    "user_options": "users choose profiles, which are the platform's and not the Spawner's",
}

FAULTS = {
    "unreachable": "reset",
    "throttled": "throttled",
    "unavailable": "unavailable",
    "error": "error",
    "rejected": "quota",
    "lost": "lost",
}
"""What the suite calls a fault, and what the simulator does."""

ALWAYS = 1_000_000

METHODS = {
    "create": [("PUT", "/computes/")],
    "delete": [("DELETE", "/computes/"), ("POST", "/stop$")],
    "any": [("", "")],
}


class Instances(SpawnerSuite):
    """greyhub's own: a compute instance of Azure ML."""

    adapter = spawner_class(AzureMLSpawner)
    mode = "emulator"
    patience = 2.0
    parts = ("azure-mgmt-core", "azure-identity", "aiohttp")
    claims: ClassVar[Any] = {
        "internal_ssl",
        "named_servers",
        "progress",
        "reap",
        "rejections",
        "secret_env",
    }
    declines: ClassVar[Any] = NOT_HERE
    faults = tuple(FAULTS)
    renames: ClassVar[Any] = {"AzureMLSpawner": {"name_prefix": "other"}}

    def prepare(self):
        self.azure = Simulator().start()

    def cleanup(self):
        self.azure.close()

    def config(self):
        azure = self.azure
        rendezvous = (ROUTE, RendezvousHandler)
        return {
            "JupyterHub": {"init_spawners_timeout": 2, "extra_handlers": [rendezvous]},
            "AzureML": {
                **settings_of(azure),
                "poll_interval": 0.1,
                "patience": 3.0,
            },
            "AzureMLSpawner": {
                "state_dir": "{directory}",
                "agent_account": "",
                "agent_python": sys.executable,
                "server_networks": ["127.0.0.0/8"],
                "replace_failed": True,
                "machine_size": "Standard_DS1_v2",
            },
        }

    def alive(self):
        tags = self.azure.tags()
        return [
            Running(name, tags.get(name), [word for pid in pids for word in _argv(pid)])
            for name, pids in self.azure.instances().items()
            if self.azure.state(name) not in ("Stopped", "Deleting")
        ]

    def kill(self, server):
        self.azure.kill(server.id)

    def environment(self, server):
        for pid in self.azure.instances().get(server.id, ()):
            found = _environment(pid)
            if "JUPYTERHUB_API_TOKEN" in found:
                return found
        return {}

    @contextmanager
    def fault(self, kind, moment, *, times=None, seconds=3.0):
        for method, path in METHODS[moment]:
            self.azure.fault(FAULTS[kind], method=method, path=path, times=times or ALWAYS)
        try:
            yield
        finally:
            self.azure.heal()

    def sweep(self):
        for name in self.azure.instances():
            self.azure.delete(name)


def _argv(pid):
    return [word.decode() for word in _read(pid, "cmdline").split(b"\0") if word]


def _environment(pid):
    pairs = (each.decode().partition("=") for each in _read(pid, "environ").split(b"\0") if each)
    return {name: value for name, _, value in pairs}


def _read(pid, what):
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""
