"""The spawner slot: any `jupyterhub.spawner.Spawner`.

The slot's base adapts every Spawner class as it is: by class, by import string
or by its name in JupyterHub's own entry points. Subclass it only where the
hub must be told more than the class.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Enum

from greyhub.adapter import Adapter, Contribution
from greyhub.imports import points

_tasks: set[asyncio.Task[None]] = set()
"""What is going on: a loop holds no task of its own."""


class SpawnerAdapter(Adapter):
    """Fills the slot with a JupyterHub Spawner class."""

    slot = "spawner"

    orphans = Enum(
        ["end", "keep"],
        "end",
        help="What becomes of servers of this hub that it does not know, when it has started: "
        "JupyterHub forgets a server that it could not stop, and all of them with a lost "
        "database. ``keep``: they run on. Homes stay in either case.",
    ).tag(config=True)

    spawner_class = AnyTrait(help="The Spawner class; its options are set on its own section.")

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """A Spawner class, or its name among the ``jupyterhub.spawners``."""
        from jupyterhub.spawner import Spawner

        if isinstance(value, str):
            installed = points("jupyterhub.spawners").select(name=value)
            return {"spawner_class": next(iter(installed)).load()} if installed else None
        if isinstance(value, type) and issubclass(value, Spawner):
            return {"spawner_class": value}
        return None

    def load_class(self) -> type:
        """The Spawner class that the hub will use."""
        chosen: type = self.spawner_class
        return chosen

    def contribute(self) -> Contribution:
        """The Spawner class; servers outlive the hub."""
        return Contribution(
            config={"JupyterHub": {"spawner_class": self.load_class(), "cleanup_servers": False}}
        )

    def hub_starts(self, app: Any) -> None:
        """The hub starts: end, as `orphans` says, what it does not know once it has started."""
        from greyhub.spawners.orphans import end_orphans

        if self.orphans != "end":
            return
        with suppress(RuntimeError):  # there is no loop where the hub only shows its options
            task = asyncio.get_running_loop().create_task(end_orphans(app))
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Who the server belongs to."""
        return {"user": spawner.user.name, "server": spawner.name}

    def label(self) -> str:
        """The name of the Spawner class."""
        return self.load_class().__name__
