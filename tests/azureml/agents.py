"""Agents of simulated instances behind which there is no machine: threads that ask the hub.

They speak the real protocol. What they start is a small server in a thread.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import Any, Self

from greyhub.agent.hub import Hub, NotAnswered, NotGiven
from greyhub.conformance.spawner.probe import Probe
from greyhub.conformance.testkit.azureml import Simulator
from greyhub.rendezvous.protocol import Keys


class Disk:
    """What outlives a stop and a start of one instance."""

    def __init__(self, script: str) -> None:
        found = re.search(r"^\{.*\}$", base64.b64decode(script).decode(), re.MULTILINE)
        assert found
        self.settings: dict[str, Any] = json.loads(found[0])
        self.keys, self.registered = Keys.make(), False
        self.run, self.port = "", 0
        self.server: Probe | None = None
        self.over: threading.Event | None = None
        """Set when the machine is turned off; None while it is."""

    def turn_off(self) -> None:
        """As its instance stops."""
        if self.over:
            self.over.set()
        self.over = None
        self.end()

    def end(self) -> None:
        """End the server."""
        if self.server:
            self.server.close()
        self.run, self.server, self.port = "", None, 0


class Agents:
    """The agents of all instances that run; a context manager.

    Parameters
    ----------
    azure : Simulator
        Made with ``machine=None``.
    """

    def __init__(self, azure: Simulator) -> None:
        self.azure, self._disks = azure, dict[str, Disk]()
        self._hub, self._lock, self._closed = 0, threading.Lock(), threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(self, *how: object) -> None:
        self._closed.set()
        self._watching.join()
        for disk in self._disks.values():
            disk.turn_off()

    def new_hub(self) -> None:
        """The hub has been killed: who waits for its answer asks the next one."""
        with self._lock:
            self._hub += 1
            for disk in self._disks.values():
                if disk.over:
                    self._let_ask(disk, disk.over)

    def fall_silent(self) -> None:
        """The agents ask nobody any more, and their servers go on; until `new_hub`."""
        with self._lock:
            self._hub += 1

    def servers(self) -> int:
        """How many servers listen."""
        with self._lock:
            return sum(disk.server is not None for disk in self._disks.values())

    def _watch(self) -> None:
        while not self._closed.wait(0.02):
            runs = {}
            for name in self.azure.instances():
                shown = self.azure.shown(name)
                inner = shown["properties"]["properties"] if shown else {}
                on = inner.get("state") in ("Running", "Unknown")  # which is Azure's not knowing
                if on and inner.get("setupScripts"):
                    runs[inner["setupScripts"]["scripts"]["creationScript"]["scriptData"]] = name
            with self._lock:
                for script in runs:
                    disk = self._disks.get(script) or self._disks.setdefault(script, Disk(script))
                    if disk.over is None:
                        disk.over = threading.Event()
                        self._let_ask(disk, disk.over)
                for script, disk in self._disks.items():
                    if script not in runs:
                        disk.turn_off()

    def _let_ask(self, disk: Disk, over: threading.Event) -> None:
        hub = self._hub
        threading.Thread(target=self._live, args=(disk, over, hub), daemon=True).start()

    def _live(self, disk: Disk, over: threading.Event, number: int) -> None:
        hub = Hub(disk.settings["hub"], disk.keys)
        while not over.wait(0.03):
            what, fields = self._next(disk)
            try:
                answer = hub.ask(what, **fields)
            except (NotAnswered, NotGiven):
                answer = None
            with self._lock:
                if over.is_set() or number != self._hub:
                    return  # it is another's by now
                if answer is not None:
                    self._heard(disk, what, answer)

    def _next(self, disk: Disk) -> tuple[str, dict[str, Any]]:
        if not disk.registered:
            nonce, sealing = disk.settings["nonce"], disk.keys.public.sealing
            return "register", {"nonce": nonce, "sealing": sealing, "machine": {}}
        if not disk.run:
            return "boot", {"after": "", "status": 0, "log": ""}
        return "report", {"run": disk.run, "host": "127.0.0.1", "port": disk.port, "wait": False}

    def _heard(self, disk: Disk, what: str, answer: dict[str, Any]) -> None:
        if what == "register":
            disk.registered = True
        elif what == "boot" and answer["run"]:
            offer = json.loads(disk.keys.open(answer["sealed"], answer["run"]))
            disk.run, disk.server = answer["run"], Probe(offer["environment"])
            disk.port = disk.server.listen()
        elif what == "report" and not answer["goes_on"]:
            disk.end()
