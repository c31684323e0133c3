"""The agent's life: register once, then run what the hub wants to run, one after the other."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any, Final
from urllib.parse import urlsplit

from greyhub.agent.dialling import Tunnel
from greyhub.agent.hub import PAUSES, Hub, NotAnswered, NotGiven, say
from greyhub.agent.server import Server, log_tail
from greyhub.agent.state import State
from greyhub.errors import GreyHubError

PAUSE: Final = 0.6
"""Seconds between an answer and the next request: within the hub's limit, whatever happens."""


class Agent:
    """The agent of this machine.

    Parameters
    ----------
    state : State
        Its directory.
    """

    def __init__(self, state: State) -> None:
        self.state, settings = state, state.settings
        self.once = False
        """Whether it runs one server, and ends where the hub wants none."""
        self.keys = state.keys()
        self.hub = Hub(
            settings["hub"],
            self.keys,
            settings.get("authorities", ""),
            plain_http=settings.get("plain_http", False),
        )

    def run(self) -> None:
        """Until the process is ended."""
        if not self.state.registered:
            self.register()
        while True:
            server = Server.found(self.state)
            if server:
                say(f"the server of run {server.run} goes on")
            else:
                server = self.boot()
            if server:
                self.attend(server)

    def register(self) -> None:
        """Show the nonce and the public keys.

        Raises
        ------
        greyhub.agent.hub.NotGiven
            The hub refuses, and will for ever.
        """
        machine = {"hostname": socket.gethostname(), "address": self.address()}
        sealing, nonce = self.keys.public.sealing, self.state.settings["nonce"]
        self.hub.insist("register", nonce=nonce, sealing=sealing, machine=machine)
        self.state.note_registered()
        say("registered")

    def boot(self) -> Server | None:
        """Ask what shall run, until there is something, and start it.

        None where it cannot be started; of an agent that runs `once`, also where the hub
        wants nothing to run.
        """
        pauses, told = iter(PAUSES), ""
        while True:
            noted = self.state.run()
            ended = "status" in noted
            try:
                answer = self.hub.insist(
                    "boot",
                    after=noted["run"] if ended else "",
                    status=noted["status"] if ended else 0,
                    log=log_tail(self.state) if ended else "",
                )
            except NotGiven as refused:  # the hub does not know us, or not yet
                if self.once:
                    raise
                if str(refused) != told:
                    told = str(refused)
                    say(told)
                time.sleep(next(pauses, PAUSES[-1]))
                continue
            if answer["run"]:
                break
            if self.once:
                return None
            pauses = iter(PAUSES)
            time.sleep(PAUSE)
        run = answer["run"]
        offer = json.loads(self.keys.open(answer["sealed"], run))
        try:
            server = Server.start(self.state, run, offer)
        except (OSError, KeyError, ValueError) as error:
            say(f"the server cannot be started: {error}")
            self.state.log.write_text(f"The agent cannot start the server: {error}\n")
            self.state.remove_files()
            self.state.note_run(run=run, port=0, status=127)
            return None
        say(f"started the server of run {run}")
        return server

    def attend(self, server: Server) -> None:
        """Watch a server until it has ended, or the hub wants it no more."""
        over, unwanted = threading.Event(), threading.Event()
        listening = server.listens()
        beating = threading.Thread(target=self._beat, args=(server, over, unwanted), daemon=True)
        beating.start()
        tunnel = self._tunnel(server)
        while server.alive():
            if unwanted.wait(0.2):
                say("the hub wants the server to end")
                server.stop()
            elif not listening and server.listens():
                listening = True
                self._tell(server, unwanted)
        over.set()
        if tunnel:
            tunnel.end()
        server.stop()  # what it has left behind
        say(f"the server has ended: {server.ended()}")

    def _tunnel(self, server: Server) -> Tunnel | None:
        if not server.tunnel:
            return None
        if urlsplit(server.tunnel)[:2] != urlsplit(self.hub.url)[:2]:
            raise GreyHubError(f"the hub wants a tunnel to another address: {server.tunnel}")
        tunnel = Tunnel(server.tunnel, self.hub.context, self.keys, server.host, server.port)
        tunnel.start()
        return tunnel

    def _tell(self, server: Server, unwanted: threading.Event) -> None:
        """It listens: at once, not with the next heartbeat."""
        try:
            if not self._report(server, wait=False):
                unwanted.set()
        except NotAnswered:
            return  # a heartbeat will say it
        except NotGiven as refused:
            say(str(refused))
            unwanted.set()

    def _beat(self, server: Server, over: threading.Event, unwanted: threading.Event) -> None:
        """Say again and again that it runs; the hub holds each answer while it has no news."""
        pauses = iter(PAUSES)
        while not over.is_set():
            try:
                if not self._report(server, wait=True):
                    unwanted.set()
                    return
                pauses = iter(PAUSES)
                over.wait(PAUSE)  # the hub itself holds its answers for much longer
            except (NotAnswered, NotGiven) as error:  # the hub is away, or has not loaded all yet
                say(f"{error}")
                if self.once and isinstance(error, NotGiven):
                    unwanted.set()
                    return
                over.wait(next(pauses, PAUSES[-1]))

    def _report(self, server: Server, *, wait: bool) -> bool:
        port = server.port if server.listens() else 0
        answer: dict[str, Any] = self.hub.ask(
            "report", run=server.run, host=self.address(), port=port, wait=wait
        )
        return bool(answer["goes_on"])

    def address(self) -> str:
        """This machine's address, as the way to the hub begins."""
        parts = urlsplit(self.hub.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            family, kind, _, _, where = socket.getaddrinfo(
                parts.hostname, port, type=socket.SOCK_DGRAM
            )[0]
            with socket.socket(family, kind) as probe:
                probe.connect(where)  # sends nothing
                return str(probe.getsockname()[0])
        except OSError:
            return ""
