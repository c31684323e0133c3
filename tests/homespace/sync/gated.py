"""A store, as a directory, that gives part of its files only when a gate is open."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from greyhub.homespace.sync.source import Source
from greyhub.homespace.sync.stores.base import Found
from greyhub.homespace.sync.stores.local import LocalStore
from greyhub.homespace.sync.supervisor import Supervisor
from greyhub.ticket import Ticket, variable
from tests.homespace.sync.machines import Machine

ROOT = Path(__file__).parents[3]


class GatedStore(LocalStore):
    """Holds back every file that has ``late`` in its name, until ``open`` is beside the store.

    And every answer to what ``shut`` says, as "get meta/", while that is beside the store;
    ``asked`` is there as soon as somebody waits for one.
    """

    def fetch(self, key: str, tag: str | None, into: BinaryIO, size: int = 0) -> str:
        while "late" in key and not (self.root.parent / "open").exists():
            time.sleep(0.05)
        self._pass(f"get {key}")
        return super().fetch(key, tag, into, size)

    def list(self, prefix: str = "") -> Iterator[Found]:
        self._pass(f"get {prefix}")
        return super().list(prefix)

    def put(self, key: str, source: Source, expect: str | None) -> str:
        self._pass(f"put {key}")
        return super().put(key, source, expect)

    def _pass(self, request: str) -> None:
        shut = self.root.parent / "shut"
        while shut.exists() and request.startswith(shut.read_text()):
            (self.root.parent / "asked").touch()
            time.sleep(0.05)


def open_store(job: Any) -> GatedStore:
    return GatedStore(job.url.removeprefix("file://"))


class GatedSupervisor(Supervisor):
    """Keeps a home on such a store."""

    def _begin(self) -> Any:
        data = {**self.ticket.data, "opener": f"{__name__}:open_store"}
        ticket = replace(self.ticket, data=data)
        self._environ |= {variable("homespace"): ticket.dumps(), "PYTHONPATH": str(ROOT)}
        return super()._begin()


class GatedMachine(Machine):
    """A machine whose server begins before the gate is open."""

    def start(self, *, wait: bool = True) -> Machine:
        self.supervisors.append(GatedSupervisor(Ticket("homespace", "", self.ticket), os.environ))
        if wait:
            self.supervisors[-1].wait()
        return self
