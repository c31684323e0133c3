"""The hooks that greyhub runs around the start and the stop of every server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from greyhub.adapter import Adapter
from greyhub.errors import GreyHubError
from greyhub.imports import import_string
from greyhub.spawners.profile_choice import ProfileChoice
from greyhub.ticket import Ticket, variable


class SpawnHooks:
    """The two hooks that a composed hub runs for each server."""

    def __init__(
        self, adapters: Mapping[str, Adapter], profiles: ProfileChoice | None = None
    ) -> None:
        self.adapters, self.profiles = adapters, profiles

    async def prepare(self, spawner: Any) -> None:
        """Before the start: the profile, and a ticket for each slot in the environment."""
        if self.profiles:
            self.profiles.apply(spawner)
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
        """After the stop: no token of the server is left."""
        self._revoke(spawner)

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
