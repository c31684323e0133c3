"""A hub whose users log in at the testkit's provider that speaks Entra's dialect."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from greyhub.auth.entra import Entra
from greyhub.auth.openid.entra.authenticator import EntraAuthenticator
from greyhub.conformance.testkit.provider import EntraProvider
from greyhub.conformance.testkit.provider.entra_accounts import OWN, object_id
from greyhub.conformance.testkit.provider.person import DOMAIN
from greyhub.identity.authenticator import identified
from tests.auth.oidc import World, a_world

NAMES = {object_id(name): name for name in ("staff", "wheel", "group-249")}
"""Groups that are hub groups."""


class EntraWorld(World):
    """A provider, and hubs whose users keep their names, as those of a platform do."""

    authenticator = identified(EntraAuthenticator, "entra")
    adapter = Entra

    @property
    def entra(self) -> EntraProvider:
        return cast(EntraProvider, self.provider)

    def own(self) -> dict[str, Any]:
        names = self.provider.names
        return {
            "tenant": OWN,
            "cloud": {"authority": names["authority"], "graph": names["graph"]},
            "client_id": names["client_id"],
            "client_secret": names["client_secret"],
            "username_domain": DOMAIN,
            "group_names": NAMES,
        }


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EntraWorld]:
    """A provider, and hubs whose users log in there."""
    monkeypatch.setenv("JUPYTERHUB_CRYPT_KEY", secrets.token_hex(32))
    with a_world(tmp_path, EntraWorld, EntraProvider) as made:
        yield cast(EntraWorld, made)
