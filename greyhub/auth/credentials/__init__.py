"""Credentials for servers: what a source of them must do.

``c.AuthAdapter.audiences`` names, by audience, a source and its options. Sources are the
entry points ``greyhub.credentials``: a class, made once for each audience with those options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from greyhub.credentials import Credential


class CredentialSource(Protocol):
    """Gives credentials for audiences that an administrator has named."""

    authenticator: str = ""
    """The name of the Authenticator class that it needs; any, if it is empty."""

    async def issue(self, user: Any, auth_state: Mapping[str, Any], audience: str) -> Credential:
        """A credential of a user's, as short-lived as is of use.

        It is awaited in the hub's loop, which it must not block, and is not cancelled.

        Parameters
        ----------
        user : jupyterhub.user.User
            Whose it is; the hub has confirmed the login within ``auth_refresh_age``.
        auth_state : mapping
            What the hub keeps of the login; empty if it keeps nothing.
        audience : str
            What it is for.

        Raises
        ------
        greyhub.errors.CredentialRefused
            There is none for this user: the message, with ``fix:``, is shown to them.
        greyhub.errors.CredentialUnavailable
            Who gives them does not answer.
        """
        ...
