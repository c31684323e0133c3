"""Credentials that the hub gives a server: short-lived, each for one audience.

The notebook's half: `HubCredential` asks the hub for a new one before the last has ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from greyhub.errors import CredentialError, CredentialRefused, CredentialUnavailable
from greyhub.hub_api import Answer, NoAnswer, ask, can_ask

PATH: Final = "greyhub/credentials"
"""Where in the hub's API credentials are asked for."""

TOKEN: Final = "token"  # noqa: S105
"""What a token is called among a credential's values."""

TIMEOUT: Final = 60.0
"""Seconds in which the hub answers; it waits for a provider for less."""

PAUSE: Final = 10.0
"""Seconds until an outage is looked at again, while there is a credential that is good."""


@dataclass(frozen=True)
class Credential:
    """One credential: what it consists of, and until when it is good."""

    values: Mapping[str, str] = field(repr=False)
    """``{"token": …}``, or the parts of a key."""

    expires_at: float
    """When it ends, in seconds since 1970."""

    renew_at: float = 0.0
    """When to ask for another; by default, when half of the time that is left is over."""

    def __post_init__(self) -> None:
        if not self.renew_at:
            object.__setattr__(self, "renew_at", (now() + self.expires_at) / 2)

    @classmethod
    def lasting(cls, values: Mapping[str, str], seconds: float) -> Credential:
        """One that is given now, for so many seconds."""
        return cls(values, now() + seconds)

    @property
    def expires_in(self) -> float:
        """Seconds until it ends."""
        return self.expires_at - now()

    @property
    def renew_in(self) -> float:
        """Seconds until another is asked for; not below a pause, where there was an outage."""
        return max(self.renew_at - now(), min(PAUSE, self.expires_in))

    @property
    def is_good(self) -> bool:
        """Whether it has not ended."""
        return now() < self.expires_at

    @property
    def is_fresh(self) -> bool:
        """Whether it is too early to ask for another."""
        return now() < min(self.renew_at, self.expires_at)


def now() -> float:
    """Seconds since 1970."""
    return time.time()


class AccessToken(NamedTuple):
    """What Azure's libraries take for a token."""

    token: str
    expires_on: int


_held: dict[tuple[str, str], Credential] = {}
"""The newest credentials of this process, by user and audience."""

_locks: dict[tuple[str, str], threading.Lock] = {}


