"""The errors of a server that could not be started, or not be ended."""

from __future__ import annotations

from tornado.web import HTTPError


class ServerFailed(Exception):
    """The server could not be started, or not be ended; JupyterHub shows the message.

    Parameters
    ----------
    message : str
        For the user.
    kind : str
        Why, in a word by which failures are counted.
    """

    def __init__(self, message: str, *, kind: str = "failed") -> None:
        super().__init__(message)
        self.kind = kind
        self.jupyterhub_message = message


class ServerRefused(HTTPError):
    """The server cannot be started as it was asked for: a quota, an image, its size.

    JupyterHub 6 does not count it among the failures after which it ends itself.
    """

    def __init__(  # a copy is made without arguments
        self, message: str = "", status: int = 400, *, kind: str = "refused"
    ) -> None:
        super().__init__(status, message)
        self.kind = kind
        self.jupyterhub_message = message

    def __str__(self) -> str:
        return self.jupyterhub_message
