"""Spawners that are broken in how they start: SPAWNER-001 to 011, 024 and 062."""

import asyncio
import socket
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import urlopen

from jupyterhub.spawner import SpawnException
from tornado.httpclient import HTTPClientError
from tornado.web import HTTPError

from greyhub.conformance.mutation import mutant
from tests.conformance.spawner.full import FullSpawner
from tests.conformance.spawner.suites import Full
from tests.support.waiting import PATIENCE


@mutant("SPAWNER-001", Full)
class ConnectsWhenMade(FullSpawner):
    """Asks the cloud as soon as it is made, as a client that is made in __init__ does."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        address = urlsplit(self.url)
        with suppress(OSError):
            socket.create_connection((address.hostname, address.port), timeout=1).close()


@mutant("SPAWNER-002", Full)
class WritesTheAddress(FullSpawner):
    """Writes the address to the database, as spawners did before JupyterHub 0.7, and gives None."""

    async def start(self):
        address = urlsplit(await super().start())
        self.server.proto, self.server.ip, self.server.port = (
            address.scheme,
            address.hostname,
            address.port,
        )


@mutant("SPAWNER-003", Full, also="SPAWNER-018 SPAWNER-048 SPAWNER-049 SPAWNER-050")
class ForwardsOnce(FullSpawner):
    """Gives the address of a tunnel that breaks after the first connection."""

    async def start(self):
        address = urlsplit(await super().start())
        listening = socket.create_server(("127.0.0.1", 0))

        def forward():
            near, _ = listening.accept()
            listening.close()
            with near, socket.create_connection((address.hostname, address.port)) as far:
                ends = [(near, far), (far, near)]
                threads = [threading.Thread(target=copy, args=each, daemon=True) for each in ends]
                for thread in threads:
                    thread.start()
                threads[1].join()

        threading.Thread(target=forward, daemon=True).start()
        return f"{address.scheme}://127.0.0.1:{listening.getsockname()[1]}"


def copy(source, target):
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)


@mutant("SPAWNER-004", Full)
class WaitsForAnAnswer(FullSpawner):
    """Waits in start() until the server answers, as the hub then does again."""

    async def start(self):
        url = await super().start()
        if self.internal_ssl:
            return url
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(f"GET {self.server.base_url}api HTTP/1.0\r\n\r\n".encode())
        await reader.read()
        writer.close()
        return url


@mutant("SPAWNER-005", Full)
class BlamesTheUser(FullSpawner):
    """Says of whatever fails that the user should choose something else."""

    async def create(self):
        try:
            await super().create()
        except HTTPClientError as error:
            raise SpawnException(str(error), reason="try another", status_code=400) from error


@mutant("SPAWNER-005", Full)
class BlamesTheCloud(FullSpawner):
    """A quota that is used up is an internal error, and counts towards the end of the hub."""

    async def create(self):
        try:
            await super().create()
        except SpawnException as error:
            raise RuntimeError(str(error)) from error


@mutant("SPAWNER-006", Full)
class ForgetsWhatFailed(FullSpawner):
    """Tidies up after a cancellation, but not after an error, and then says there is nothing."""

    failed = False

    async def start(self):
        self.failed = False
        return await super().start()

    async def undo(self, create):
        if create is not None and create.done() and create.exception() is not None:
            self.failed = True
        else:
            await super().undo(create)

    async def poll(self):
        return 0 if self.failed else await super().poll()


@mutant("SPAWNER-006", Full, also="SPAWNER-007")
class TriesAgainElsewhere(FullSpawner):
    """Asks again under another name when a reply is lost, and leaves what it has made before."""

    async def create(self):
        try:
            await super().create()
        except (OSError, HTTPClientError):
            self.machine += "-again"
            await super().create()


@mutant("SPAWNER-007", Full)
class LeavesWhatIsLate(FullSpawner):
    """After a timeout it leaves the machine, and says that there is none."""

    late = False

    async def start(self):
        began, self.late = time.monotonic(), False
        self.began = began
        return await super().start()

    async def undo(self, create):
        self.late = time.monotonic() - self.began > self.start_timeout - 0.05
        if not self.late:
            await super().undo(create)

    async def poll(self):
        return 0 if self.late else await super().poll()


@mutant("SPAWNER-007", Full)
class KnowsOnlyWhatIsConfirmed(FullSpawner):
    """Takes a machine whose creation was not confirmed in time for one that never was."""

    unconfirmed = False

    async def start(self):
        self.unconfirmed = False
        return await super().start()

    async def undo(self, create):
        self.unconfirmed = create is not None and not create.done()
        if not self.unconfirmed:
            await super().undo(create)

    async def poll(self):
        return 0 if self.unconfirmed else await super().poll()


@mutant("SPAWNER-008", Full, also="SPAWNER-047")
class SwallowsTheCancellation(FullSpawner):
    """Answers a cancellation with an address, as if nothing had happened."""

    async def start(self):
        try:
            return await super().start()
        except asyncio.CancelledError:
            return "http://127.0.0.1:9"


@mutant("SPAWNER-009", Full, also="SPAWNER-048 SPAWNER-050")
class SleepsInTheLoop(FullSpawner):
    """Waits for the machine as a synchronous SDK does."""

    async def address(self):
        time.sleep(0.3 * PATIENCE)
        return await super().address()


@mutant("SPAWNER-010", Full)
class StartsTheOldAgain(FullSpawner):
    """Keeps the first start's settings for the next, all but the token."""

    kept = {}

    def get_env(self):
        env = super().get_env()
        own = {k: v for k, v in env.items() if not k.startswith(("JUPYTERHUB", "JPY", "PROBE"))}
        kept = self.kept.setdefault((self.url, self.namespace, self.user.name, self.name), own)
        return {k: v for k, v in env.items() if k not in own} | kept


