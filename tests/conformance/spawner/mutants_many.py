"""Spawners that mix users, servers, hubs or certificates up: SPAWNER-048 to 059."""

import asyncio
import os
import shutil
from pathlib import Path
from urllib.parse import quote

from greyhub.conformance.mutation import mutant
from tests.conformance.spawner.full import FullSpawner
from tests.conformance.spawner.suites import Full

IN_CLEAR = {
    "declines": {**Full.declines, "internal_ssl": "it speaks http"},
    "claims": Full.claims - {"internal_ssl"},
}


@mutant("SPAWNER-048", Full)
class JoinsNames(FullSpawner):
    """Joins user and server by a letter that both may have."""

    def identity(self, server=None):
        name = self.name if server is None else server
        return f"{self.prefix}-{self.namespace}-{self.user.name}" + (f"-{name}" if name else "")


@mutant("SPAWNER-048", Full)
class CutsNames(FullSpawner):
    """Cuts names that are longer than the cloud takes."""

    def identity(self, server=None):
        name = self.name if server is None else server
        return f"{self.prefix}/{name}/{self.namespace}/{self.user.name}"[:60]


@mutant("SPAWNER-048", Full)
class CleansNames(FullSpawner):
    """Replaces the letters that the cloud does not take, all by the same."""

    def identity(self, server=None):
        name = self.name if server is None else server
        user = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.user.name)
        return f"{self.prefix}/{self.namespace}/{user}/{name}"


def machine_path(name):
    return f"/servers/{quote(name, safe='')}?grace=0"


for cls in (CutsNames.suite.adapter, CleansNames.suite.adapter):
    # Their names hold slashes.
    cls.remove = lambda self, name, grace=0: self.ask_gone(machine_path(name), limit=5)
    cls.volume = lambda self, name=None: quote(f"home {self.identity(name)}", safe="").replace(
        "%", "_"
    )


@mutant("SPAWNER-049", Full, also="SPAWNER-027")
class StopsTheUser(FullSpawner):
    """Ends all machines of the user."""

    async def stop(self, now=False):
        await super().stop(now)
        for name, machine in (await self.machines()).items():
            labels = machine["labels"]
            if (labels["hub"], labels["user"]) == (self.namespace, self.user.name):
                await self.remove(name)


@mutant("SPAWNER-049", Full)
class SharesTheToken(FullSpawner):
    """Gives a named server the token of the user's first."""

    async def start(self):
        first = self.user.spawners.get("")
        if self.name and first is not None and first.api_token:
            self.api_token = first.api_token
        return await super().start()


@mutant("SPAWNER-050", Full)
class SharesTheEnvironment(FullSpawner):
    """Builds every environment in the same place."""

    place = {}

    async def create(self):
        self.place.update(self.environment)
        await self.pause()
        await super().create()

    def get_env(self):
        return {**super().get_env(), **{k: v for k, v in self.place.items() if k in self.shared}}

    shared = ("CONFORMANCE_OF",)


@mutant("SPAWNER-050", Full, also="SPAWNER-049")
class SharesThePrefix(FullSpawner):
    """Keeps the prefix of the server that it starts with the class, not with the server."""

    prefixes = []

    async def create(self):
        self.prefixes.append(self.server.base_url)
        await self.pause()
        await super().create()

    def get_env(self):
        env = super().get_env()
        return {**env, "JUPYTERHUB_SERVICE_PREFIX": self.prefixes[-1]} if self.prefixes else env


@mutant("SPAWNER-051", Full)
class KnowsOneHub(FullSpawner):
    """Names machines by the user and the server alone."""

    def identity(self, server=None):
        namespace, self.namespace = self.namespace, "any"
        try:
            return super().identity(server)
        finally:
            self.namespace = namespace


@mutant("SPAWNER-051", Full)
class StopsByUser(FullSpawner):
    """Ends whatever machine has the user's label."""

    async def stop(self, now=False):
        await super().stop(now)
        for name, machine in (await self.machines()).items():
            labels = machine["labels"]
            if (labels["user"], labels["server"]) == (self.user.name, self.name):
                await self.remove(name)


@mutant("SPAWNER-053", Full)
class ShowsTheKey(FullSpawner):
    """Leaves the key for everybody to read."""

    async def move_certs(self, paths):
        moved = await super().move_certs(paths)
        os.chmod(moved["keyfile"], 0o644)
        return moved


@mutant("SPAWNER-053", Full)
class SharesTheKey(FullSpawner):
    """Puts all of a user's keys in one place."""

    async def move_certs(self, paths):
        folder = Path(self.certificates()) / self.user.name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        moved = {}
        for kind, path in paths.items():
            moved[kind] = shutil.copy(path, folder)
            os.chmod(moved[kind], 0o600)
        return moved


@mutant("SPAWNER-054", Full, **IN_CLEAR)
class SpeaksInClear(FullSpawner):
    """Takes no notice of internal_ssl."""

    def get_env(self):
        env = super().get_env()
        return {**env, "JUPYTERHUB_SERVICE_URL": env["JUPYTERHUB_SERVICE_URL"].replace("s:", ":")}

    def address_of(self, machine):
        return f"http://{machine['address']}:{machine['port']}"


@mutant("SPAWNER-054", Full, **IN_CLEAR)
class BreaksOnTls(FullSpawner):
    """Breaks where internal_ssl is on, and does not say why."""

    async def move_certs(self, paths):
        raise KeyError("getpwnam(): name not found")


