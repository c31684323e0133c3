"""The token endpoint of the provider that speaks Entra's dialect."""

from __future__ import annotations

import hmac
import json
import uuid
from typing import Any

from greyhub.conformance.testkit.provider import tokens
from greyhub.conformance.testkit.provider.endpoints import Reply, client, for_audience, give, grant
from greyhub.conformance.testkit.provider.entra_accounts import EntraAccounts
from greyhub.conformance.testkit.provider.records import Seen

OPENID = {"openid", "profile", "email", "offline_access"}
"""Scopes of no resource."""

ERRORS = {
    50057: "invalid_grant",
    50076: "interaction_required",
    50079: "interaction_required",
    50158: "interaction_required",
    53003: "access_denied",
    65001: "consent_required",
    70011: "invalid_scope",
    28000: "invalid_request",
    90002: "invalid_request",
    500011: "invalid_resource",
    700016: "unauthorized_client",
    700027: "invalid_client",
    700213: "invalid_client",
    7000215: "invalid_client",
    7000218: "invalid_client",
    7000222: "invalid_client",
}
"""OAuth's word for a code; for all others it is ``invalid_grant``."""

CHALLENGE = json.dumps({"access_token": {"capolids": {"essential": True, "values": ["a rule"]}}})
"""What a login must ask for where a code is of conditional access."""

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def refuse(code: int) -> Reply:
    """An error in Entra's way; its description holds what nobody else may read."""
    error = ERRORS.get(code, "invalid_grant")
    trace = uuid.uuid4()
    said = {
        "error": error,
        "error_description": f"AADSTS{code}: The account ada@people.example in the directory "
        f"'Secret Laboratory' … Trace ID: {trace}",
        "error_codes": [code],
        "trace_id": str(trace),
    }
    if error == "interaction_required":
        said["claims"] = CHALLENGE
    return give(said, 401 if error == "invalid_client" else 400)


def token(provider: EntraAccounts, seen: Seen) -> Reply:
    """Tokens of one resource, for a code, a refresh token, or the client itself."""
    if wrong := _client(provider, seen):
        return refuse(wrong)
    kind, form = seen.form.get("grant_type"), seen.form
    if any(form.get(each) for each in ("resource", "audience")):
        return refuse(901002)
    wanted, wrong = _scopes(provider, form.get("scope", ""))
    if wrong:
        return refuse(wrong)
    if kind == "client_credentials":
        return give({"access_token": f"app-{uuid.uuid4()}", "token_type": "Bearer"})
    if kind == "authorization_code":
        code = provider.codes.get(form.get("code", ""))
        if code is None or code.used or code.redirect_uri != form.get("redirect_uri"):
            return refuse(54005 if code and code.used else 70008)
        if not tokens.matches(form.get("code_verifier", ""), code.challenge):
            return refuse(501481)
        code.used = True
        subject, scope, nonce, audience = code.subject, code.scope, code.nonce, ""
    elif kind == "refresh_token":
        given = form.get("refresh_token", "")
        old = next((each for each in provider.grants if each.refresh == given), None)
        if old is None:
            return refuse(9002313)
        if old.refresh_ended:
            return refuse(50173)
        subject, scope, nonce = old.subject, old.scope, ""
        audience = next(iter(wanted), "")
        # Stricter than Entra, where an old one goes on for a time.
        old.refresh_ended = not provider.refusals.get((subject, audience))
    else:
        return refuse(70003)
    if demanded := provider.refusals.get((subject, audience)):
        return refuse(demanded)
    if subject in provider.disabled:
        return refuse(50057)
    reply = grant(provider, subject, scope, nonce, bare=seen.fault == "bare")
    reply = for_audience(provider, reply, audience)
    if "offline_access" not in scope.split():
        reply.pop("refresh_token", None)
    if audience:
        reply.pop("id_token", None)
    return give({**reply, "scope": form.get("scope") or scope, "ext_expires_in": tokens.LIFETIME})


def _scopes(provider: EntraAccounts, asked: str) -> tuple[set[str], int]:
    """The resource that scopes are of, but for Graph; and the code of what is wrong with them."""
    scopes = [each for each in asked.split() if each not in OPENID]
    resources = {each.rpartition("/")[0] for each in scopes}
    if len(resources) > 1:
        return set(), 28000
    if len(scopes) > 1 and any(each.endswith("/.default") for each in scopes):
        return set(), 70011
    others = resources - {provider.url, ""}
    if others - provider.audiences:
        return set(), 500011
    return others, 0


def _client(provider: EntraAccounts, seen: Seen) -> int:
    """The code of what is wrong with a client's proof of itself; 0 if it is good."""
    name, secret = client(seen)
    if name != provider.client_id:
        return 700016
    given = seen.form.get("client_assertion", "")
    if given and seen.form.get("client_assertion_type") == TYPE:
        if given in provider.federated:
            return 0
        return 0 if _signed(provider, given, seen) else 700027
    if not secret:
        return 7000218
    return 0 if hmac.compare_digest(secret, provider.client_secret) else 7000215


def _signed(provider: EntraAccounts, given: str, seen: Seen) -> bool:
    """Whether a certificate that is registered has signed an assertion for this endpoint."""
    import jwt

    try:
        key = provider.certificates[jwt.get_unverified_header(given)["x5t#S256"]]
        said: dict[str, Any] = jwt.decode(
            given, key, algorithms=["PS256"], audience=f"{provider.url}{seen.path}"
        )
    except (jwt.PyJWTError, KeyError):
        return False
    return said["iss"] == said["sub"] == provider.client_id and "jti" in said
