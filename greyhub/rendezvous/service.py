"""The hub's answers to agents, whatever serves them."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from weakref import WeakKeyDictionary

from greyhub.rendezvous.challenges import Challenges
from greyhub.rendezvous.limits import Limit
from greyhub.rendezvous.machines import Machine
from greyhub.rendezvous.offers import Refused, Registration
from greyhub.rendezvous.protocol import BadMessage, PublicKeys, Request, hashed, parse
from greyhub.rendezvous.tunnel.control import Tunnels

HOLD = 20.0
"""Seconds for which an answer may wait for news, so that an agent hears of them at once."""


@dataclass(frozen=True)
class Answer:
    """What is sent back: an HTTP status, and a JSON object."""

    status: int
    fields: Mapping[str, Any]


class Rendezvous:
    """All machines of a hub.

    Parameters
    ----------
    hold : float
        Seconds for which an answer may wait.
    log : logging.Logger, optional
        Where the administrator reads of attacks.
    """

    def __init__(self, hold: float = HOLD, log: logging.Logger | None = None) -> None:
        self.hold = hold
        self.log = log or logging.getLogger("greyhub.rendezvous")
        self.machines: dict[tuple[str, str], Machine] = {}
        self.strangers = Limit(60, 60)
        """Requests of an address that no agent of ours has signed."""
        self.agents = Limit(120, 60)
        """Requests of an agent."""
        self.tunnels: Tunnels | None = None
        """The process of the tunnels, where there is one."""
        self._challenges = Challenges()
        self._keys: dict[str, Machine] = {}
        """Machines by the signing keys of their agents, as far as these were looked up."""

    def machine(self, user: str, server: str) -> Machine:
        """The record of a server's machine; a new one where there is none."""
        return self.machines.setdefault((user, server), Machine(user, server))

    def forget(self, user: str, server: str) -> None:
        """The server is deleted: whoever has its keys is a stranger."""
        if machine := self.machines.pop((user, server), None):
            machine.forget()

    async def answer(self, what: str, raw: bytes, remote: str) -> Answer:
        """Answer a request.

        Parameters
        ----------
        what : str
            One of `greyhub.rendezvous.protocol.SCHEMAS`.
        raw : bytes
            Its body.
        remote : str
            The address that it came from.
        """
        try:
            request = parse(what, raw)
        except BadMessage as error:
            return self._stranger(remote, 400, str(error))
        machine = self._sender(request)
        if machine is None:
            return self._stranger(remote, 403, f"{what}: this hub knows neither key nor nonce")
        if not request.is_signed():
            return self._stranger(remote, 403, f"{what}: the signature is wrong")
        if not self.agents.take(request.key):
            return Answer(429, {"error": "too many requests"})
        challenge = self._challenges.make(request.key)
        if not self._challenges.use(request.key, request.fields["challenge"]):
            return Answer(401, {"error": "another challenge, please", "challenge": challenge})
        try:
            fields = await getattr(self, f"_{what}")(machine, request, remote)
        except Refused as refused:
            self.log.error(
                "greyhub: refused an agent for the server %s, from %s: %s. If no administrator did "
                "this, it is an attack.",
                machine.name,
                remote,
                refused,
            )
            return Answer(409, {"error": str(refused), "challenge": challenge})
        except Exception:
            self.log.exception("greyhub: cannot say what the server %s needs", machine.name)
            return Answer(503, {"error": "the hub cannot answer now", "challenge": challenge})
        return Answer(200, {**fields, "challenge": challenge})

    def _sender(self, request: Request) -> Machine | None:
        """Whose key or nonce it is."""
        found = self._by_nonce(request) if request.what == "register" else None
        machine = self._by_key(request.key)
        if machine is None:
            return found
        return machine if request.what != "register" or found is machine else None

    def _by_key(self, key: str) -> Machine | None:
        found = self._keys.get(key)
        if found is None or found.keys is None or found.keys.signing != key:
            every = self.machines.values()
            self._keys = {each.keys.signing: each for each in every if each.keys}
            found = self._keys.get(key)
        return found

    def _by_nonce(self, request: Request) -> Machine | None:
        shown = hashed(request.fields["nonce"])
        for machine in self.machines.values():
            if machine.invitation and hmac.compare_digest(machine.invitation, shown):
                return machine
        return None

    def _stranger(self, remote: str, status: int, why: str) -> Answer:
        if not self.strangers.take(remote):
            return Answer(429, {"error": "too many requests"})
        self.log.warning("greyhub: refused a request to the rendezvous, from %s: %s", remote, why)
        return Answer(status, {"error": why})

    async def _register(self, machine: Machine, request: Request, remote: str) -> dict[str, Any]:
        keys = PublicKeys(request.key, request.fields["sealing"])
        machine.register(keys, Registration(remote, request.fields["machine"]))
        return {}

    async def _boot(self, machine: Machine, request: Request, remote: str) -> dict[str, Any]:
        fields = request.fields
        hold = self.hold
        found = await machine.boot(fields["after"], fields["status"], fields["log"], hold)
        if found is None or machine.keys is None:
            return {"run": ""}
        run, offer = found
        return {"run": run, "sealed": machine.keys.seal(json.dumps(asdict(offer)).encode(), run)}

    async def _report(self, machine: Machine, request: Request, remote: str) -> dict[str, Any]:
        fields = request.fields
        hold = self.hold if fields["wait"] else 0
        return {
            "goes_on": await machine.report(fields["run"], fields["host"], fields["port"], hold)
        }


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Rendezvous] = WeakKeyDictionary()


def this_hub() -> Rendezvous:
    """The rendezvous of the hub that runs in this event loop."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # a hub that only shows its options
        return Rendezvous()
    if loop not in _hubs:
        _hubs[loop] = Rendezvous()
    return _hubs[loop]
