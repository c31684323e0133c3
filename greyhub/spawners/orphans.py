"""Orphans: servers that run in the backend, and that the hub has forgotten.

JupyterHub forgets a server whose stop has failed, and all of them where its database
is lost. A Spawner class that has ``list_orphans(known)`` and ``reap(known)``, both
coroutines, finds and ends them: they are called when the hub has started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from itertools import chain, repeat
from typing import Any, Final

from greyhub.hub_database import SERVERS, Server

PAUSES: Final = (5.0, 15.0, 60.0)
"""Seconds between two attempts, of which the last stays."""


class KnownServers(Collection[Server]):
    """The servers that a running hub knows, at the moment of each question.

    Parameters
    ----------
    app : jupyterhub.app.JupyterHub
        The hub.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    def __iter__(self) -> Iterator[Server]:
        from sqlalchemy import text

        found = {(str(user), str(name)) for user, name in self.app.db.execute(text(SERVERS))}
        found |= {
            (user.name, spawner.name)
            for user in self.app.users.values()
            for spawner in user.spawners.values()
            if spawner.active or spawner.pending
        }
        return iter(found)

    def __contains__(self, server: object) -> bool:
        return server in set(self)

    def __len__(self) -> int:
        return len(set(self))


async def end_orphans(app: Any) -> None:
    """When the hub has started, end the servers that it does not know.

    It goes on until there is a user and the backend has answered. Whether a server is
    known is asked as it is about to be ended: one that is started meanwhile is.
    """
    await asyncio.shield(app._start_future)
    if not hasattr(app.spawner_class, "reap"):
        return
    for pause in chain(PAUSES, repeat(PAUSES[-1])):
        if spawner := _any_spawner(app):
            try:
                ended = await spawner.reap(KnownServers(app))
            except Exception as error:
                app.log.warning("greyhub: whether servers are left is not known: %r", error)
            else:
                for name in ended:
                    app.log.warning("greyhub: ended a server that the hub did not know: %s", name)
                return
        await asyncio.sleep(pause)


def _any_spawner(app: Any) -> Any:
    """A spawner of any user: it answers for the whole hub; None where there is no user."""
    from jupyterhub import orm

    for user in app.users.values():
        for spawner in user.spawners.values():
            return spawner
    found = app.db.query(orm.User).first()
    return app.users[found].spawner if found is not None else None
