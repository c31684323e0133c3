"""Spawners with what newcomers forget: the failure must say what."""

from examples.spawner.toyspawner import ToySpawner
from tests.conformance.spawner.suites import Toy


class ForgetsToAwait(ToySpawner):
    async def start(self):
        return super().start()


class ForgetsTheEnvironment(ToySpawner):
    def wanted(self):
        return {**super().wanted(), "env": {}}


class Awaitless(Toy):
    """A start that returns a coroutine."""

    adapter = ForgetsToAwait


class Bare(Toy):
    """Servers without the hub's variables."""

    adapter = ForgetsTheEnvironment
