"""A provider that speaks Entra's dialect of OpenID Connect: the v2.0 endpoints, and Graph.

Issuers with a directory's id, ``oid``, ``tid`` and a ``sub`` for each client, scopes of one
resource, errors with codes, groups by id, and more of them than a token holds.
"""

from __future__ import annotations

from typing import Any

from greyhub.conformance.testkit.provider import endpoints
from greyhub.conformance.testkit.provider.endpoints import Reply, give
from greyhub.conformance.testkit.provider.entra_accounts import PERSONAL, EntraAccounts, object_id
from greyhub.conformance.testkit.provider.entra_tokens import token
from greyhub.conformance.testkit.provider.provider import Provider
from greyhub.conformance.testkit.provider.records import Seen

WORDS = ("organizations", "common", "consumers")
"""What stands for several directories in an address."""


class EntraProvider(EntraAccounts, Provider):
    """The provider, served in a thread of its own; takes what `Provider` takes."""

    async def answer(self, seen: Seen) -> Reply:
        """The reply to a request."""
        directory, _, rest = seen.path.lstrip("/").partition("/")
        if directory in self.directories or directory in WORDS:
            known = {
                "v2.0/.well-known/openid-configuration": lambda: self._discovery(directory),
                "discovery/v2.0/keys": lambda: self._keys(directory),
                "oauth2/v2.0/authorize": lambda: endpoints.authorize(self, seen),
                "oauth2/v2.0/token": lambda: token(self, seen),
                "oauth2/v2.0/logout": lambda: endpoints.logout(self, seen),
            }
            return known[rest]() if rest in known else Reply(404)
        if directory == "v1.0":
            return self._graph(seen)
        if seen.endpoint == "discovery":
            return give({"error": "invalid_tenant", "error_codes": [90002]}, 400)
        return endpoints.api(self, seen)

    def _issuer(self, directory: str) -> str:
        own = PERSONAL if directory == "consumers" else directory
        return f"{self.url}/{'{tenantid}' if own in WORDS else own}/v2.0"

    def _discovery(self, directory: str) -> Reply:
        url = f"{self.url}/{directory}"
        return give(
            {
                "issuer": self._issuer(directory),
                "authorization_endpoint": f"{url}/oauth2/v2.0/authorize",
                "token_endpoint": f"{url}/oauth2/v2.0/token",
                "jwks_uri": f"{url}/discovery/v2.0/keys",
                "end_session_endpoint": f"{url}/oauth2/v2.0/logout",
                "userinfo_endpoint": f"{self.url}/oidc/userinfo",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    def _keys(self, directory: str) -> Reply:
        key = self.key.public()
        if self.key_directory:
            key["issuer"] = f"{self.url}/{self.key_directory}/v2.0"
        return give({"keys": [key]})

    def _graph(self, seen: Seen) -> Reply:
        """Graph, as far as a hub asks it."""
        if self.busy:
            return Reply(429, headers={"Retry-After": self.busy.pop()})
        if seen.path.startswith("/v1.0/applications"):
            found = self.registration
            return give(found) if found is not None else _denied()
        person = endpoints.person_of(self, seen)
        if person is None:
            return give({"error": {"code": "InvalidAuthenticationToken"}}, 401)
        if self.graph_refuses or seen.path != "/v1.0/me/transitiveMemberOf":
            return _denied()
        groups = [object_id(each) for each in person.groups]
        start, page = int(seen.query.get("$skiptoken", 0)), endpoints.PAGE
        kind = "@odata.type"
        listed: list[dict[str, Any]] = [
            {kind: "#microsoft.graph.group", "id": each} for each in groups[start : start + page]
        ]
        said: dict[str, Any] = {"value": listed}
        if not start:  # roles of the directory are among what somebody is a member of
            listed.append({kind: "#microsoft.graph.directoryRole", "id": object_id("a role")})
        if len(groups) > start + page:
            said["@odata.nextLink"] = f"{self.url}{seen.path}?$skiptoken={start + page}"
        return give(said)


def _denied() -> Reply:
    return give({"error": {"code": "Authorization_RequestDenied"}}, 403)
