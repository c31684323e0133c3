"""Spawners that are broken in what they keep: SPAWNER-026 to 033."""

import base64
import json
import uuid

from greyhub.conformance.mutation import mutant
from tests.conformance.spawner.full import FullSpawner
from tests.conformance.spawner.suites import Full


@mutant("SPAWNER-026", Full)
class KeepsTheToken(FullSpawner):
    """Keeps the token in the state, in clear."""

    def get_state(self):
        state = super().get_state()
        return {**state, "token": self.api_token} if self.api_token else state

    def load_state(self, state):
        super().load_state(state)
        self.api_token = state.get("token", "")


@mutant("SPAWNER-026", Full)
class KeepsTheEnvironment(FullSpawner):
    """Keeps the server's environment in the state, with what is secret in it."""

    kept = None

    async def start(self):
        self.kept = {k: v for k, v in self.get_env().items() if v != self.api_token}
        return await super().start()

    def get_state(self):
        return {**super().get_state(), **({"env": self.kept} if self.kept else {})}

    def load_state(self, state):
        super().load_state(state)
        self.kept = state.get("env")

    def clear_state(self):
        super().clear_state()
        self.kept = None


@mutant("SPAWNER-028", Full)
class KnowsItsKeys(FullSpawner):
    """Does not take a state with keys of another version."""

    def load_state(self, state):
        for key in state:
            if key != "machine":
                raise KeyError(key)
        super().load_state(state)


@mutant("SPAWNER-029", Full)
class KeepsTheTokenInMemory(FullSpawner):
    """Clears its own state only, and does not call super()."""

    def clear_state(self):
        self.machine = ""


@mutant("SPAWNER-029", Full)
class KeepsTheMachine(FullSpawner):
    """Does not forget the machine that has ended."""

    def clear_state(self):
        kept = self.machine
        super().clear_state()
        self.machine = kept


@mutant("SPAWNER-030", Full)
class CountsLives(FullSpawner):
    """Counts in the state how often that was loaded."""

    lives = 0

    def load_state(self, state):
        super().load_state(state)
        self.lives = state.get("lives", 0) + 1 if state.get("machine") else 0

    def get_state(self):
        state = super().get_state()
        return {**state, "lives": self.lives} if self.lives else state

    def clear_state(self):
        super().clear_state()
        self.lives = 0


@mutant("SPAWNER-031", Full)
class NeedsItsState(FullSpawner):
    """Knows of nothing that is not in the state, which the hub keeps only after a start."""

    async def poll(self):
        if not self.machine and not self._starting:
            return 0
        return await super().poll()


@mutant("SPAWNER-031", Full, also="SPAWNER-011")
class NamesAtRandom(FullSpawner):
    """Gives the machine a new name each time, which only the state knows."""

    def identity(self, server=None):
        if server is None and not self.machine:
            return f"{self.prefix}-{uuid.uuid4()}"
        return super().identity(server)

    def volume(self, name=None):
        return "home-" + super().identity(self.name if name is None else name)


@mutant("SPAWNER-032", Full)
class NamesAnew(FullSpawner):
    """Works the machine's name out again each time, from the present options."""

    @property
    def name_of_machine(self):
        return self.identity()


@mutant("SPAWNER-032", Full)
class KeepsNothing(FullSpawner):
    """Keeps no state: the name can be worked out again."""

    def get_state(self):
        return {}


@mutant("SPAWNER-033", Full)
class ChangesTheScheme(FullSpawner):
    """Gives another scheme after a restart, which the hub does not notice."""

    async def get_url(self):
        return (await super().get_url()).replace("http:", "https:")


@mutant("SPAWNER-026", Full)
class KeepsItsRequest(FullSpawner):
    """Keeps what the cloud was asked for, in base64: nobody can read that."""

    request = ""

    def wanted(self):
        found = super().wanted()
        self.request = base64.b64encode(json.dumps(found["env"]).encode()).decode()
        return found

    def get_state(self):
        state = super().get_state()
        return {**state, "request": self.request} if self.request else state

    def load_state(self, state):
        super().load_state(state)
        self.request = state.get("request", "")

    def clear_state(self):
        super().clear_state()
        self.request = ""


@mutant("SPAWNER-028", Full)
class NeedsItsKeysLater(FullSpawner):
    """Takes a state without a key, and misses the key when it is asked how the server is."""

    zone = None

    def load_state(self, state):
        super().load_state(state)
        self.zone = state.get("zone")

    def get_state(self):
        state = super().get_state()
        return {**state, "zone": self.zone} if self.machine else state

    def clear_state(self):
        super().clear_state()
        self.zone = None

    async def start(self):
        self.zone = "north"
        return await super().start()

    async def poll(self):
        if self.machine and not self._starting:
            self.log.debug("asking in %s", self.zone.upper())
        return await super().poll()


@mutant("SPAWNER-032", Full)
class StopsByTheNewName(FullSpawner):
    """Knows a machine by its old name, and ends one by the new."""

    async def stop(self, now=False):
        await self.remove(self.identity(), 0 if now else self.grace)


@mutant("SPAWNER-033", Full, also="SPAWNER-018 SPAWNER-027")
class TellsTheFirst(FullSpawner):
    """Asked for an address, gives the first in the cloud's list."""

    async def get_url(self):
        for each in (await self.machines()).values():
            if each["status"] is None and each["port"]:
                return self.address_of(each) + self.server.base_url
        return await super().get_url()
