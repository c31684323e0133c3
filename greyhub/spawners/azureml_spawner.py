"""The Spawner behind ``c.GreyHub.spawner = "azureml"``: a compute instance for each server.

The instance is found by its name and its tags, so that no hub that was killed leaves one
behind. What the server needs never goes through Azure: see `greyhub.rendezvous`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any, Final

from greyhub.azureml import names
from greyhub.azureml.errors import NotFound, Refused, Unavailable
from greyhub.azureml.states import BEING_DELETED, CHANGING, GOING, address, failure, state
from greyhub.hub_database import Server
from greyhub.rendezvous.offers import MachineFailed
from greyhub.spawners.azureml_instance import InstanceOptions
from greyhub.spawners.failed import ServerFailed, ServerRefused

RUNNING: Final = ("Running", "JobRunning")

MARGIN: Final = 3.0
"""Seconds before JupyterHub's own time-out, which would say nothing of the reason."""

LOOK: Final = 2.0
"""Seconds between two looks at what a start has come to."""

GRACE: Final = 30.0
"""Seconds in which a server ends by itself, before its machine does."""

ENDING: Final = 1800.0
"""Seconds that Azure may take to stop or delete an instance."""

WORDS: Final = {
    "Creating": (20, "Azure ML makes the machine, which takes some minutes"),
    "SettingUp": (40, "Azure ML sets the machine up"),
    "UserSettingUp": (50, "The machine gets its agent"),
    "Starting": (30, "Azure ML starts the machine, which takes a minute or two"),
    "Stopping": (10, "The machine still stops; it is started when it has"),
    "Deleting": (5, "A former machine is still being deleted"),
    "Running": (60, "The machine runs, and its agent gets the server ready"),
}
"""What a state of the instance means to a user who waits, and how far it is."""