@mutant("SPAWNER-011", Full)
class AdoptsTheStale(FullSpawner):
    """Takes a machine that it finds under its name for its own."""

    async def start(self):
        self._starting = True
        found = (await self.machines()).get(self.identity())
        if found is None or found["status"] is not None or not found["port"]:
            return await super().start()
        self.machine, self._starting = found["name"], False
        return self.address_of(found)


@mutant("SPAWNER-011", Full)
class MakesAnother(FullSpawner):
    """Leaves a machine that it finds under its name, and makes one with another name."""

    async def start(self):
        self._starting = True
        self.second = self.identity() in await self.machines()
        return await super().start()

    second = False

    def identity(self, server=None):
        return super().identity(server) + ("-2" if self.second and server is None else "")

    def volume(self, name=None):
        return "home-" + super().identity(name)


@mutant("SPAWNER-024", Full, also="SPAWNER-006")
class LeavesWhatIsCancelled(FullSpawner):
    """When the user cancels the start, it leaves the machine and says that there is none."""

    cancelled = False

    async def start(self):
        self.began, self.cancelled = time.monotonic(), False
        return await super().start()

    async def undo(self, create):
        late = time.monotonic() - self.began > self.start_timeout - 0.05
        done = create is not None and create.done() and create.exception() is None
        self.cancelled = done and not late and self.alive_at_last(await self.machines())
        if not self.cancelled:
            await super().undo(create)

    def alive_at_last(self, machines):
        return machines.get(self.machine, {}).get("status", 0) is None

    async def poll(self):
        return 0 if self.cancelled else await super().poll()


@mutant("SPAWNER-024", Full)
class StartsAgainWhenCancelled(FullSpawner):
    """Takes a cancellation for a failure of the cloud, and tries once more."""

    async def start(self):
        began = time.monotonic()
        try:
            return await super().start()
        except asyncio.CancelledError:
            if time.monotonic() - began < self.start_timeout - 0.05:
                self.again = asyncio.ensure_future(self.later())
            raise

    async def later(self):
        await asyncio.sleep(1.5)
        self.machine = self.identity()
        await self.create()


@mutant("SPAWNER-062", Full)
class SaysNothingOfTheCommand(FullSpawner):
    """Tells the user that something went wrong."""

    async def create(self):
        try:
            await super().create()
        except SpawnException:
            raise SpawnException("no", reason="something went wrong", status_code=400) from None


@mutant("SPAWNER-001", Full)
class LooksUpWhatItLoads(FullSpawner):
    """Asks the cloud, in a thread, for the machine that a state names."""

    def load_state(self, state):
        super().load_state(state)
        if self.machine:
            threading.Thread(target=ask_in_vain, args=(self.url,), daemon=True).start()


def ask_in_vain(url):
    with suppress(OSError):
        urlopen(f"{url}/servers").close()


@mutant("SPAWNER-005", Full)
class BlamesTheUserForTheNetwork(FullSpawner):
    """A cloud that cannot be reached has no room for what the user has chosen."""

    async def create(self):
        try:
            await super().create()
        except OSError as error:
            raise HTTPError(409, "there is no room: choose a smaller size") from error


@mutant("SPAWNER-006", Full)
class LeavesWhatItCannotDescribe(FullSpawner):
    """An error while it waits for the address is the end of it, and not of the machine."""

    lost = False

    async def start(self):
        self.lost = False
        return await super().start()

    async def address(self):
        try:
            return await super().address()
        except HTTPClientError:
            self.lost = True
            raise

    async def undo(self, create):
        if not self.lost:
            await super().undo(create)

    async def poll(self):
        return 1 if self.lost else await super().poll()


@mutant("SPAWNER-008", Full)
class SwallowsWhileItWaits(FullSpawner):
    """Whatever ends the waiting for an address, the last one known will do."""

    async def address(self):
        try:
            return await super().address()
        except asyncio.CancelledError:
            return "http://127.0.0.1:9"


@mutant("SPAWNER-009", Full)
class SleepsBetweenTries(FullSpawner):
    """Waits in the loop before it asks a cloud again that had no time."""

    async def ask(self, method, path, body=None, limit=5):
        try:
            return await super().ask(method, path, body, limit)
        except HTTPClientError as error:
            if error.code == 503:
                time.sleep(0.3 * PATIENCE)
            raise
