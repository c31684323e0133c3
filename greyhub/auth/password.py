"""The Authenticator behind ``c.GreyHub.auth = "local"``."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from traitlets import Bool, Unicode, default

from greyhub.auth.logout import LogoutEverywhere
from greyhub.errors import ConfigError
from greyhub.kept_secret import kept_secret
from greyhub.public_address import is_loopback

LONGEST = 255
"""Characters that a user's name may have in the hub's database."""


class LocalPassword(SharedPasswordAuthenticator):  # type: ignore[misc]
    """One password for everyone, on a hub that only its own machine can reach.

    Set ``user_password``, or let the hub make one, keep it in its state
    directory and say where at the start; a terminal is shown it. As
    ``c.GreyHub.auth = "local"`` sets it up, everyone who knows it may log in
    under any name, unless ``allowed_users`` names them. Users in ``admin_users``
    log in with ``admin_password``, which is made the same way.
    """

    state_dir = Unicode(help="Where the passwords that the hub made are kept.").tag(
        config=True, example="/var/lib/greyhub/hub"
    )

    everyone = Bool(
        help="Whether all who know the password may log in, if allowed_users names nobody."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        self._made: set[str] = set()
        """The files whose passwords are in force."""
        super().__init__(**kwargs)
        url = getattr(self.parent, "bind_url", "http://127.0.0.1")
        host = urlparse(url).hostname or ""
        if not url.startswith("http+unix") and not is_loopback(host):
            raise ConfigError(
                f"LocalPassword works on loopback addresses only, not on {host or url}",
                where="c.JupyterHub.bind_url",
                fix="listen on 127.0.0.1, or choose another c.GreyHub.auth",
            )

    @default("allow_all")
    def _all_unless_named(self) -> bool:
        return self.everyone and not self.allowed_users

    @default("user_password")
    def _make_user_password(self) -> str:
        return self._kept("password", 9)

    @default("admin_password")
    def _make_admin_password(self) -> str | None:
        return self._kept("admin-password", 24) if self.admin_users else None

    async def authenticate(self, handler: Any, data: dict[str, str]) -> Any:
        """Compare the passwords; a name without a bound is not even logged."""
        if len(data["username"]) > LONGEST:
            return None
        return await super().authenticate(handler, data)

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """The login form, and a logout that ends all sessions of the user."""
        # Only a hub that is to serve asks for them: `jupyterhub token` prints no password.
        started = getattr(app, "_start_future", None)
        if started is None:
            self.announce()
        else:
            started.add_done_callback(lambda _: self.announce())
        return [*super().get_handlers(app), ("/logout", LogoutEverywhere)]

    def _kept(self, name: str, size: int) -> str:
        self._made.add(name)
        path = Path(self.state_dir or ".") / name
        return kept_secret(path, partial(secrets.token_urlsafe, size))

    def announce(self) -> None:
        """Say where to log in, with what, and how to stop: the last lines of a hub's start."""
        url = getattr(self.parent, "bind_url", "http://127.0.0.1:8000")
        lines = [f"greyhub: ready at {url}", *self._passwords()]
        stays = not getattr(self.parent, "cleanup_servers", True)
        lines.append("Ctrl+C stops the hub" + ("; servers go on, and are found again" * stays))
        print("\n" + "\n".join(f"    {line}" for line in lines) + "\n", file=sys.stderr, flush=True)

    def _passwords(self) -> Iterator[str]:
        """Who logs in with what, as far as the hub has made that up."""
        whose = {"user_password": ("any name", "password")}
        if self.admin_users:
            whose["admin_password"] = (", ".join(sorted(self.admin_users)), "admin-password")
        # A terminal is shown it. What else is at the other end keeps it: a log, a journal.
        shown = sys.stderr.isatty()
        for trait, (who, name) in whose.items():
            password = getattr(self, trait)
            if name in self._made:
                where = Path(self.state_dir or ".").absolute() / name
                told = f"password: {password}" if shown else f"the password in {where}"
                yield f"Log in as {who} with {told}"
