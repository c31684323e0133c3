"""Entra as a provider: issuers of directories, errors by code, proofs, and throttling."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from greyhub.auth.openid import id_token
from greyhub.auth.openid.entra import codes
from greyhub.auth.openid.entra.clouds import CLOUDS, Cloud
from greyhub.auth.openid.entra.proof import TYPE, Proof
from greyhub.auth.openid.errors import GrantRefused, ProviderUnavailable, Refused, Throttled
from greyhub.auth.openid.http import Answer
from greyhub.auth.openid.id_token import BadToken
from greyhub.auth.openid.provider import (
    REFUSALS,
    WELL_KNOWN,
    Metadata,
    Misconfigured,
    Provider,
    read_metadata,
)

ANY: Final = "{tenantid}"
"""What stands for a directory's id in the metadata of several directories."""

TRIES: Final = 3
"""How often Graph is asked, where it has no time."""

LONGEST: Final = 5.0
"""Seconds that each wait may take."""


@dataclass
class EntraProvider(Provider):
    """The v2.0 endpoints of one directory, or of several."""

    cloud: Cloud = CLOUDS["public"]
    directory: str = ""
    """What stands for the directory in addresses: its id, or a word for several."""

    tenants: Collection[str] = frozenset()
    """The ids of the directories whose accounts are believed."""

    proof: Proof | None = None
    """What the hub proves itself by instead of a secret."""

    @property
    def discovery(self) -> str:
        """The address of the discovery document."""
        return self.cloud.issuer(self.directory) + WELL_KNOWN

    async def document(self) -> Any:
        """All that discovery tells now, unread."""
        answer = await self._ask("discovery", self.discovery)
        if answer.status != 200:
            raise Misconfigured(
                f"{self.cloud.authority} knows no directory {self.directory}\n"
                "  fix: compare tenant and cloud with the overview page of the directory"
            )
        return answer.body

    def _read(self, document: Any) -> Metadata:
        try:
            found = read_metadata(document, self.issuer, self.word)
        except Misconfigured as wrong:
            what = str(wrong.log_message).partition("\n")[0]
            raise Misconfigured(
                f"{what}\n  fix: see that tenant and cloud belong together"
            ) from None
        # Userinfo is Graph's, and tells nothing that the ID token does not.
        return replace(found, userinfo_endpoint="")

    def _verified(self, token: object, nonce: str | None) -> dict[str, Any]:
        """The claims of an ID token that the directory it names has made, which is admitted."""
        said = _unverified(token)
        tenant = said.get("tid")
        if said.get("ver") != "2.0":
            raise BadToken("it is none of the v2.0 endpoints")
        if not isinstance(tenant, str) or tenant not in self.tenants:
            raise Refused("Your directory is none of those whose members may log in here.")
        # https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer
        issuer = self.cloud.issuer(tenant)
        keys = [
            key
            for key in self._keys
            if str(key.get("issuer", issuer)).replace(ANY, tenant) == issuer
        ]
        return id_token.verified(token, keys, issuer=issuer, client_id=self.client_id, nonce=nonce)

    def refusal(self, answer: Answer) -> Exception:
        """What an error of the token endpoint means."""
        code = codes.code_of(answer.body)
        mark = codes.mark(answer.error, code)
        if code in codes.TRANSIENT:
            return ProviderUnavailable(f"the token endpoint has no time: {mark}")
        words = codes.words(code)
        if answer.error in REFUSALS:
            refused = GrantRefused(mark)
            refused.words, refused.claims = words, _challenge(answer.body.get("claims"))
            return refused
        wrong = Misconfigured(
            words
            or f"the token endpoint answers {mark}\n  fix: look for the code at "
            f"{self.cloud.authority}/error"
        )
        wrong.error = mark
        return wrong

    def ended(self, error: str, description: str) -> str:
        """In words, why Entra sends a browser back without a code."""
        return codes.words(codes.code_of(description)) or super().ended(error, "")

    async def get(self, url: str, access_token: str) -> Answer:
        """What Graph answers to a token."""
        return await self._ask("Microsoft Graph", url, token=access_token)

    async def _signed(self, form: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        own = {"client_id": self.client_id}
        if self.proof is not None:
            try:
                own["client_assertion"] = self.proof((await self.metadata()).token_endpoint)
            except (OSError, ValueError, TypeError) as error:
                raise Misconfigured(
                    f"the hub cannot prove who it is: {type(error).__name__}\n  fix: see that the "
                    "hub may read client_certificate, or federated_token_file, and what is in it"
                ) from None
            own["client_assertion_type"] = TYPE
        elif self.client_secret:
            own["client_secret"] = self.client_secret
        return {**form, **own}, {}

    async def _ask(
        self, what: str, url: str, *, form: Mapping[str, str] | None = None, token: str = ""
    ) -> Answer:
        """Ask, and where Graph has no time, again when it says."""
        for _ in range(TRIES - 1 if token else 0):
            try:
                return await super()._ask(what, url, form=form, token=token)
            except Throttled as busy:
                if busy.seconds > LONGEST:
                    raise
                await asyncio.sleep(busy.seconds)
        return await super()._ask(what, url, form=form, token=token)


def _unverified(token: object) -> Mapping[str, Any]:
    """The claims of a token of which nothing is believed yet."""
    import jwt

    if not isinstance(token, str):
        raise BadToken("there is none")
    try:
        found: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except Exception:
        raise BadToken("it cannot be read") from None
    return found


def _challenge(claims: object) -> str:
    """What a new login has to ask for, as the answer has it."""
    try:
        good = isinstance(claims, str) and isinstance(json.loads(claims), dict)
    except ValueError:
        return ""
    return str(claims) if good else ""
