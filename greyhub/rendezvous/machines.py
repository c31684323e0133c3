"""One server's machine as the hub drives it: invited, registered, started, ready, ended.

A Spawner drives it: `Machine.invite`, `Machine.await_registered`, `Machine.offer`,
`Machine.await_ready`, `Machine.withdraw`. The agent's requests come by `service`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from greyhub.rendezvous.addresses import refused_address
from greyhub.rendezvous.ending import Ending
from greyhub.rendezvous.offers import MachineFailed, Offer, Refused, Registration
from greyhub.rendezvous.protocol import PublicKeys, hashed
from greyhub.rendezvous.records import Record

INVITED: Final = 1800.0
"""Seconds for which an invitation is good, if nothing else is said."""


class Machine(Record):
    """One server's machine; whose it is, and what is known of it, is its record."""

    def __init__(self, user: str, server: str) -> None:
        super().__init__(user, server)
        self.once = False
        """Whether its agent is answered at once, and ends where nothing is to run any more."""

        self.ending = Ending()
        self._making = asyncio.Lock()

    def invite(self, seconds: float = INVITED, nonce: str = "") -> str:
        """A nonce for the script of a new machine. What was known of an earlier one is forgotten.

        Parameters
        ----------
        seconds : float
            How long it may be used: from now until the agent runs.
        nonce : str
            By default, a new one. Otherwise one that is secret, and was for no other machine.
        """
        nonce = nonce or secrets.token_urlsafe(32)
        self._clear()
        self.invitation, self.until = hashed(nonce), time.time() + seconds
        self.invited_here = True
        self._changed()
        return nonce

    async def await_registered(self) -> Registration:
        """Wait until an agent has registered.

        Raises
        ------
        MachineFailed
            None did while the invitation was good, or two did.
        """
        try:
            while not self.keys:
                async with asyncio.timeout(max(0.0, self.until - time.time())):
                    await self._news.next()
        except TimeoutError:
            raise MachineFailed(
                f"the machine of {self.name} was set up, and its agent did not register in time\n"
                "  fix: see the setup script's output and the log of the unit greyhub-agent on "
                "that machine: it must reach the hub, and its install lines must succeed"
            ) from None
        self._require_sound()
        return self.registration or Registration("", {})

    def offer(
        self,
        make: Callable[[], Awaitable[Offer]],
        networks: Sequence[str] | None,
        *,
        run: str = "",
    ) -> None:
        """Let the agent start a server.

        Parameters
        ----------
        make : async callable
            Gives the `Offer`, each time that the machine starts: also again, long after.
        networks : sequence of str
            Where the server may listen, ``10.1.0.0/16``. The agent is the user's, and may
            any address: the hub's proxy would pass requests on to it. None where the hub
            does not connect to what the agent names.
        run : str
            By default, a new run; otherwise one that an earlier hub began.
        """
        self._networks = networks
        self._make = make
        if run:
            self.run = run
            self._news.tell()
            return
        self.run, self.status, self.failure = secrets.token_hex(8), None, ""
        self.host, self.port = "", 0
        self._changed()

    async def await_ready(self) -> tuple[str, int]:
        """Wait until the server listens: its address and its port.

        Raises
        ------
        MachineFailed
            It has ended, or cannot be used.
        """
        while not self.port:
            self._require_sound()
            await self._news.next()
        self._require_sound()
        return self.host, self.port

    def withdraw(self) -> None:
        """Nothing shall run on the machine any more; its keys stay known."""
        self.failure = ""
        if self.run:
            self.run, self.host, self.port = "", "", 0
            self._make = None
            self._changed()

    async def await_ended(self) -> None:
        """Wait until the agent has said that nothing runs, after `withdraw`."""
        while not self.idle:
            await self._news.next()

    def forget(self) -> None:
        """The machine is gone for good: its keys are nobody's."""
        self._clear()
        self._changed()

    def register(self, keys: PublicKeys, registration: Registration) -> None:
        """An agent has shown the nonce: take its keys, if it is the first.

        The script, and so the nonce, can be read by others. Whoever is first is not
        known to be the right one: a second agent, while the invitation is good, shows
        that one of the two is not, and then neither gets anything.

        Raises
        ------
        Refused
            It is not.
        """
        self.seen = time.monotonic()
        late = time.time() > self.until
        if self.keys == keys:
            self._require_trusted()
            return  # the answer was lost
        if self.keys is not None:
            if not late:
                self.contested = True
                self._changed()
            raise Refused("this nonce has been used by another agent")
        if late:
            raise Refused("this nonce came too late")
        self.keys, self.registration = keys, registration
        self._changed()

    def distrust(self, why: str) -> None:
        """The agent is somebody else's, and why: it gets nothing."""
        self.contested, self.suspicion = True, why
        self._changed()

    async def boot(
        self, after: str, status: int, log: str, hold: float
    ) -> tuple[str, Offer] | None:
        """The run that shall start, and what it is; None if there is none within ``hold`` seconds.

        Raises
        ------
        Refused
            This agent is not trusted.
        """
        self.seen, self.idle = time.monotonic(), True
        if after:
            self._end(after, status, log)
        self._news.tell()
        if not self.once:
            await self._news.hold(
                lambda: self.contested or bool(self._make and self.run not in ("", after)), hold
            )
        self._require_trusted()
        make, run = self._make, self.run
        if make is None or run == after or not self._goes_on(run):
            return None
        self.idle = False
        async with self._making:
            offer = await make()
        if self.run != run or self.contested:  # meanwhile
            self.idle = True
            self._news.tell()
            return None
        return run, offer

    async def report(self, run: str, host: str, port: int, hold: float) -> bool:
        """The server runs, and listens if there is a port; whether it shall go on.

        Raises
        ------
        Refused
            The hub may not use that address.
        """
        self.seen, self.idle = time.monotonic(), False
        goes_on = self._goes_on(run)
        if goes_on and port and (host, port) != (self.host, self.port):
            if refusal := refused_address(host, port, self._networks):
                self.failure = refusal
                self._changed()
                raise Refused(refusal)
            self.host, self.port = host, port
            self._changed()
        await self._news.hold(lambda: not self._goes_on(run), hold)
        return self._goes_on(run)

    def _require_trusted(self) -> None:
        if self.contested:
            raise Refused(
                self.suspicion or "two agents have registered for this server: neither is trusted"
            )

    def _goes_on(self, run: str) -> bool:
        return run == self.run and self.status is None and not (self.contested or self.failure)

    def _end(self, run: str, status: int, log: str) -> None:
        if self.run not in ("", run) or self.status is not None:
            return
        self.status = status
        if self.run == run:
            self.failure = f"the server ended with status {status}"
            self.failure += f". The end of its log:\n{log}" if log else ""
        self._changed()

    def _require_sound(self) -> None:
        if self.over:
            raise MachineFailed(self.reason)
