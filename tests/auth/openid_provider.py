"""npm's oidc-provider, a certified OpenID provider, for tests with a browser."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from greyhub.conformance.testkit.certificates import Authority
from tests.homespace.filesystem.servers import from_npm, node, running
from tests.support.ports import free_port

SOURCE = Path(__file__).parent / "oidc-provider"
SECRET = "a secret of the hub and its provider"


def command() -> list[str]:
    """How it is started; its packages are brought once."""
    folder = from_npm(SOURCE)
    shutil.copy(SOURCE / "server.mjs", folder)
    return [node(), str(folder / "server.mjs")]


class OpenIDProvider:
    """One provider, whose accounts can be changed while it runs.

    Parameters
    ----------
    directory : Path
        Where its accounts and its log are.
    host : str
        The address of this machine that its users know.
    authority : Authority, optional
        Whose certificate it has, at all addresses; without one, it speaks plain HTTP here.
    """

    def __init__(
        self, directory: Path, *, host: str = "127.0.0.1", authority: Authority | None = None
    ) -> None:
        directory.mkdir(exist_ok=True)
        self.host, self.authority = host, authority
        self.directory, self.port = directory, free_port()
        self.accounts = directory / "accounts.json"
        self.say({})

    @property
    def issuer(self) -> str:
        return f"http{'s' if self.authority else ''}://{self.host}:{self.port}"

    def say(self, accounts: dict[str, Any]) -> None:
        """What it says of whom, by the subject: what people type as their login."""
        there = self.accounts.with_suffix(".new")
        there.write_text(json.dumps(accounts))
        there.replace(self.accounts)

    @contextmanager
    def running(self, hub: str, *, ahead: int = 0, word: str = "") -> Iterator[None]:
        """It runs, with new keys, for the hub at an address; its clock may be ahead by seconds.

        ``word`` is what the hub calls it, where it is one of several.
        """
        client = {
            "client_id": "hub",
            "client_secret": SECRET,
            "redirect_uris": [f"{hub}hub/oauth_callback{f'/{word}' if word else ''}"],
            "post_logout_redirect_uris": [f"{hub}hub/login"],
        }
        settings = {
            "port": self.port,
            "issuer": self.issuer,
            "accounts": str(self.accounts),
            "client": client,
            "ahead": ahead,
        }
        if self.authority:
            files = {"key": self.authority.key, "certificate": self.authority.certificate}
            settings["tls"] = {name: str(path) for name, path in files.items()}
        environ = {**os.environ, "SETTINGS": json.dumps(settings)}
        log = self.directory / "provider.log"
        with running(command(), self.port, log, env=environ):
            yield
