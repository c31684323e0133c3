"""Spawners that are broken in what they give a server: SPAWNER-034 to 043."""

import hashlib
import os
import uuid

from jupyterhub.spawner import SpawnException
from tornado.httpclient import HTTPClientError
from tornado.web import HTTPError

from greyhub.conformance.mutation import mutant
from tests.conformance.spawner.full import FullSpawner
from tests.conformance.spawner.suites import Full


@mutant("SPAWNER-034", Full)
class TrimsValues(FullSpawner):
    """Trims the values of the environment, as a script that is made of them would."""

    def wanted(self):
        wanted = super().wanted()
        return {**wanted, "env": {name: value.strip() for name, value in wanted["env"].items()}}


@mutant("SPAWNER-035", Full)
class OverridesTheAdministrator(FullSpawner):
    """Sets its own variables after all others."""

    def get_env(self):
        return {**super().get_env(), "JUPYTERHUB_DEFAULT_URL": self.default_url or "/tree"}


@mutant("SPAWNER-035", Full)
class WritesCallables(FullSpawner):
    """Writes a callable as it is, and does not call it."""

    def get_env(self):
        given = {name: value for name, value in self.environment.items() if callable(value)}
        return super().get_env() | {name: repr(value) for name, value in given.items()}


@mutant("SPAWNER-036", Full)
class InheritsAll(FullSpawner):
    """Gives the server all of the hub's environment."""

    def get_env(self):
        return {**os.environ, **super().get_env()}


@mutant("SPAWNER-036", Full)
class InheritsTheCloud(FullSpawner):
    """Gives the server the hub's rights on the cloud."""

    def get_env(self):
        rights = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        return {**rights, **super().get_env()}


@mutant("SPAWNER-037", Full)
class LogsTheEnvironment(FullSpawner):
    """Logs what it asks the cloud for."""

    async def create(self):
        self.log.debug("Asking for %s", self.wanted())
        await super().create()


@mutant("SPAWNER-037", Full)
class LabelsWithTheToken(FullSpawner):
    """Finds its machines by a label that is the token."""

    def wanted(self):
        wanted = super().wanted()
        return {**wanted, "labels": {**wanted["labels"], "token": self.api_token}}


@mutant("SPAWNER-037", Full)
class TellsTheTokenInErrors(FullSpawner):
    """Says in an error what it had asked for."""

    async def address(self):
        try:
            return await super().address()
        except RuntimeError as error:
            raise RuntimeError(f"{error}: {self.wanted()}") from error


@mutant("SPAWNER-038", Full, also="SPAWNER-010")
class JoinsTheCommand(FullSpawner):
    """Makes one line of the arguments, as for a shell."""

    def wanted(self):
        wanted = super().wanted()
        program, *args = wanted["cmd"]
        return {**wanted, "cmd": [program, " ".join(args)]}


@mutant("SPAWNER-039", Full)
class MakesItsOwnToken(FullSpawner):
    """Replaces the hub's token by one of its own."""

    async def start(self):
        self.api_token = uuid.uuid4().hex
        return await super().start()


@mutant("SPAWNER-039", Full)
class WorksTheTokenOut(FullSpawner):
    """Replaces the hub's token by one that can be worked out from the user's name."""

    starts = 0

    async def start(self):
        type(self).starts += 1
        name = f"{self.user.name}/{self.name}/{type(self).starts}"
        self.api_token = hashlib.sha256(name.encode()).hexdigest()[:32]
        return await super().start()


@mutant("SPAWNER-040", Full)
class ForgetsTheLimits(FullSpawner):
    """Does not pass the limits on."""

    def wanted(self):
        return {**super().wanted(), "limits": {}}


@mutant("SPAWNER-042", Full)
class TakesAnyEnvironment(FullSpawner):
    """Adds to the environment what the user sends."""

    def get_env(self):
        return {**super().get_env(), **self.user_options.get("environment", {})}


@mutant("SPAWNER-042", Full)
class TakesAnyOption(FullSpawner):
    """Sets whatever option the user names."""

    async def start(self):
        for name in ("cmd", "args", "notebook_dir", "default_url"):
            if name in self.user_options:
                setattr(self, name, self.user_options[name])
        return await super().start()


@mutant("SPAWNER-043", Full)
class BreaksOnBadOptions(FullSpawner):
    """Lets a wrong option break the start, as if it were its own fault."""

    def check(self):
        try:
            super().check()
        except HTTPError as error:
            raise KeyError(self.user_options["size"]) from error


@mutant("SPAWNER-043", Full)
class ChangesTheOptions(FullSpawner):
    """Fills the user's options in while it starts."""

    async def start(self):
        self.user_options["region"] = "north"
        return await super().start()


@mutant("SPAWNER-043", Full)
class TakesBadOptions(FullSpawner):
    """Takes the nearest size for one that there is not."""

    def check(self):
        try:
            super().check()
        except SpawnException:
            raise
        except HTTPError:
            self.log.warning("there is no such size")


@mutant("SPAWNER-034", Full)
class ShoutsNames(FullSpawner):
    """Writes the names of variables in capitals."""

    def wanted(self):
        found = super().wanted()
        return {**found, "env": {name.upper(): value for name, value in found["env"].items()}}


@mutant("SPAWNER-037", Full)
class LogsWhatFailed(FullSpawner):
    """Logs what it has asked the cloud for, if that has failed."""

    async def create(self):
        try:
            await super().create()
        except HTTPClientError:
            self.log.exception("The cloud did not take %s", self.wanted())
            raise


@mutant("SPAWNER-037", Full)
class ShowsTheTokenInAddresses(FullSpawner):
    """Shows the cloud whose request it is by a parameter, which its log keeps."""

    async def ask(self, method, path, body=None, limit=5):
        mark = "&" if "?" in path else "?"
        return await super().ask(method, f"{path}{mark}as={self.api_token}", body, limit)


@mutant("SPAWNER-042", Full)
class TakesLabels(FullSpawner):
    """Adds the labels that a user wishes, for their own accounts."""

    def wanted(self):
        found = super().wanted()
        wished = self.user_options.get("labels")
        found["labels"].update(wished if isinstance(wished, dict) else {})
        return found
