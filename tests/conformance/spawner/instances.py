"""The Spawner of compute instances, judged on the simulated workspace of Azure ML."""

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import greyhub.spawner_class as platform
from greyhub.conformance import Running, SpawnerSuite
from greyhub.conformance.testkit.azureml import Simulator
from greyhub.rendezvous.handlers import ROUTE, RendezvousHandler
from greyhub.spawners.azureml_spawner import AzureMLSpawner
from tests.azureml.hubs import settings_of

NOT_HERE = {
    "backend_events": "Azure ML tells states, and no texts while a start goes on",
    "internal_ssl": "a certificate would be made before its machine has an address",
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
    "late": "late",
}
"""What the suite calls a fault, and what the simulator does."""

TOKEN = "JUPYTERHUB_API_TOKEN"
ALWAYS = 1_000_000
INTERVAL = 0.1
"""Seconds for which one list of instances serves all polls."""

GONE = ("Stopped", "Deleting", "CreateFailed", "SetupFailed", "UserSetupFailed", "Unusable")
"""States of an instance on which nothing runs any more, unless processes are seen."""

METHODS = {
    "create": [("PUT", "/computes/"), ("POST", "/start$")],
    "delete": [("DELETE", "/computes/"), ("POST", "/stop$")],
    "any": [("", "")],
}


class Instances(SpawnerSuite):
    """greyhub's own: a compute instance of Azure ML."""

    adapter = platform.spawner_class(AzureMLSpawner)
    mode = "emulator"
    patience = 2.0
    parts = ("azure-mgmt-core", "azure-identity", "aiohttp")
    claims: ClassVar[Any] = {
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
        # The platform insists for half an hour where a backend does not answer.
        platform.LONGEST, platform.PAUSES = 5.0, (0.2, 0.5)
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
                "poll_interval": INTERVAL,
                "patience": 1.0,
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
        pids = self.azure.instances()
        shown = {name: self.azure.shown(name) for name in pids}
        return [
            Running(name, labels(each), self.argv(pids[name]))
            for name, each in shown.items()
            if pids[name] or (each and _inner(each)["state"] not in GONE)
        ]

    def argv(self, pids):
        """The words of all processes, the server's last."""
        servers = [pid for pid in pids if TOKEN in _environment(pid)]
        return [word for pid in [*pids, *servers] for word in _argv(pid)]

    def kill(self, server):
        self.azure.kill(server.id)
        time.sleep(2 * INTERVAL)  # what was listed before that is good for as long

    def environment(self, server):
        for pid in self.azure.instances().get(server.id, ()):
            found = _environment(pid)
            if TOKEN in found:
                return found
        return {}

    @contextmanager
    def fault(self, kind, moment, *, times=None, seconds=3.0):
        how, faults = {"times": times or ALWAYS, "seconds": seconds}, []
        for method, path in METHODS[moment]:
            faults.append(self.azure.fault(FAULTS[kind], method=method, path=path, **how))
        try:
            yield Hit(faults)
        finally:
            self.azure.heal()

    def sweep(self):
        for name in self.azure.instances():
            self.azure.delete(name)


class Hit:
    """Whether one of some faults has met a request."""

    def __init__(self, faults):
        self.faults = faults

    def is_set(self):
        return any(each.hits for each in self.faults)


def labels(shown):
    """The tags, and what tells one run from the next: tags of an instance are for its life."""
    return {**shown.get("tags", {}), "run": _inner(shown)["lastOperation"]["operationTime"]}


def _inner(shown):
    return shown["properties"]["properties"]


def _argv(pid):
    return [word.decode() for word in _read(pid, "cmdline").split(b"\0")[:-1]]


def _environment(pid):
    pairs = (each.decode().partition("=") for each in _read(pid, "environ").split(b"\0") if each)
    return {name: value for name, _, value in pairs}


def _read(pid, what):
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""
