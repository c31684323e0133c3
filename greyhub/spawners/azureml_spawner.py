"""The Spawner behind ``c.GreyHub.spawner = "azureml"``: a compute instance for each server.

The instance is found by its name and its tags, so that no hub that was killed leaves one
behind. What the server needs never goes through Azure: see `greyhub.rendezvous`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any, Final

from greyhub.azureml.errors import NotFound, Refused, Unavailable
from greyhub.azureml.states import BEING_DELETED, CHANGING, COMING, GOING, address, failure, state
from greyhub.rendezvous.offers import MachineFailed
from greyhub.spawners.azureml_poll import ENDING, KnownInstance
from greyhub.spawners.azureml_redirect import lab_url, redirects
from greyhub.spawners.failed import ServerFailed, ServerRefused
from greyhub.starts.report import StartReport

Instance = Mapping[str, Any]

RUNNING: Final = ("Running", "JobRunning")

MARGIN: Final = 3.0
"""Seconds before JupyterHub's own time-out, which would say nothing of the reason."""

GRACE: Final = 30.0
"""Seconds in which a server ends by itself, before its machine does."""

WORDS: Final = {
    "": (5, "Azure ML is asked for the machine"),
    "Creating": (20, "Azure ML makes the machine, which takes some minutes"),
    "SettingUp": (40, "Azure ML sets the machine up"),
    "UserSettingUp": (50, "The machine gets its agent"),
    "Starting": (30, "Azure ML starts the machine, which takes a minute or two"),
    "Stopping": (10, "The machine still stops; it is started when it has"),
    "Deleting": (5, "A former machine is still being deleted"),
    "Running": (60, "The machine runs, and its agent gets the server ready"),
    "Unknown": (30, "Azure ML does not know how the machine is"),
}
"""What a state of the instance means to a user who waits, and how far it is."""


