"""An authenticator for JupyterHub: logins by an OAuth2 provider."""

from .authenticator import ToyAuthenticator

__all__ = ["ToyAuthenticator"]
