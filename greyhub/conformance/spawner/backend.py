"""The backend of a spawner as clauses see it: its servers, its faults, the adapter's answers."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import requests

from greyhub.conformance.case import Broken, Case, TimedOut, Unproven
from greyhub.conformance.spawner.suite import Running, SpawnerSuite
from greyhub.conformance.testkit.faults import FaultProxy
from greyhub.conformance.testkit.log_capture import LogCapture
from greyhub.conformance.testkit.recorder import Answer

Call = concurrent.futures.Future[Any]
"""A call into a hub that goes on."""


class BackendCase(Case):
    """The half of a clause's case that needs no hub."""

    suite: SpawnerSuite

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.answers: list[Answer] = []
        self.log = self.enter(LogCapture())

    def alive(self) -> list[Running]:
        """All servers in the backend."""
        return list(self.hook("alive"))

    def volumes(self) -> dict[str, str]:
        """All storage in the backend, with a digest of what each holds."""
        return dict(self.hook("volumes"))

    def fault(self, kind: str, moment: str = "any", **how: Any) -> AbstractContextManager[Any]:
        """Break the backend while a block lasts; see the suite's `fault`."""
        self.did(f"the backend: {kind} ({moment})")
        broken: AbstractContextManager[Any] = self.hook("fault", kind, moment, quietly=True, **how)
        return broken

    def answered(self, name: str) -> bool:
        """Whether a method of the spawner has answered yet."""
        return any(answer.name == name for answer in self.answers)

    @property
    def proxy(self) -> FaultProxy | None:
        """The proxy at the adapter's endpoint, if it has one."""
        return self.suite.proxy if self.suite.endpoint else None

    def until_settled(self, look: Callable[[], list[Running]], number: int) -> list[Running]:
        """What is seen once it is so many, or after two seconds."""
        deadline = time.monotonic() + 2 * self.patience
        while len(found := look()) != number and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def wait_for(self, call: Call, seconds: float, otherwise: str) -> Call:
        """Wait until a call into a hub has ended, or the promise is broken."""
        try:
            concurrent.futures.wait([call], seconds * self.patience)
        except TimedOut as error:
            raise Broken(f"{otherwise} within the time of the clause") from error
        if not call.done():
            raise Broken(f"{otherwise} within {seconds * self.patience:g} s")
        return call

    def can(self, kind: str) -> bool:
        """Whether the backend can have a fault at all."""
        return self.suite.has("fault") and kind in self.suite.faults

    def nothing_left(self, otherwise: str, seconds: float = 5.0, *, stays: float = 0.0) -> None:
        """The promise is broken unless the backend is, or becomes, empty, and stays so."""
        self.until(lambda: not self.alive(), seconds, f"{otherwise}: it was not gone")
        deadline = time.monotonic() + stays * self.patience
        while time.monotonic() < deadline:
            self.require(not self.alive(), f"{otherwise} was gone, and came back")
            time.sleep(0.1)

    def probing(self) -> None:
        """The clause needs a server that misbehaves when told: one of the suite's own."""
        if not self.suite.probe:
            raise Unproven("the servers do not run the suite's own command (probe = False)")

    def get(self, url: str) -> int:
        """The status that an address answers with, asked as the hub would."""
        self.did(f"GET {url}")
        try:
            status = requests.get(url, timeout=5 * self.patience).status_code
        except requests.RequestException as error:
            raise Broken(f"{url} does not answer: {type(error).__name__}") from error
        self.saw(f"status {status}")
        return status

    def answer(self, name: str, number: int = -1) -> Answer:
        """What a method of the spawner answered: by default, the last time it was called."""
        found = [answer for answer in self.answers if answer.name == name]
        self.require(found, f"{name}() was not called, or did not return")
        return found[number]
