"""Retry a store's requests while it is busy, and once with renewed credentials."""

from __future__ import annotations

import errno
import itertools
import math
import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from greyhub.homespace.secret_references import Secrets

T = TypeVar("T")

_FIRST, _LONGEST = 0.1, 5.0


class FileChanged(OSError):
    """A file is no longer in the version that was asked for."""

    def __init__(self, message: str = "the file was changed meanwhile", path: str = "") -> None:
        super().__init__(errno.ESTALE, message, path)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.strerror, self.filename), vars(self)


class Unavailable(OSError):
    """The store is busy, cannot be reached or did not answer: worth asking again.

    Parameters
    ----------
    message : str
        What it answered.
    tries : int, optional
        How often to ask, if the answer may mean that it will never work.
    """

    def __init__(self, message: str, path: str = "", *, tries: float = math.inf) -> None:
        super().__init__(errno.EAGAIN, message, path)
        self.tries = tries

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.strerror, self.filename), vars(self)


class Denied(PermissionError):
    """The store refuses the credentials, or what they may do: worth asking with newer ones."""


class Retry:
    """The manners of a store: patience, credentials that are renewed, clean errors."""

    def __init__(self, secrets: Secrets, patience: float) -> None:
        self.secrets, self.patience = secrets, patience
        self._lock = threading.RLock()
        self._client: Any = None

    def connect(self) -> Any:
        """A new client of the store, with the credentials as they are now."""
        return None

    def disconnect(self, client: Any) -> None:
        """Close what `connect` made. Never raises."""

    @property
    def client(self) -> Any:
        """The client that all calls share, connected at its first use."""
        with self._lock:
            if self._client is None:
                self._client = self.connect()
            return self._client

    def broken(self, client: Any) -> None:
        """An answer of this client was lost."""

    def renew(self, used: Any) -> bool:
        """Give up the client that was ``used``, so that the next call connects anew."""
        with self._lock:
            if used is None:
                return False
            if self._client is used:
                self._client = None
        self.disconnect(used)
        return True

    def understand(self, error: Exception) -> OSError | None:
        """What a client's error says: `Unavailable`, another `OSError`, or None: not known."""
        return error if isinstance(error, OSError) else None

    def ask(
        self,
        path: str,
        call: Callable[[], T],
        *,
        settled: type[OSError] | tuple[type[OSError], ...] = (),
        once: bool = False,
    ) -> T:
        """Call until there is an answer.

        Parameters
        ----------
        path : str
            What the question is about, for the error.
        call : callable
            Asks the client. It may be called again.
        settled : type of OSError
            What a second call raises if the first one had worked and only its
            answer was lost. None is returned then.
        once : bool
            The call must not be repeated after it may have worked.

        Raises
        ------
        OSError
            The store's refusal, or `Unavailable` when patience has run out.
        """
        end = time.monotonic() + self.patience
        pause, lost, renewed = _FIRST, False, False
        for tries in itertools.count(1):
            client = self._client
            try:
                return call()
            except Exception as error:
                found = self.understand(error)
                if found is None:
                    raise
            if lost and settled and isinstance(found, settled):
                return cast("T", None)
            if isinstance(found, Denied) and not renewed and self.renew(client):
                renewed = True
                continue
            wait = pause * random.uniform(0.5, 1.0)  # noqa: S311
            if once or not isinstance(found, Unavailable) or tries >= found.tries:
                raise self.told(found, path)
            if time.monotonic() + wait > end:
                raise self.told(found, path)
            lost = True
            self.broken(client)
            pause = min(2 * pause, _LONGEST)
            time.sleep(wait)
        raise AssertionError("unreachable")

    def told(self, found: OSError, path: str) -> OSError:
        """An error for the user: about the home's path, with no secret in it."""
        text = self.secrets.hide(str(found.strerror or found) or type(found).__name__)
        if isinstance(found, FileChanged):
            return FileChanged(text, path)
        if isinstance(found, Unavailable):
            return Unavailable(text, path)
        return OSError(found.errno or errno.EIO, text, path)


def refusal(number: int, path: str, text: str = "") -> OSError:
    """The `OSError` of an error number, about a path."""
    return OSError(number, text or os.strerror(number), path)