class AzureMLSpawner(InstanceOptions):
    """A notebook server per user, on a compute instance of its own."""

    _instance = ""
    """The name of the instance, once one was asked for."""
    _address = ""
    """The address that Azure has given it."""
    _saved = True
    """Whether the last server had ended in order: then nothing on the disk is missed."""
    _new = False
    """Whether the instance was made for this start, and no server has run on it."""
    _starting = False
    _told = ""
    """What the instance did when it was looked at last, in words."""

    @property
    def instance_name(self) -> str:
        """The name of this server's instance: a known one stays, whatever options say now."""
        return self._instance or self.new_name()

    # What a hub that starts again must know.

    def get_state(self) -> dict[str, Any]:
        """With the instance's name and address."""
        known = {"instance": self._instance, "address": self._address, "saved": self._saved}
        return {**super().get_state(), **known}

    def load_state(self, state: dict[str, Any]) -> None:
        """Know the instance again."""
        self._instance = str(state.get("instance") or "")
        self._address = str(state.get("address") or "")
        self._saved = bool(state.get("saved", True))
        super().load_state(state)

    def offer(self, run: str = "") -> None:
        """Let the agent start the server, which may listen where Azure says the machine is."""
        known = [self._address] if self._address else []
        direct = self.access == "direct"
        self.machine.offer(self._make, (self.server_networks or known) if direct else None, run=run)

    # Start.

    async def start(self) -> str:
        """Make or start the instance, and wait until the server listens."""
        self._starting = True
        try:
            async with asyncio.timeout(max(self.start_timeout - MARGIN, 1)):
                await self._have_instance()
                where: str = await self._first(self._ready(), self._broken())
            self._new = False
            return where
        except Refused as error:
            raise ServerRefused(f"The server cannot be started: {error}") from error
        except (Unavailable, MachineFailed) as error:
            raise ServerFailed(f"The server cannot be started: {error}") from error
        except TimeoutError:
            raise ServerFailed(
                f"The server did not start in {self.start_timeout} s. {self._told}"
            ) from None
        finally:
            self._starting = False

    async def _have_instance(self) -> None:
        """There is an instance that runs, or will."""
        self._instance = self.instance_name
        found = await self._usable(await self._look())
        self._saved = False
        if found is None:
            nonce = self.machine.invite(float(self.start_timeout))
            self._new = True
            await self.azure.create_compute(self._instance, await self.instance_body(nonce))
            return
        self._keep()
        if state(found) == "Stopped":
            await self.azure.start(self._instance)

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

    async def _usable(self, found: dict[str, Any] | None) -> dict[str, Any] | None:
        """The instance, if a server can start on it; None if a new one is to be made."""
        while found is not None and state(found) in ("Stopping", "Deleting", "Restarting"):
            await asyncio.sleep(self.settings.poll_interval)
            found = await self._look()
        if found is None:
            return None
        machine, failed = self.machine, failure(found)
        if failed is not None and not self.replace_failed:
            raise failed
        waits = machine.invitation and machine.until > time.time() and not machine.contested
        size = (found["properties"].get("properties") or {}).get("vmSize") or self.machine_size
        other = size.lower() != self.machine_size.lower()
        if other and not self._saved:
            raise Refused(
                "size",
                f"the machine of this server is a {size}, and its last server had not ended in "
                "order: what it had not saved is on the disk",
                f"start the server as a {size} once more, and stop it",
            )
        if failed is not None or other or not (machine.usable or waits):
            self.log.warning("greyhub: the instance %s is made anew", self._instance)
            await self._delete()
            return None
        return found

    async def _ready(self) -> str:
        """Where the server listens, once it does."""
        registered = await self.machine.await_registered()
        while True:
            found = await self._seen()
            if found is not None and state(found) in RUNNING:
                break
            await asyncio.sleep(self.settings.poll_interval)
        self._address = address(found)
        self._require_its_machine(registered.remote)
        self.offer()
        return await self.await_url()

    def _require_its_machine(self, remote: str) -> None:
        """Refuse an agent that did not ask from where Azure says the machine is."""
        if self.access == "tunnel" or not self._new or not remote:
            return  # it is known by its nonce alone, or by its keys
        places = [*self.server_networks, *([self._address] if self._address else [])]
        if not any(ip_address(remote) in ip_network(each) for each in places):
            self.log.error(
                "greyhub: the agent of %s registered from %s, and its machine is at %s. If "
                "machines do not reach the hub by another address, this is an attack.",
                self.machine.name,
                remote,
                self._address or "no known address",
            )
            self.machine.forget()
            raise MachineFailed(
                f"the agent asked from {remote}, and the machine is at {self._address}\n"
                "  fix: where machines reach the hub by another address, add that one to "
                "c.AzureMLSpawner.server_networks"
            )

    async def _broken(self) -> str:
        """Raise why the instance does not come up, as soon as Azure says so."""
        while True:
            await asyncio.sleep(max(LOOK, self.settings.poll_interval))
            found = await self._seen()
            self._told = f"{WORDS.get(state(found), (0, ''))[1]}." if found else ""
            if found is not None and (why := failure(found)) is not None:
                raise why
            if found is not None and state(found) in GOING:
                raise MachineFailed(f"the machine is {state(found)}, and nobody here has asked")

    async def _seen(self) -> Mapping[str, Any] | None:
        """The instance, as the list shows it that all share; None where it cannot be had."""
        with suppress(Unavailable, Refused):
            found = (await self.azure.computes()).get(self._instance.lower())
            return found if found and names.is_of(found, self.instance_tags) else None
        return None

    async def _first(self, *waits: Any) -> str:
        """What the first of these comes to; the others are ended."""
        tasks = [asyncio.ensure_future(each) for each in waits]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            result: str = done.pop().result()
            return result
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What the instance does, in words."""
        told = ""
        while self.machine.port == 0 or self._start_pending:
            found = await self._seen()
            now = state(found) if found else ""
            if now != told and now in WORDS:
                told, (percent, words) = now, WORDS[now]
                yield {"progress": percent, "message": f"{words}."}
            await asyncio.sleep(LOOK)

    # Poll and stop.

    async def poll(self) -> int | None:
        """None while there is an instance that runs or will, or nobody knows."""
        if self._starting:
            return None
        if not self._instance:
            return 0
        found = (await self.azure.computes()).get(self._instance.lower())
        if found is None:
            found = await self._look()  # of one that is gone Azure itself must say so
        if found is None or not names.is_of(found, self.instance_tags):
            return self.exit_status or (1 if self.server else 0)
        if failure(found) is not None:
            return None if self._new else 1  # of a start that fails nothing is left
        if state(found) == "Stopped":
            return self.exit_status
        await self.follow_address()
        return None

    async def stop(self, now: bool = False) -> None:
        """End the server and its machine, and wait until Azure says that it has ended."""
        machine = self.machine
        known = machine.usable
        machine.withdraw()
        if not now and known and machine.seen:
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await machine.await_ended()
                    self._saved = True
        found = await self._look() if self._instance else None
        if found is None or state(found) == "Stopped":
            return
        if self.at_stop == "delete" or not known or failure(found) is not None:
            await self._delete()
        else:
            await self._stopped(found)

    async def _stopped(self, found: Mapping[str, Any]) -> None:
        until = time.monotonic() + ENDING
        while time.monotonic() < until:
            if state(found) == "Stopped":
                return
            if state(found) not in CHANGING:
                with suppress(NotFound):
                    operation = await self.azure.stop(self._instance)
                    await self.azure.finished(operation, until - time.monotonic())
                    return
            await asyncio.sleep(self.settings.poll_interval)
            again = await self._look()
            if again is None or state(again) in BEING_DELETED:
                return
            found = again
        raise ServerFailed(f"Azure ML does not stop the instance {self._instance}.")

    async def _delete(self) -> None:
        operation = await self.azure.delete(self._instance)
        await self.azure.finished(operation, ENDING)
        self.machine.forget()
        self._address, self._saved, self._new = "", True, False

    async def delete_forever(self) -> None:
        """The server is deleted: so are its instance and the disk."""
        if self._instance and await self._look() is not None:
            await self._delete()
        await super().delete_forever()

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
        """Stop this hub's instances that it does not know; their names. Disks stay."""
        ended = []
        for name in await self.list_orphans(known):
            found = await self.azure.compute(name)
            if any(names.is_of(found, tags) for tags in self._tags_of(known)):
                continue  # it was started meanwhile
            await (self.azure.delete(name) if failure(found) else self.azure.stop(name))
            ended.append(name)
        return ended
