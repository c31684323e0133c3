"""Spawners that are broken where one seldom looks: refusals, starts that fail, names that grow."""

import json
import shutil
from pathlib import Path

from jupyterhub.spawner import SpawnException
from tornado.httpclient import HTTPClientError

from examples.spawner.toyspawner.spawner import TRANSIENT
from greyhub.conformance.mutation import mutant
from tests.conformance.spawner.full import FullSpawner
from tests.conformance.spawner.suites import Full


@mutant("SPAWNER-023", Full)
class TakesRefusalForGone(FullSpawner):
    """Takes every 4xx of a removal for a machine that is not there."""

    async def ask_gone(self, path, limit=5):
        try:
            await super().ask_gone(path, limit)
        except HTTPClientError as error:
            if error.code in TRANSIENT:
                raise


@mutant("SPAWNER-022", Full)
class NeverHurries(FullSpawner):
    """Gives a machine its grace also where there is no time for it."""

    async def stop(self, now=False):
        await super().stop(False)


@mutant("SPAWNER-037", Full)
class QuotesTheRequest(FullSpawner):
    """Tells the user of a refusal by the whole request, with the environment in it."""

    async def create(self):
        try:
            await super().create()
        except SpawnException as error:
            told = f"{error.reason}: {json.dumps(self.wanted())}"
            raise SpawnException(told, reason=told, status_code=400) from error


@mutant("SPAWNER-049", Full)
class TakesNoNameForAny(FullSpawner):
    """Chooses machines by labels, and the empty name of the default server chooses them all."""

    async def stop(self, now=False):
        await super().stop(now)
        for each in (await self.machines()).values():
            labels = each["labels"]
            mine = self.is_mine(labels) and labels["user"] == self.user.name
            if mine and self.name in ("", labels["server"]):
                await self.remove(each["name"], 0 if now else self.grace)


@mutant("SPAWNER-053", Full)
class OneFolderForAllUsers(FullSpawner):
    """Keeps certificates by the server's name, which another user's has too."""

    async def move_certs(self, paths):
        folder = Path(self.certificates()) / (self.name or "default")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        moved = {}
        for kind, path in paths.items():
            target = folder / f"{kind}.pem"
            shutil.copy(path, target)
            target.chmod(0o600)
            moved[kind] = str(target)
        return moved


@mutant("SPAWNER-056", Full)
class UndoesTheVolumeToo(FullSpawner):
    """Undoes a start that has failed with all that it uses, the data of earlier ones too."""

    async def undo(self, create):
        await super().undo(create)
        await self.ask_gone("/volumes/" + self.volume())


@mutant("SPAWNER-057", Full)
class RemovesWhatItCouldNotCopy(FullSpawner):
    """Renames by a copy and a removal, and only logs that there is no copy."""

    async def rename(self, old, new):
        try:
            await super().rename(old, new)
        except HTTPClientError as error:
            self.log.warning("not copied: %s", error)
            await self.ask_gone("/volumes/" + self.volume(old))


@mutant("SPAWNER-059", Full)
class TakesWhoBeginsSo(FullSpawner):
    """Takes another hub's machines for its own, whose name begins with its name."""

    def is_mine(self, labels):
        return labels.get("hub", "").startswith(self.namespace)
