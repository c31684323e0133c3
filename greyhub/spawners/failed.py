"""The error of a server that could not be started, or not be ended."""


class ServerFailed(Exception):
    """The server could not be started, or not be ended; JupyterHub shows the message."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.jupyterhub_message = message
