"""The hooks that greyhub runs around the start and the stop of every server."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from greyhub.adapter import Adapter
from greyhub.errors import GreyHubError
from greyhub.slots import import_string
from greyhub.ticket import Ticket, variable

PAUSES = (0.5, 2.0, 5.0)
"""Seconds after each further try to stop a server that is still there."""


class SpawnHooks:
    """The two hooks that a composed hub runs for each server."""

    def __init__(self, adapters: Mapping[str, Adapter]) -> None:
        self.adapters = adapters

    async def prepare(self, spawner: Any) -> None:
        """Before the start: one ticket for each slot, in the server's environment."""
        tickets: dict[str, str] = {}
        for slot, adapter in self.adapters.items():
            try:
                data = await adapter.ticket(spawner)
            except GreyHubError as error:
                error.jupyterhub_message = str(error)  # type: ignore[attr-defined]
                raise
            ticket = Ticket(slot, import_string(type(adapter)), data, adapter.label())
            tickets[variable(slot)] = ticket.dumps()
        spawner.environment = {**spawner.environment, **tickets}

    async def finish(self, spawner: Any) -> None:
        """After the stop: the server is gone, and no token of it is left."""
        await self._stop_again(spawner)
        self._revoke(spawner)

    async def _stop_again(self, spawner: Any) -> None:
        """Stop a server that is still there again.

        JupyterHub asks a spawner once, and forgets the server whether that
        failed or not; as this hook runs, the spawner still knows it.
        """
        for pause in PAUSES:
            if await self._has_stopped(spawner):
                return
            spawner.log.warning("greyhub: %s is still there: stopping it again", _name(spawner))
            try:
                await spawner.stop()
            except Exception as error:
                spawner.log.warning("greyhub: %s could not be stopped: %r", _name(spawner), error)
            await asyncio.sleep(pause)
        if not await self._has_stopped(spawner):
            spawner.log.error(
                "greyhub: %s may still run, and JupyterHub forgets it: see to it in the backend",
                _name(spawner),
            )

    async def _has_stopped(self, spawner: Any) -> bool:
        """Whether a server is known to be gone."""
        try:
            return await spawner.poll() is not None
        except Exception as error:
            spawner.log.warning("greyhub: it is not known of %s: %r", _name(spawner), error)
            return False

    def _revoke(self, spawner: Any) -> None:
        """Delete the tokens of a server.

        The hub revokes the token that it holds in memory, which it has lost if it
        was restarted while the server ran. The note that the hub gives each
        server's token finds it again.
        """
        if spawner.will_resume:
            return
        user = spawner.user
        prefix = user.base_url
        note = f"Server at {prefix}{spawner.name}/" if spawner.name else f"Server at {prefix}"
        for token in user.orm_user.api_tokens:
            if token.note == note:
                user.db.delete(token)
        user.db.commit()


def _name(spawner: Any) -> str:
    return f"the server {spawner.user.name}/{spawner.name}".rstrip("/")


def with_deletion(cls: Any, delete_user: Callable[[Any], Awaitable[None]]) -> type:
    """A Spawner class that deletes a user's home with the user.

    JupyterHub tells of a deletion by a method, for which there is no hook. Of a
    user, it is called on every server, the default one among them; of a named
    server, on that one only, and then the home stays: it is the user's.
    """

    class Deleting(cls):  # type: ignore[misc]
        async def delete_forever(self) -> None:
            """What the Spawner itself removes, and then the home."""
            done = super().delete_forever()
            if inspect.isawaitable(done):
                await done
            if not self.name:
                await delete_user(self.user)

    Deleting.__name__ = Deleting.__qualname__ = f"{cls.__name__}WithHome"
    Deleting.__module__, Deleting.__doc__ = cls.__module__, cls.__doc__
    return Deleting