class HubCredential:
    """The credential for one audience, which renews itself.

    It may be used from several threads and from coroutines, and be sent to Dask workers: what
    is pickled is the credential of now, which is good for at least half of its whole time.
    A worker has no way to ask the hub for another: the error then says what to do.

    Parameters
    ----------
    user : str
        Whose it is.
    audience : str
        What it is for.
    """

    def __init__(self, user: str, audience: str) -> None:
        self.user, self.audience = user, audience
        self._key = (user, audience)
        self._lock = _locks.setdefault(self._key, threading.Lock())

    def token(self) -> str:
        """The token, good for a while.

        Raises
        ------
        greyhub.errors.CredentialRefused
            This user has none for this audience, or it is no token.
        greyhub.errors.CredentialUnavailable
            The hub, or the provider behind it, does not answer.
        greyhub.errors.CredentialError
            It has ended, and this process cannot ask the hub.
        """
        return self._token_of(self._get())

    async def async_token(self) -> str:
        """The token, for coroutines: the hub is asked in a thread."""
        return self._token_of(await self._async_get())

    def values(self) -> dict[str, str]:
        """All parts of the credential: ``{"token": …}``, or those of a key; raises as `token`."""
        return dict(self._get().values)

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The token, as Azure's asynchronous clients and adlfs ask for it."""
        found = await self._async_get()
        return AccessToken(self._token_of(found), int(found.expires_at))

    async def close(self) -> None:
        """Nothing is to be closed; Azure's clients ask for it."""

    @property
    def expires_at(self) -> float:
        """When the credential ends that `token` gives now, in seconds since 1970."""
        return self._get().expires_at

    def _token_of(self, found: Credential) -> str:
        if TOKEN in found.values:
            return found.values[TOKEN]
        raise CredentialRefused(
            f"the credential for {self.audience!r} is no token: it has {', '.join(found.values)}\n"
            f"  fix: use hub.credential({self.audience!r}).values()"
        )

    def _get(self) -> Credential:
        """The credential that this process has, or a new one."""
        found = _held.get(self._key)
        if found is not None and found.is_fresh:
            return found
        with self._lock:
            found = _held.get(self._key)
            if found is not None and found.is_fresh:
                return found  # another thread has asked
            if not can_ask():
                return self._carried(found)
            try:
                new = _ask(self.audience)
            except CredentialUnavailable:
                if found is None or not found.is_good:
                    raise
                new = Credential(found.values, found.expires_at, now() + PAUSE)
            except CredentialRefused:
                _held.pop(self._key, None)
                raise
            _held[self._key] = new
            return new

    async def _async_get(self) -> Credential:
        found = _held.get(self._key)
        if found is not None and found.is_fresh:
            return found
        return await asyncio.to_thread(self._get)

    def _carried(self, found: Credential | None) -> Credential:
        """What came with a task, in a process that cannot ask."""
        if found is not None and found.is_good:
            return found
        raise CredentialError(
            f"the credential for {self.audience!r} has ended, and this process has none of the "
            "hub's tokens to ask for another\n"
            "  fix: in the notebook, client.run(credential.values) brings a new one to all "
            "workers; do so before the last ends, or submit the tasks in smaller parts"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (self.user, self.audience, self._get())

    def __copy__(self) -> HubCredential:
        return self

    def __deepcopy__(self, memo: Any) -> HubCredential:
        return self

    def __dask_tokenize__(self) -> tuple[str, str, str]:
        # A new token makes no other task.
        return ("greyhub credential", *self._key)

    def __repr__(self) -> str:
        return f"<credential of {self.user} for {self.audience!r}>"


def _arrived(user: str, audience: str, credential: Credential) -> HubCredential:
    """A credential that was pickled; the last to end counts for all of this process."""
    made = HubCredential(user, audience)
    with made._lock:
        held = _held.get(made._key)
        if held is None or held.expires_at < credential.expires_at:
            _held[made._key] = credential
    return made


def hand_over() -> int | None:
    """Put this process's credentials where the program that it becomes can `take_over` them.

    A file in memory, which has no name: its handle, or None if there is nothing.
    """
    good = [
        {"key": key, "values": dict(each.values), "times": [each.expires_at, each.renew_at]}
        for key, each in _held.items()
        if each.is_good
    ]
    if not good:
        return None
    handle = os.memfd_create("greyhub-credentials", 0)  # the next program inherits it
    os.write(handle, json.dumps(good).encode())
    return handle


def take_over(handle: int) -> None:
    """Have the credentials of the program that this process was before."""
    with os.fdopen(handle, "rb") as file:
        file.seek(0)
        for each in json.load(file):
            user, audience = each["key"]
            _held[(user, audience)] = Credential(each["values"], *each["times"])


def _ask(audience: str) -> Credential:
    """Ask the hub for a credential, with the server's own token."""
    try:
        answer = ask(f"{PATH}/{quote(audience, safe='')}", TIMEOUT)
        if answer.status != 200:
            raise _in_words(audience, answer)
        said = answer.body
        values = {str(name): str(value) for name, value in said["values"].items()}
        # As the hub's clock has it: this machine's may be another.
        return Credential(values, now() + said["expires_in"], now() + said["renew_in"])
    except (NoAnswer, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CredentialUnavailable(
            f"the hub does not answer about the credential for {audience!r}: {error}\n"
            "  fix: try again in a moment"
        ) from None


def _in_words(audience: str, answer: Answer) -> CredentialError:
    """The hub's refusal, as it says it."""
    status, message = answer.status, str(answer.body)
    if status == 404:
        return CredentialRefused(
            "this platform gives servers no credentials\n"
            "  fix: its administrator can name some in c.AuthAdapter.audiences"
        )
    if status in (401, 403):
        return CredentialRefused(
            message or f"the hub refuses a credential for {audience!r}: status {status}"
        )
    return CredentialUnavailable(
        message or f"the hub gives no credential for {audience!r}: status {status}"
    )