class AzureMLSpawner(KnownInstance):
    """A notebook server per user, on a compute instance of its own."""

    _told: tuple[str, ...] = ()
    """The states of the instance that were seen during this start, the last one last."""
    _made = False
    """Whether the instance was made for this start."""
    _began = _ran = 0.0
    """When this start began, and when the instance was first seen to run."""

    async def move_certs(self, paths: dict[str, str]) -> dict[str, str]:
        """Refuse: a certificate is made before the machine has the address that it is for."""
        raise ServerFailed(
            "Servers on compute instances do not speak TLS with the hub's own certificates, which "
            "would be made before their machines have an address.\n  fix: leave out "
            "c.JupyterHub.internal_ssl; where what is between the hub and the machines is not to "
            'be trusted, set c.AzureMLSpawner.access = "tunnel", which goes through TLS'
        )

    # Start.

    async def start(self) -> str:
        """Make or start the instance, and wait until the server listens."""
        self._starting, self._told = True, ("",)
        self._made, self._began, self._ran = False, time.monotonic(), 0.0
        self._warn_of_limits()
        try:
            async with asyncio.timeout(max(self.start_timeout - MARGIN, 1)):
                await self.machine.ending.give_up()
                await self._have_instance()
                where = await self._first(self._ready(), self._broken())
            self._new = False
            return where
        except Refused as error:
            said = f"The server cannot be started: {error}"
            raise ServerRefused(said, kind=error.reason) from error
        except (Unavailable, MachineFailed) as error:
            kind = "azure-away" if isinstance(error, Unavailable) else "machine"
            raise ServerFailed(f"The server cannot be started: {error}", kind=kind) from error
        except TimeoutError:
            raise ServerFailed(
                f"The server did not start in {self.start_timeout} s. "
                f"{WORDS.get(self._told[-1], WORDS[''])[1]}.",
                kind="timeout",
            ) from None
        finally:
            self._starting, self._since = False, None

    def _warn_of_limits(self) -> None:
        limits = " and ".join(name for name in ("mem_limit", "cpu_limit") if getattr(self, name))
        if limits:
            self.log.warning(
                "greyhub: %s cannot be enforced on a compute instance: its size is the limit, "
                "c.AzureMLSpawner.machine_size",
                limits,
            )

    async def _have_instance(self) -> None:
        """There is an instance that runs, or will."""
        self._instance = self.instance_name
        found = await self._usable(await self._look())
        self._saved = False
        if found is None:
            self._new = self._made = True
            nonce = self.machine.invite(float(self.start_timeout))  # so that this is kept
            await self.azure.create_compute(self._instance, await self.instance_body(nonce))
            return
        self._keep()
        if state(found) == "Stopped":
            await self.azure.start(self._instance)

    async def _usable(self, found: dict[str, Any] | None) -> dict[str, Any] | None:
        """The instance, if a server can start on it; None if a new one is to be made."""
        while found is not None and state(found) in ("Stopping", "Deleting", "Restarting"):
            self._note(state(found))
            await asyncio.sleep(self.settings.poll_interval)
            found = await self._look()
        if found is None:
            return None
        machine, failed = self.machine, failure(found)
        if failed is not None and not (self.replace_failed or self._new):
            raise failed
        waits = machine.invitation and machine.until > time.time() and not machine.contested
        keyed = machine.usable or waits or not self.has_agent
        size = (found["properties"].get("properties") or {}).get("vmSize") or self.machine_size
        other = size.lower() != self.machine_size.lower()
        if other and not self._saved:
            raise Refused(
                "size",
                f"the machine of this server is a {size}, and its last server had not ended in "
                "order: what it had not saved is on the disk",
                f"start the server as a {size} once more, and stop it",
            )
        if failed is not None or other or not keyed:
            self.log.warning("greyhub: the instance %s is made anew", self._instance)
            await self._delete()
            return None
        return found

    async def _ready(self) -> str:
        """Where the server listens, once it does."""
        if not self.has_agent:
            return await self._page()
        registered = await self.machine.await_registered()
        found = await self._running()
        self._address = address(found)
        self._require_its_machine(registered.remote)
        self.offer()
        return await self.await_url()

    async def _running(self, has: Callable[[Instance], object] = bool) -> Instance:
        """The instance, once it runs and has what it must."""
        while True:
            found = await self._seen()
            if found is not None and state(found) in RUNNING:
                self._ran = self._ran or time.monotonic()
                if has(found):
                    return found
            await asyncio.sleep(self.settings.poll_interval)

    async def _page(self) -> str:
        """Where the page is that sends on to Azure's own JupyterLab, once that has an address."""
        found = await self._running(lab_url)
        return redirects().add(str(self.server.base_url), lab_url(found))

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

    async def _broken(self, *, came: bool = False) -> str:
        """Raise why the instance does not come up, as soon as Azure says so.

        That it stops counts once it was seen to come: what Azure tells may be of before.
        """
        while True:
            await asyncio.sleep(self.settings.poll_interval)
            found = await self._seen()
            if found is None:
                continue
            self._note(state(found))
            if (why := failure(found)) is not None:
                raise why
            if came and state(found) in GOING:
                raise MachineFailed(f"the machine is {state(found)}, and nobody here has asked")
            came = came or state(found) in COMING

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

    async def url_again(self) -> str:
        """Where the server of an earlier hub listens, once it does."""
        listens = self.await_url() if self.machine.run else self._ready()
        return await self._first(listens, self._broken(came=True))

    def _note(self, now: str) -> None:
        """A state that was seen during this start."""
        if now in RUNNING:
            self._ran = self._ran or time.monotonic()
        if self._told[-1:] != (now,) and now in WORDS:
            self._told = (*self._told, now)

    @property
    def start_report(self) -> StartReport:
        """For how long the instance was made or started, and whether it was made."""
        phases = {"machine": self._ran - self._began} if self._ran else {}
        return StartReport(phases, cold=self._made)

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What the instance does, in words: the same for everybody who asks."""
        told, pending = 0, True
        while pending:
            pending = self._spawn_pending or self._start_pending
            for now in self._told[told:]:
                percent, words = WORDS[now]
                yield {"progress": percent, "message": f"{words}."}
            told = len(self._told)
            await asyncio.sleep(0.2 if pending else 0)

    # Stop.

    async def stop(self, now: bool = False) -> None:
        """End the server and its machine, and wait until Azure says that it has ended."""
        await self._end(now=now)

    async def _end(self, *, now: bool) -> None:
        machine = self.machine
        known = machine.usable or not self.has_agent
        machine.withdraw()
        if self.server and not self.has_agent:
            redirects().drop(str(self.server.base_url))
        found = await self._look() if self._instance else None
        if found is None or state(found) == "Stopped":
            return
        if not now and known and machine.seen and state(found) in RUNNING:
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await machine.await_ended()
                    self._saved = True
        failed = failure(found) is not None
        if self.at_stop == "delete" or not known or (failed and (self._new or self.replace_failed)):
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

    def clear_state(self) -> None:
        """The server has ended; the instance and its disk stay known."""
        super().clear_state()
        self._told = ()

    async def delete_forever(self) -> None:
        """The server is deleted: so are its instance and the disk."""
        await self.machine.ending.give_up()
        self._instance = self.instance_name
        try:
            if await self._look() is not None:
                await self._delete()
        except Refused as error:
            if error.reason != "name-taken":  # then there is none of this server
                raise
        await super().delete_forever()
