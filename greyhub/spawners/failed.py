"""The errors of a server that could not be started, or not be ended."""

from __future__ import annotations

from tornado.web import HTTPError


class ServerFailed(Exception):
    """The server could not be started, or not be ended; JupyterHub shows the message."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.jupyterhub_message = message


class ServerRefused(HTTPError):
    """The server cannot be started as it was asked for: a quota, an image, its size.

    JupyterHub 6 does not count it among the failures after which it ends itself.
    """

    def __init__(self, message: str = "", status: int = 400) -> None:  # as a copy is made
        super().__init__(status, message)
        self.jupyterhub_message = message

    def __str__(self) -> str:
        return self.jupyterhub_message
