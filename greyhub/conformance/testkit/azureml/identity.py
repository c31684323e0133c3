"""Who may ask: an application and its tokens, as Entra ID and managed identities give them."""

from __future__ import annotations

import base64
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from greyhub.conformance.testkit.azureml.errors import ArmError
from greyhub.conformance.testkit.provider.tokens import Key

ARM = ("https://management.azure.com", "https://management.core.windows.net")
"""Audiences of the resource manager in the public cloud; its own endpoint is one as well."""

ASSERTION_AUDIENCE = "api://AzureADTokenExchange"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def _uuid() -> str:
    return str(uuid.uuid4())


@dataclass
class Application:
    """One application with a service principal, or a managed identity."""

    client_id: str = field(default_factory=_uuid)
    object_id: str = field(default_factory=_uuid)
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))


@dataclass
class Issued:
    """A token that was given out."""

    audience: str
    application: Application
    expires: float
    revoked: bool = False


class Identity:
    """A tenant with one application and one managed identity; the same rights for both.

    Parameters
    ----------
    lifetime : float
        Seconds that a token is good for.
    """

    def __init__(self, lifetime: float = 3600) -> None:
        self.tenant = _uuid()
        self.application, self.managed = Application(), Application()
        self.identity_header = secrets.token_hex(16)
        self.lifetime = lifetime
        self.authority = ""
        self.endpoint = ""
        self.issued: dict[str, Issued] = {}
        self._key, self._cluster = Key(0), Key(1)
        self._assertions: dict[str, float] = {}

    def routes(self) -> list[web.RouteDef]:
        """Where tokens are asked for, and what clients ask before."""
        return [
            web.post("/{tenant}/oauth2/v2.0/token", self._token),
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._metadata),
            web.get("/{tenant}/discovery/v2.0/keys", self._keys),
            web.get("/common/discovery/instance", self._instance),
        ]

    def managed_routes(self) -> list[web.RouteDef]:
        """The endpoints of a managed identity: a virtual machine's, and App Service's."""
        return [
            web.get("/metadata/identity/oauth2/token", self._managed),
            web.get("/msi/token", self._managed),
        ]

    def assertion(self, lifetime: float = 600) -> str:
        """A token of a Kubernetes service account that the application trusts."""
        now = int(time.time())
        claims = {
            "iss": "https://kubernetes.default.svc",
            "sub": "system:serviceaccount:hub:hub",
            "aud": [ASSERTION_AUDIENCE],
            "iat": now,
            "exp": now + int(lifetime),
            "jti": _uuid(),
        }
        signed = self._cluster.sign(claims)
        self._assertions[signed] = time.time() + lifetime
        return signed

    def issue(self, audience: str, application: Application | None = None) -> str:
        """An access token; by default the application's."""
        who, now = application or self.application, int(time.time())
        token = self._key.sign(
            {
                "aud": audience,
                "iss": f"{self.authority}/{self.tenant}/v2.0",
                "tid": self.tenant,
                "appid": who.client_id,
                "oid": who.object_id,
                "sub": who.object_id,
                "idtyp": "app",
                "iat": now,
                "nbf": now,
                "exp": int(now + self.lifetime),
                "uti": secrets.token_urlsafe(12),
            }
        )
        self.issued[token] = Issued(audience, who, time.time() + self.lifetime)
        return token

    def revoke(self) -> None:
        """From now on every token that was given out is refused, with a claims challenge."""
        for each in self.issued.values():
            each.revoked = True

    def bearer(self, authorization: str) -> Application:
        """Who a request to the resource manager is from.

        Raises
        ------
        ArmError
            401, with a challenge, as Azure answers.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise self._challenge(
                "AuthenticationFailed", "Authentication failed. There is no bearer token."
            )
        known = self.issued.get(token)
        if known is None:
            raise self._challenge("InvalidAuthenticationToken", "The access token is invalid.")
        if known.audience.rstrip("/") not in (*ARM, self.endpoint):
            raise self._challenge(
                "InvalidAuthenticationTokenAudience",
                f"The access token is for the audience '{known.audience}', which is not the "
                f"resource manager: '{ARM[0]}/' or '{self.endpoint}/'.",
            )
        if known.expires < time.time():
            raise self._challenge(
                "ExpiredAuthenticationToken", "The access token has expired. Get a new one."
            )
        if known.revoked:
            claims = json.dumps(
                {"access_token": {"nbf": {"essential": True, "value": str(int(time.time()))}}}
            )
            coded = base64.b64encode(claims.encode()).decode()
            raise self._challenge(
                "TokenRevoked",
                "The access token has been revoked.",
                f'error="insufficient_claims", claims="{coded}"',
            )
        return known.application

    def _challenge(self, code: str, message: str, more: str = "") -> ArmError:
        why = more or f'error="invalid_token", error_description="{message}"'
        said = f'Bearer authorization_uri="{self.authority}/{self.tenant}", {why}'
        return ArmError(401, code, message, {"WWW-Authenticate": said})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = {name: str(value) for name, value in form.items()}
        scope = asked.get("scope", "")
        if request.match_info["tenant"] != self.tenant:
            return _refused("invalid_request", 90002, "Tenant not found.")
        if asked.get("grant_type") != "client_credentials":
            return _refused("unsupported_grant_type", 70003, "Only client_credentials is known.")
        if asked.get("client_id") != self.application.client_id:
            return _refused("unauthorized_client", 700016, "The application was not found.")
        if "client_assertion" in asked:
            good = asked.get("client_assertion_type") == ASSERTION
            if not good or self._assertions.get(asked["client_assertion"], 0) < time.time():
                return _refused("invalid_client", 700024, "The client assertion is not valid now.")
        elif not secrets.compare_digest(
            asked.get("client_secret", ""), self.application.client_secret
        ):
            return _refused("invalid_client", 7000215, "The client secret is invalid.")
        if len(scope.split()) != 1 or not scope.endswith("/.default"):
            return _refused(
                "invalid_scope", 70011, f"The scope '{scope}' does not end in /.default."
            )
        return web.json_response(
            {
                "token_type": "Bearer",
                "expires_in": int(self.lifetime),
                "ext_expires_in": int(self.lifetime),
                "access_token": self.issue(scope.removesuffix("/.default")),
            }
        )

    async def _managed(self, request: web.Request) -> web.Response:
        asked = request.headers
        app_service = request.path == "/msi/token"
        if app_service and asked.get("X-IDENTITY-HEADER") != self.identity_header:
            return web.json_response({"statusCode": 401, "message": "wrong header"}, status=401)
        if not app_service and asked.get("Metadata", "").lower() != "true":
            return web.json_response(
                {"error": "invalid_request", "error_description": "Metadata header missing"},
                status=400,
            )
        wanted = request.query.get("client_id")
        if wanted not in (None, self.managed.client_id):
            return web.json_response(
                {"error": "invalid_request", "error_description": "Identity not found"}, status=400
            )
        resource = request.query.get("resource", "")
        return web.json_response(
            {
                "access_token": self.issue(resource, self.managed),
                "client_id": self.managed.client_id,
                "expires_in": str(int(self.lifetime)),
                "expires_on": str(int(time.time() + self.lifetime)),
                "resource": resource,
                "token_type": "Bearer",
            }
        )

    async def _metadata(self, request: web.Request) -> web.Response:
        tenant = request.match_info["tenant"]
        if tenant != self.tenant:
            return _refused("invalid_tenant", 90002, "Tenant not found.")
        base = f"{self.authority}/{tenant}"
        return web.json_response(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            }
        )

    async def _keys(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": [self._key.public()]})

    async def _instance(self, request: web.Request) -> web.Response:
        host = self.authority.removeprefix("https://")
        return web.json_response(
            {
                "tenant_discovery_endpoint": f"{self.authority}/{self.tenant}/v2.0/.well-known/"
                "openid-configuration",
                "api-version": "1.1",
                "metadata": [
                    {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
                ],
            }
        )


def _refused(error: str, number: int, message: str) -> web.Response:
    body: dict[str, Any] = {
        "error": error,
        "error_description": f"AADSTS{number}: {message}",
        "error_codes": [number],
        "trace_id": _uuid(),
        "correlation_id": _uuid(),
    }
    return web.json_response(body, status=401 if error == "invalid_client" else 400)
