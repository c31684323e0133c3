"""Issue credentials: one question at a time for each user and audience, kept while it is good."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from greyhub.auth.credentials.audiences import Audience, allowed
from greyhub.credentials import Credential
from greyhub.errors import CredentialError, CredentialRefused, CredentialUnavailable

T = TypeVar("T")

LIMIT: Final = 20.0
"""Seconds that a request waits for a source; what it then gives is kept for the next one."""

ENDED: Final = (
    "your login has ended\n  fix: log in again on the hub's page; this server goes on meanwhile"
)


class Issuer:
    """Gives users the credentials that the audiences allow them.

    Parameters
    ----------
    audiences : mapping
        What there is, by name.
    log : logging.Logger
        Is told of what a source did wrong, never of what it gave.
    """

    def __init__(self, audiences: Mapping[str, Audience], log: logging.Logger) -> None:
        self.audiences, self.log = audiences, log
        self._kept: dict[Any, Credential] = {}
        self._asked: dict[Any, asyncio.Task[Credential]] = {}

    async def get(self, user: Any, name: str) -> Credential:
        """A credential that is good for half of its time at least, or while a source is away.

        Raises
        ------
        greyhub.errors.CredentialError
            There is none: says why, and what to do.
        """
        audience = allowed(self.audiences, user, name)
        state = await user.get_auth_state() or {}
        if "access_token" in state and not state["access_token"]:
            raise CredentialRefused(ENDED)
        # Whoever logs in anew, or has the name after somebody else, has other credentials.
        login = (state.get("issuer"), state.get("subject"), state.get("login_at"))
        key = (user.id, user.name, str(user.created), *login, name)
        kept = self._kept.get(key)
        if kept is not None and kept.is_fresh:
            return kept
        try:
            return await self._issued(key, audience, user, state)
        except CredentialUnavailable:
            if kept is not None and kept.is_good:
                return kept
            raise

    async def _issued(
        self, key: Any, audience: Audience, user: Any, state: Mapping[str, Any]
    ) -> Credential:
        """What the source gives; it is asked once for all who wait, and goes on without them."""
        task = self._asked.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key, audience, user, state))
            self._asked[key] = task
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        return await in_time(task, f"the credential for {key[-1]!r} does not come in time")

    async def _ask(
        self, key: Any, audience: Audience, user: Any, state: Mapping[str, Any]
    ) -> Credential:
        name = key[-1]
        try:
            given = await audience.source.issue(user, state, name)
        except CredentialError:
            raise
        except Exception as error:
            # Its message may hold what it was given.
            self.log.error(
                "greyhub: the source of credentials for %s fails with %s at %s",
                name,
                type(error).__name__,
                _place(error),
            )
            raise CredentialUnavailable(
                f"the credential for {name!r} cannot be made\n"
                "  fix: tell the hub's administrator, whose log says more"
            ) from None
        self._kept = {each: one for each, one in self._kept.items() if one.is_good}
        self._kept[key] = given
        return given


async def in_time(task: asyncio.Task[T], late: str) -> T:
    """What a task returns, if it does so in time; it goes on in any case.

    Raises
    ------
    greyhub.errors.CredentialUnavailable
        It does not; ``late`` says so.
    """
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.wait({task}, timeout=LIMIT)
    if not task.done():
        raise CredentialUnavailable(f"{late}\n  fix: try again in a moment")
    return task.result()


def _place(error: BaseException) -> str:
    """The line of the code where an error came from."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
