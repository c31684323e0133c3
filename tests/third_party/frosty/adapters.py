"""One small adapter for each slot, by somebody who is not greyhub."""

from __future__ import annotations

import sys

from greyhub.adapter import Contribution, Finding
from greyhub.auth import AuthAdapter
from greyhub.clusters import ClusterAdapter
from greyhub.data import DataAdapter
from greyhub.homespace import HomespaceAdapter
from greyhub.spawners import SpawnerAdapter


class FrostySpawner(SpawnerAdapter):
    distribution = "frosty"

    def load_class(self):
        from jupyterhub.spawner import SimpleLocalProcessSpawner

        return SimpleLocalProcessSpawner

    def contribute(self):
        return Contribution(
            config={"JupyterHub": {"spawner_class": self.load_class()}},
            environment={"FROSTY": "spawner"},
        )


class FrostyAuth(AuthAdapter):
    distribution = "frosty"

    def load_class(self):
        from jupyterhub.auth import DummyAuthenticator

        return DummyAuthenticator


class FrostyCluster(ClusterAdapter):
    distribution = "frosty"
    reads = ("frosty.ice.Ice",)

    def contribute(self):
        command = [sys.executable, "-c", "import time; time.sleep(3600)"]
        return Contribution(
            services=[{"name": "frosty-broker", "command": command}],
            roles=[{"name": "frosty", "services": ["frosty-broker"], "scopes": ["list:users"]}],
        )

    async def ticket(self, spawner):
        return {"greeting": f"cluster of {spawner.user.name}"}

    @classmethod
    def connect(cls, ticket, **options):
        return ticket["greeting"], options

    def label(self):
        return "snow"


class FrostyHome(HomespaceAdapter):
    distribution = "frosty"

    async def ticket(self, spawner):
        return {"url": "memory://homes/" + spawner.user.name, "storage_options": {}}

    def label(self):
        return "a home that melts"

    async def check(self):
        return [Finding("note", "this home melts when the server stops")]


class FrostyData(DataAdapter):
    distribution = "frosty"

    async def ticket(self, spawner):
        return {}

    @classmethod
    def connect(cls, ticket, **options):
        return {"ice": 1}

    def label(self):
        return "ice cores"