@mutant("SPAWNER-055", Full)
class DeletesTheUser(FullSpawner):
    """Deletes the storage of all the user's servers."""

    async def delete_forever(self):
        for name in {"", self.name}:
            await self.ask_gone("/volumes/" + self.volume(name))


@mutant("SPAWNER-055", Full)
class DeletesNothing(FullSpawner):
    """Leaves the storage of a server that was deleted."""

    async def delete_forever(self):
        pass


@mutant("SPAWNER-055", Full)
class DeletesOnce(FullSpawner):
    """Raises where there is nothing left to delete."""

    async def delete_forever(self):
        await self.ask("DELETE", "/volumes/" + self.volume())


@mutant("SPAWNER-056", Full)
class WipesAtStop(FullSpawner):
    """Makes the storage ready for the next when it stops."""

    async def stop(self, now=False):
        await super().stop(now)
        volume = self.volume()
        try:
            await self.ask("POST", "/volumes", {"old": volume, "new": volume, "data": "empty"})
        except Exception:
            self.log.debug("There is no storage")


@mutant("SPAWNER-056", Full, also="SPAWNER-013 SPAWNER-047")
class WipesAtStart(FullSpawner):
    """Makes the storage ready when it starts, also where it is somebody's."""

    async def start(self):
        volume = self.volume()
        try:
            await self.ask("POST", "/volumes", {"old": volume, "new": volume, "data": "empty"})
        except Exception:
            self.log.debug("There is no storage yet")
        return await super().start()


@mutant("SPAWNER-057", Full)
class RenamesNothing(FullSpawner):
    """Takes the new name, and leaves the data under the old one."""

    async def rename(self, old, new):
        pass


@mutant("SPAWNER-057", Full)
class RenamesAway(FullSpawner):
    """Deletes the old storage, and makes a new one."""

    async def rename(self, old, new):
        await self.ask_gone("/volumes/" + self.volume(old))


@mutant("SPAWNER-058", Full)
class LabelsNoRun(FullSpawner):
    """Labels a machine with whose it is, and not with which run."""

    def wanted(self):
        wanted = super().wanted()
        return {**wanted, "labels": {**wanted["labels"], "run": "any"}}


@mutant("SPAWNER-058", Full, also="SPAWNER-059")
class LabelsNoServer(FullSpawner):
    """Does not label a machine with the server's name."""

    def wanted(self):
        wanted = super().wanted()
        labels = {k: v for k, v in wanted["labels"].items() if k != "server"}
        return {**wanted, "labels": labels}

    async def list_orphans(self, known):
        users = {user for user, _ in known}
        mine = [each for each in (await self.machines()).values() if self.is_mine(each["labels"])]
        return [each["name"] for each in mine if each["labels"]["user"] not in users]


@mutant("SPAWNER-059", Full)
class FindsTheForeign(FullSpawner):
    """Takes the machines of other hubs for its own."""

    def is_mine(self, labels):
        return True


@mutant("SPAWNER-059", Full)
class ReapsAll(FullSpawner):
    """Removes all of the hub's machines."""

    async def reap(self, known):
        await super().reap(())


@mutant("SPAWNER-048", Full)
class PollsByCleanNames(FullSpawner):
    """Finds no machine of a user whose name it has to write differently."""

    async def poll(self):
        status = await super().poll()
        odd = not self.user.name.isascii()
        return 0 if status is None and odd and not self._starting else status


@mutant("SPAWNER-048", Full)
class StopsByCleanNames(FullSpawner):
    """Ends the machine of a user as if their name were all plain letters."""

    async def stop(self, now=False):
        if self.user.name.isascii():
            await super().stop(now)
        else:
            await self.ask_gone(f"/servers/{quote(self.user.name)}")


@mutant("SPAWNER-049", Full, also="SPAWNER-048")
class PollsTheUser(FullSpawner):
    """A server runs if one of its user's does."""

    async def poll(self):
        status = await super().poll()
        if type(status) is int and self.server is None:
            for each in (await self.machines()).values():
                if each["status"] is None and each["labels"]["user"] == self.user.name:
                    return None if self.is_mine(each["labels"]) else status
        return status


@mutant("SPAWNER-050", Full, also="SPAWNER-049")
class SharesTheAddress(FullSpawner):
    """Keeps the address of the machine that it starts with the class, not with the server."""

    latest = {}

    async def start(self):
        url = await super().start()
        self.latest[self.url] = url
        await asyncio.sleep(0.05)
        return self.latest[self.url]


@mutant("SPAWNER-055", Full)
class DeletesTheNamed(FullSpawner):
    """With a user's first server it deletes the storage of all others."""

    async def delete_forever(self):
        await super().delete_forever()
        for name in [] if self.name else self.user.orm_user.orm_spawners:
            await self.ask_gone("/volumes/" + self.volume(name))


@mutant("SPAWNER-059", Full)
class KnowsUsersOnly(FullSpawner):
    """What belongs to a user with a server is not lost."""

    async def list_orphans(self, known):
        users = {user for user, _ in known}
        found = await self.machines()
        lost = await super().list_orphans(known)
        return [name for name in lost if found[name]["labels"]["user"] not in users]


@mutant("SPAWNER-059", Full)
class LabelsCleanNames(FullSpawner):
    """Compares the names of users with labels, which may not hold them as they are."""

    def wanted(self):
        found = super().wanted()
        user = found["labels"]["user"].replace("@", "-40").replace(".", "-2e")
        return {**found, "labels": {**found["labels"], "user": user}}
