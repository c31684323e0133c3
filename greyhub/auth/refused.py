"""End what users still have whose login was refused: a disabled account, a lost group.

JupyterHub asks whether a user may stay when they ask for something, and ends their
sessions. Servers run on, and API tokens go on working. Here everybody who has a server is
asked about, also who is away, and who is refused loses servers, tokens and rights.
Where nothing is known, because the provider does not answer, nothing ends.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, Final

from greyhub.auth.group_rules import drop_rights

AT_ONCE: Final = 10
"""Users who are asked about at one time."""


async def end_refused(app: Any) -> None:
    """As long as the hub runs, ask about users with servers; end what refused ones have.

    Parameters
    ----------
    app : jupyterhub.app.JupyterHub
        The hub. Its authenticator has a coroutine ``login_refused(user)``.
    """
    await asyncio.shield(app._start_future)
    limit = asyncio.Semaphore(AT_ONCE)
    while True:
        users = [user for user in app.users.values() if user.active]
        await asyncio.gather(*(_ask(app, user, limit) for user in users))
        await asyncio.sleep(app.authenticator.auth_refresh_age)


async def _ask(app: Any, user: Any, limit: asyncio.Semaphore) -> None:
    async with limit:
        try:
            if await _confirmed(app, user) or not await app.authenticator.login_refused(user):
                return
            await _end(app, user)
        except Exception as error:
            app.log.warning("greyhub: whether %s may stay is not known: %s", user.name, error)


async def _confirmed(app: Any, user: Any) -> bool:
    """Whether a user may stay; their groups and rights follow, as at a request of theirs."""
    from jupyterhub.handlers.base import BaseHandler
    from tornado.httputil import HTTPServerRequest, RequestStartLine

    connection: Any = SimpleNamespace(set_close_callback=lambda callback: None)
    line = RequestStartLine("GET", app.hub.base_url, "HTTP/1.0")
    request = HTTPServerRequest(start_line=line, connection=connection)
    handler = BaseHandler(app.tornado_application, request)
    handler._jupyterhub_user, handler._token_authenticated = user, False
    return await handler.refresh_auth(user) is not None


async def _end(app: Any, user: Any) -> None:
    """Stop a user's servers, revoke their tokens, and take their rights."""
    app.log.warning("greyhub: the login of %s is refused: their servers are stopped", user.name)
    drop_rights(user, () if app.authenticator.manage_groups else None)
    for name, spawner in list(user.spawners.items()):
        if spawner.pending:
            continue  # until the next look
        if spawner.active:
            await app.proxy.delete_user(user, name)
            await user.stop(name)
    for token in list(user.api_tokens):
        app.db.delete(token)
    app.db.commit()
