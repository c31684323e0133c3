"""An identity provider of the suite's own: OpenID Connect and OAuth 2, on loopback.

It speaks the authorization code flow with PKCE, discovery, JWKS, userinfo,
refresh with one-time tokens, revocation and logout, and stands in for Entra's
Graph. Told so it lies, fails, hangs, revokes and rotates its keys. `EntraProvider` speaks
Entra's dialect.
"""

from greyhub.conformance.testkit.provider.endpoints import Reply
from greyhub.conformance.testkit.provider.entra import EntraProvider
from greyhub.conformance.testkit.provider.person import Person
from greyhub.conformance.testkit.provider.provider import Provider
from greyhub.conformance.testkit.provider.records import FAULTS, LIES

__all__ = ["FAULTS", "LIES", "EntraProvider", "Person", "Provider", "Reply"]
