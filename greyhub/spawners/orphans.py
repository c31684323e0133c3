"""Orphans: servers that run in the backend, and that the hub has forgotten.

JupyterHub forgets a server whose stop has failed, and all of them where its database
is lost. A Spawner class that has ``list_orphans(known)`` and ``reap(known)``, both
coroutines, finds and ends them: they are called when the hub has started.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Iterator
from itertools import chain, repeat
from typing import Any, Final

Server = tuple[str, str]
"""The names of a user and of a server of theirs; that of the default server is empty."""

PAUSES: Final = (5.0, 15.0, 60.0)
"""Seconds between two attempts, of which the last stays."""

STORED: Final = (
    "SELECT users.name, spawners.name FROM spawners JOIN users ON users.id = spawners.user_id "
    "WHERE spawners.server_id IS NOT NULL"
)
"""The servers that a hub's database tells of."""


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

        found = {(str(user), str(name)) for user, name in self.app.db.execute(text(STORED))}
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


def stored_servers(db_url: str) -> set[Server]:
    """The servers that the database of a hub tells of, whether it runs or not; none without it."""
    from sqlalchemy import create_engine, make_url, text
    from sqlalchemy.exc import SQLAlchemyError

    url = make_url(db_url)
    if url.get_backend_name() == "sqlite" and not os.path.exists(url.database or ""):
        return set()  # to look would make it
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {(str(user), str(name)) for user, name in connection.execute(text(STORED))}
    except SQLAlchemyError:  # there has been no hub yet
        return set()
    finally:
        engine.dispose()


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
