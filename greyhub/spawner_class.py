"""The Spawner class that the hub runs: the adapter's, made to outlast outages of its backend.

JupyterHub takes a poll that raises, while it starts, for a server that has ended, and
forgets it: where the backend was away for a minute, the server runs on and nobody
knows of it. It asks a spawner once to stop, and forgets the server whatever the answer
was. And it tells of a deleted user by a method, for which there is no hook.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from typing import Any, Final

from greyhub.awaitables import awaited
from greyhub.spawners.profile_choice import ProfileChoice
from greyhub.spawners.profile_spawner import ProfileSpawner
from greyhub.starts.report import StartReport
from greyhub.starts.timed_spawner import TimedSpawner

PAUSES: Final = (0.5, 2.0, 5.0, 10.0, 30.0)
"""Seconds between two questions to the backend, of which the last stays."""

TRIES: Final = 4
"""How often a server is stopped of which the backend says that it is still there."""

LONGEST: Final = 1800.0
"""Seconds for which a stop goes on where the backend does not say whether it is."""


class StillThere(Exception):
    """The server could not be stopped, or it is not known whether it is."""


def spawner_class(
    cls: Any,
    delete_user: Callable[[Any], Awaitable[None]] | None = None,
    profiles: ProfileChoice | None = None,
    report_of: Callable[[Any], StartReport] | None = None,
) -> type:
    """A Spawner class for which an unknown answer of its backend is never "gone".

    Parameters
    ----------
    cls : type
        Any `jupyterhub.spawner.Spawner`.
    delete_user : callable, optional
        Is told of a user who is deleted, before JupyterHub forgets them.
    profiles : ProfileChoice, optional
        What users choose between when a server starts.
    report_of : callable, optional
        From a Spawner to what is known of its last start: then starts are measured.
    """
    bases = (
        *((TimedSpawner,) if report_of and not issubclass(cls, TimedSpawner) else ()),
        *((ProfileSpawner,) if profiles else ()),
        cls,
    )

    class PlatformSpawner(*bases):  # type: ignore[misc]
        profile_choice = profiles
        ask_report = staticmethod(report_of) if report_of else None

        async def poll(self) -> int | None:
            """None also where it is not known; while the hub starts, wait until it is.

            Meanwhile JupyterHub says that it checks the server, and starts no second one.
            """
            for pause in chain(PAUSES, repeat(PAUSES[-1])):
                try:
                    status: int | None = await awaited(super().poll())
                    return status
                except Exception as error:
                    self.log.warning(
                        "greyhub: it is not known whether the server %s runs: %r",
                        self._log_name,
                        error,
                    )
                if not self._check_pending:
                    break
                await asyncio.sleep(pause)
            return None

        async def stop(self, now: bool = False) -> None:
            """Stop the server, again while the backend does not say that it is gone."""
            began, tries = time.monotonic(), 0
            for pause in chain(PAUSES, repeat(PAUSES[-1])):
                error: Exception | None = None
                try:
                    await awaited(super().stop(now))
                except Exception as refused:
                    error = refused
                known, tries = True, tries + 1
                try:
                    if await awaited(super().poll()) is not None:
                        return
                except Exception as unknown:
                    known, error = False, error or unknown
                if tries >= TRIES if known else time.monotonic() - began > LONGEST:
                    self.log.error(
                        "greyhub: the server %s may still run, and JupyterHub forgets it: see to "
                        "it in the backend",
                        self._log_name,
                    )
                    raise error or StillThere(f"the server {self._log_name} does not end")
                self.log.warning(
                    "greyhub: the server %s is %s: stopping it again%s",
                    self._log_name,
                    "still there" if known else "perhaps still there",
                    f": {error!r}" if error else "",
                )
                await asyncio.sleep(pause)

        async def delete_forever(self) -> None:
            """What the Spawner itself removes, and then what adapters keep of the user.

            Of a user, it is called on every server, the default one among them; of a
            named server, on that one only, and then the home stays: it is the user's.
            """
            await awaited(super().delete_forever())
            if delete_user is not None and not self.name:
                await delete_user(self.user)

    PlatformSpawner.__name__ = PlatformSpawner.__qualname__ = f"Platform{cls.__name__}"
    PlatformSpawner.__module__, PlatformSpawner.__doc__ = cls.__module__, cls.__doc__
    return PlatformSpawner
