"""What is known of a server's compute instance: by Azure ML, by its agent, or by neither."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Final

from jupyterhub.utils import utcnow
from traitlets import Float

from greyhub.azureml import names
from greyhub.azureml.errors import AzureMLError, NotFound, Refused, Unavailable
from greyhub.azureml.resources import SETTLING
from greyhub.azureml.states import GOING, UNKNOWN, failure, state
from greyhub.hub_database import Server
from greyhub.spawners.azureml_instance import InstanceOptions

ENDING: Final = 1800.0
"""Seconds that Azure may take to stop or delete an instance."""


class KnownInstance(InstanceOptions):
    """A server's instance as it is known to the hub."""

    unknown_timeout = Float(
        3600.0,
        min=0.0,
        help="Seconds for which a server counts as running although nothing is known of it: Azure "
        "gives no answer, or the state Unknown, and the server's agent is not heard of. After "
        "them it counts as ended, and its machine is stopped as soon as Azure answers. 0: there "
        "is no such limit.",
    ).tag(config=True)

    _instance = ""
    """The name of the instance, once one was asked for."""
    _address = ""
    """The address that Azure has given it."""
    _saved = True
    """Whether the last server had ended in order: then nothing on the disk is missed."""
    _new = False
    """Whether the instance was made for a server that has not been up yet."""
    _starting = False
    _since: float | None = None
    """When Azure told of the instance last, or this object began to wait for that."""
    _restored = float("-inf")
    """When this hub was told of the instance by an earlier one."""

    @property
    def instance_name(self) -> str:
        """The name of this server's instance: a known one stays, whatever options say now."""
        return self._instance or self.new_name()

    # What a hub that starts again must know.

    def get_state(self) -> dict[str, Any]:
        """With the instance, among what is known of the machine: it outlives the server."""
        kept = super().get_state()
        known = {
            "instance": self._instance,
            "address": self._address,
            "saved": self._saved,
            "new": self._new,
        }
        return {**kept, "machine": {**kept["machine"], **known}}

    def load_state(self, state: dict[str, Any]) -> None:
        """Know the instance again."""
        known = state.get("machine") or {}
        self._instance = str(known.get("instance") or "")
        self._address = str(known.get("address") or "")
        self._saved, self._new = bool(known.get("saved", True)), bool(known.get("new"))
        self._restored = time.monotonic()
        super().load_state(state)

    def offer(self, run: str = "") -> None:
        """Let the agent start the server, which may listen where Azure says the machine is."""
        known = [self._address] if self._address else []
        direct = self.access == "direct"
        self.machine.offer(self._make, (self.server_networks or known) if direct else None, run=run)

    # What Azure tells.

    async def _look(self) -> dict[str, Any] | None:
        """The instance as it is now, by a request of its own; None if there is none."""
        try:
            found = await self.azure.compute(self.instance_name)
        except NotFound:
            return None
        if not names.is_of(found, self.instance_tags):
            raise Refused(
                "name-taken",
                f"the instance {self.instance_name} is another's, by its tags",
                "choose another c.AzureMLSpawner.name_prefix, or delete it if nobody needs it",
            )
        return found

    async def _seen(self) -> Mapping[str, Any] | None:
        """The instance, as the list shows it that all share; None where it cannot be had."""
        with suppress(Unavailable, Refused):
            found = (await self.azure.computes()).get(self._instance.lower())
            return found if found and names.is_of(found, self.instance_tags) else None
        return None

    async def poll(self) -> int | None:
        """None while there is an instance that runs or will.

        Raises
        ------
        greyhub.azureml.errors.AzureMLError
            It is not known: not for longer than `unknown_timeout`.
        """
        if self._starting:
            return None
        if not self._instance:
            return 0
        self._since = self._since or time.monotonic()
        try:
            status = await self._status()
        except AzureMLError as unknown:
            if self._is_lost(unknown):
                return 1
            raise
        self._since = time.monotonic()
        return status

    async def _status(self) -> int | None:
        found = (await self.azure.computes()).get(self._instance.lower())
        if found is None:
            found = await self._look()  # of one that is gone Azure itself must say so
        if found is None or not names.is_of(found, self.instance_tags):
            inherited = self._new and not self.machine.invited_here
            if inherited and time.monotonic() - self._restored < SETTLING:
                raise Unavailable(f"an earlier hub may have asked for {self._instance} just now")
            return self.exit_status or (1 if self.server else 0)
        if failure(found) is not None:
            return None if self._new else 1  # of a start that fails nothing is left
        if state(found) == "Stopped":
            return self.exit_status
        if state(found) == UNKNOWN:
            raise Unavailable(f"Azure ML gives the state {UNKNOWN} of {self._instance}")
        if self.has_agent:
            await self.follow_address()
        elif self.orm_spawner:
            # What is done there does not pass the hub's proxy: to it, nobody would be there.
            self.orm_spawner.last_activity = utcnow(with_tz=False)
        return None

    def _is_lost(self, unknown: AzureMLError) -> bool:
        """Whether nothing was known of the server for too long; then its machine is ended."""
        machine, now = self.machine, time.monotonic()
        heard = machine.seen if machine.seen and not machine.idle else 0.0
        silent = now - max(self._since or now, heard)
        if not self.unknown_timeout or silent < self.unknown_timeout:
            return False
        if not machine.ending.goes_on:
            self.log.error(
                "greyhub: the server %s counts as ended: for %.0f s neither Azure nor its agent "
                "has told of it (%s). Its machine %s is stopped as soon as Azure answers, and "
                "costs until then.\n  fix: see to the connection with Azure, and to the instance "
                "in Azure ML Studio; c.AzureMLSpawner.unknown_timeout says for how long this may "
                "last",
                self._log_name,
                silent,
                unknown.what,
                self._instance,
            )
            machine.ending.begin(self._end_lost)
        return True

    async def _end_lost(self) -> None:
        """Stop the machine of a server that JupyterHub has forgotten, when Azure answers."""
        while True:
            await asyncio.sleep(self.settings.poll_interval)
            try:
                await self._end(now=True)
                return
            except AzureMLError as error:
                self.log.debug("greyhub: %s is not ended yet: %s", self._instance, error)

    async def _end(self, *, now: bool) -> None:
        """A subclass's: end the server and its machine, and wait until it has ended."""
        raise NotImplementedError

    # Instances of this hub that it does not know.

    async def list_orphans(self, known: Collection[Server]) -> list[str]:
        """The names of this hub's instances that run, and whose server it does not know."""
        servers = self._tags_of(known)
        return [
            str(each["name"])
            for each in (await self.azure.computes()).values()
            if names.is_of_hub(each, self.hub_id)
            and state(each) not in GOING
            and not any(names.is_of(each, tags) for tags in servers)
        ]

    def _tags_of(self, known: Collection[Server]) -> list[dict[str, str]]:
        return [names.tags(self.hub_id, *each) for each in known]

    async def reap(self, known: Collection[Server]) -> list[str]:
        """Stop this hub's instances that it does not know, and wait for it; their names.

        Disks stay.
        """
        ended = {}
        for name in await self.list_orphans(known):
            found = await self.azure.compute(name)
            if any(names.is_of(found, tags) for tags in self._tags_of(known)):
                continue  # it was started meanwhile
            end = self.azure.delete if failure(found) else self.azure.stop
            ended[name] = await end(name)
        for operation in ended.values():
            await self.azure.finished(operation, ENDING)
        return list(ended)
