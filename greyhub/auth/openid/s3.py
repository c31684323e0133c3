"""Short-lived keys for S3: AssumeRoleWithWebIdentity, by the ID token of a login.

Amazon's STS and MinIO's speak it. The request is not signed: the ID token says who asks.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from urllib.parse import urlencode
from xml.etree import ElementTree

from greyhub.auth.openid.credentials import in_words, login_of
from greyhub.auth.openid.http import TIMEOUT, is_safe
from greyhub.auth.openid.refresh import one_at_a_time, refresh_grant
from greyhub.credentials import Credential
from greyhub.errors import CredentialRefused, CredentialUnavailable

PARTS: Final = {
    "AccessKeyId": "access_key_id",
    "SecretAccessKey": "secret_access_key",
    "SessionToken": "session_token",
}
"""What STS calls the parts of a key, and what they are called here."""

MARGIN: Final = 30.0
"""Seconds that an ID token must be good for when it is sent."""


@dataclass(frozen=True)
class S3Keys:
    """Keys of a role: ``access_key_id``, ``secret_access_key`` and ``session_token``."""

    role: str
    """Its ARN."""

    endpoint: str = "https://sts.amazonaws.com"
    duration: int = 3600
    """Seconds that a key is good for."""

    authenticator: ClassVar[str] = "OIDCAuthenticator"

    def __post_init__(self) -> None:
        if not isinstance(self.role, str) or not self.role:
            raise TypeError("role is no ARN of a role")
        if not is_safe(self.endpoint):
            raise ValueError(f"endpoint {self.endpoint} does not begin with https://")
        if isinstance(self.duration, bool) or not isinstance(self.duration, int):
            raise TypeError("duration is no number of seconds")

    async def issue(self, user: Any, auth_state: Mapping[str, Any], audience: str) -> Credential:
        """A key of the role, in the name of the user."""
        with in_words(user, audience):
            token = await _id_token(user, audience)
        form = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": self.role,
            "RoleSessionName": re.sub(r"[^\w+=,.@-]", "-", user.name, flags=re.ASCII)[:64].ljust(
                2, "-"
            ),
            "DurationSeconds": str(self.duration),
            "WebIdentityToken": token,
        }
        try:
            answer = await user.authenticator.http_client.fetch(
                self.endpoint,
                method="POST",
                body=urlencode(form),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                raise_error=False,
                follow_redirects=False,
                connect_timeout=TIMEOUT,
                request_timeout=TIMEOUT,
            )
            if answer.code >= 500 or answer.code == 429:
                raise OSError(f"status {answer.code}")
            said = _texts(answer.body or b"")
        except Exception as error:
            user.authenticator.warn(f"no key for {audience}: STS: {type(error).__name__}")
            raise CredentialUnavailable(
                f"the store's service for keys does not answer: there is none for {audience!r} now"
                "\n  fix: try again in a moment"
            ) from None
        if answer.code != 200 or not {*PARTS, "Expiration"} <= said.keys():
            raise CredentialRefused(
                f"the store refuses a key for {audience!r}: {said.get('Code', answer.code)}\n"
                "  fix: tell the hub's administrator, who can compare the role's trust policy "
                "with the provider's issuer and the hub's client_id"
            )
        ends = datetime.fromisoformat(said["Expiration"]).timestamp()
        return Credential({name: said[part] for part, name in PARTS.items()}, ends)


async def _id_token(user: Any, audience: str) -> str:
    """An ID token of the login that is good still."""
    async with one_at_a_time(user.authenticator, user):
        state, authenticator = await login_of(user)
        ends = (state.get("id_token_claims") or {}).get("exp") or 0
        found = state.get("id_token")
        if not (found and ends > time.time() + MARGIN) and state.get("refresh_token"):
            found = (await refresh_grant(authenticator, user, state)).get("id_token")
    if not found:
        raise CredentialRefused(
            f"the provider gives no new ID token, which a key for {audience!r} needs\n"
            "  fix: log out and in again on the hub's page"
        )
    return str(found)


def _texts(body: bytes) -> dict[str, str]:
    """The texts of an answer in XML, by the names of their elements."""
    found = ElementTree.fromstring(body)  # noqa: S314 - expat bounds what entities expand to
    return {each.tag.rpartition("}")[2]: each.text or "" for each in found.iter()}
