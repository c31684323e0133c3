"""As much of a hub as an adapter asks for: a stand-in for GreyHub, and one for a spawner."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from traitlets.config import LoggingConfigurable

from greyhub.adapter import Adapter


class FakeHub(LoggingConfigurable):
    """Stands for `greyhub.hub.GreyHub`, whose state is a directory of the test's."""

    directory: Path
    servers_here = False

    @classmethod
    def at(cls, directory: Path) -> FakeHub:
        """One whose configuration and state are in this directory."""
        hub = cls()
        hub.directory = directory
        return hub

    @property
    def state(self) -> Path:
        return self.directory

    @property
    def private(self) -> Path:
        return self.directory / "hub"

    def make_state(self) -> Path:
        self.private.mkdir(exist_ok=True)
        return self.private

    def resolve(self, path: str | Path) -> Path:
        return self.directory / path


def ticket(adapter: Adapter, user: str = "Ada", **spawner: Any) -> dict[str, Any]:
    """The ticket that an adapter gives a user's server."""
    asking = SimpleNamespace(user=SimpleNamespace(name=user), **spawner)
    return dict(asyncio.run(adapter.ticket(asking)))
