"""One identity provider: where its endpoints are, its keys, its tokens, and what it says."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

from greyhub.auth.openid import id_token
from greyhub.auth.openid.errors import GrantRefused, ProviderUnavailable
from greyhub.auth.openid.http import Answer, ask, is_safe
from greyhub.auth.openid.options import option

WELL_KNOWN: Final = "/.well-known/openid-configuration"

FRESH: Final = 3600.0
"""Seconds for which what discovery has told is not asked again."""

REFUSALS: Final = frozenset(
    {
        *("invalid_grant", "access_denied", "login_required", "consent_required"),
        *("interaction_required", "bad_verification_code", "bad_refresh_token"),
    }
)
"""What ends a login; any other error is the hub's matter, or the provider's."""

PAGES: Final = 100
"""Pages of groups that are read; what has more is refused."""


@dataclass(frozen=True)
class Metadata:
    """Where a provider's endpoints are, and what it can do."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str = ""
    jwks_uri: str = ""
    end_session_endpoint: str = ""
    revocation_endpoint: str = ""
    token_endpoint_auth_methods_supported: Sequence[str] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def basic(self) -> bool:
        """Whether the client's secret is sent in a header, and not in the form."""
        return "client_secret_basic" in self.token_endpoint_auth_methods_supported


class Misconfigured(ProviderUnavailable):
    """What the provider says of itself does not fit what is configured."""

    error = ""
    """OAuth's word for what is wrong, where the provider has given one."""


def read_metadata(said: object, issuer: str, word: str = "") -> Metadata:
    """What a discovery document says.

    Raises
    ------
    Misconfigured
        It is another issuer's, or names an address that no token may be sent to.
    """
    if not isinstance(said, Mapping) or not isinstance(said.get("issuer"), str):
        raise Misconfigured("discovery answers with what describes no provider")
    if said["issuer"] != issuer:
        raise Misconfigured(
            f"the provider calls itself {said['issuer']!r:.200}, and not {issuer!r}\n"
            f"  fix: set {option(word, 'issuer')} to what it calls itself, if it is the one you "
            "mean; for Entra, the address with the id of your tenant"
        )
    known = {name: said[name] for name in Metadata.__dataclass_fields__ if said.get(name)}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if name not in known:
            raise Misconfigured(f"discovery names no {name}")
    for name, value in known.items():
        if name.endswith(("_endpoint", "_uri")) and not is_safe(value):
            raise Misconfigured(f"the provider's {name} is no address that tokens may be sent to")
    return Metadata(**known)


@dataclass
class Provider:
    """One provider, and what was learned of it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    client: Any
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Its addresses, where there is no discovery: it speaks OAuth 2 alone."""

    subject_claim: str = "sub"
    options: Mapping[str, Any] = field(default_factory=dict)
    """What every request takes besides: ``ca_certs``."""

    word: str = ""
    """Its word in the configuration, where it is one of several."""

    _metadata: Metadata | None = None
    _metadata_at: float = float("-inf")
    _learning: asyncio.Task[None] | None = None
    _keys: Sequence[Mapping[str, Any]] = ()
    _keys_at: float = float("-inf")

    @property
    def openid(self) -> bool:
        """Whether it speaks OpenID Connect, and not OAuth 2 alone."""
        return not self.endpoints

    async def metadata(self) -> Metadata:
        """What discovery tells.

        It is asked once for all who wait, and again in an hour, for which nobody waits:
        where it then does not answer, what is known stays.
        """
        if not self.openid:
            known: dict[str, Any] = dict(self.endpoints)
            return Metadata(self.issuer, **known)
        old = time.monotonic() - self._metadata_at > FRESH
        if old and (self._learning is None or self._learning.done()):
            self._learning = asyncio.create_task(self._discover())
        if self._metadata is None and self._learning is not None:
            await asyncio.shield(self._learning)
        assert self._metadata is not None
        return self._metadata

    async def _discover(self) -> None:
        try:
            self._metadata = self._read(await self.document())
        except ProviderUnavailable:
            if self._metadata is None:
                raise
        self._metadata_at = time.monotonic()

    def _read(self, document: Any) -> Metadata:
        return read_metadata(document, self.issuer, self.word)

    @property
    def discovery(self) -> str:
        """The address of the discovery document."""
        return self.issuer.rstrip("/") + WELL_KNOWN

    async def document(self) -> Any:
        """All that discovery tells now, unread."""
        url = self.discovery
        answer = await self._ask("discovery", url)
        if answer.status != 200:
            raise Misconfigured(
                f"{url} answers with status {answer.status}\n"
                f"  fix: set {option(self.word, 'issuer')} to the provider's issuer"
            )
        return answer.body

    async def exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Tokens for a code or a refresh token.

        Raises
        ------
        GrantRefused
            The provider says no.
        ProviderUnavailable
            It does not say.
        """
        return await self.tokens((await self.metadata()).token_endpoint, form)

    async def tokens(self, url: str, form: Mapping[str, str]) -> dict[str, Any]:
        """As `exchange`, at an address."""
        answer = await self._ask("the token endpoint", url, form=form)
        if answer.error:
            raise self.refusal(answer)
        tokens: dict[str, Any] = answer.body
        good = answer.status == 200 and isinstance(tokens, dict)
        if not good or not isinstance(tokens.get("access_token"), str):
            raise ProviderUnavailable("the token endpoint gives no access token")
        if str(tokens.get("token_type", "Bearer")).lower() != "bearer":
            raise ProviderUnavailable("the token endpoint gives tokens of an unknown type")
        return tokens

    def refusal(self, answer: Answer) -> Exception:
        """What an error of the token endpoint means."""
        if answer.error in REFUSALS:
            return GrantRefused(answer.error)
        wrong = Misconfigured(
            f"the token endpoint answers {answer.error}\n  fix: compare client_id, "
            "client_secret, scope and the redirect address with what the provider knows"
        )
        wrong.error = answer.error
        return wrong

    def ended(self, error: str, description: str) -> str:
        """In words, why the provider sends a browser back without a code."""
        known = error if re.fullmatch("[a-z_]{1,40}", error) else "an error"
        return f"The provider ended the login: {known}."

    async def revoke(self, token: str) -> None:
        """Tell the provider that a token is not needed any more, if it takes that."""
        url = (await self.metadata()).revocation_endpoint
        if url:
            await self._ask("the revocation endpoint", url, form={"token": token})

    async def claims_of(self, token: object, nonce: str | None) -> dict[str, Any]:
        """The claims of an ID token; new keys are fetched where it names one.

        Raises
        ------
        greyhub.auth.openid.id_token.BadToken
            It is not to be believed.
        """
        if time.monotonic() - self._keys_at > FRESH:  # one may have been withdrawn
            await self._fetch_keys()
        try:
            return self._verified(token, nonce)
        except id_token.UnknownKey:
            await self._fetch_keys()
            return self._verified(token, nonce)

    def _verified(self, token: object, nonce: str | None) -> dict[str, Any]:
        return id_token.verified(
            token, self._keys, issuer=self.issuer, client_id=self.client_id, nonce=nonce
        )

    async def _fetch_keys(self) -> None:
        answer = await self._ask("the provider's keys", (await self.metadata()).jwks_uri)
        keys = answer.body.get("keys") if isinstance(answer.body, Mapping) else None
        if answer.status != 200 or not isinstance(keys, list):
            raise ProviderUnavailable("the provider lists no keys")
        self._keys = [key for key in keys if isinstance(key, Mapping)]
        self._keys_at = time.monotonic()

    async def userinfo(self, access_token: str) -> dict[str, Any] | None:
        """What the provider says of whoever the access token stands for; None if it is not good."""
        url = (await self.metadata()).userinfo_endpoint
        answer = await self._ask("userinfo", url, token=access_token)
        if answer.status == 401:
            return None  # any other refusal may be of too many questions, or of a scope
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise ProviderUnavailable("userinfo answers with what describes nobody")
        if not self.openid:
            # The number of an account, as text, as OpenID Connect has it.
            answer.body["sub"] = str(answer.body.get(self.subject_claim) or "")
        return answer.body

    async def groups(
        self, url: str, access_token: str, name: Callable[[Mapping[str, Any]], Any]
    ) -> list[str]:
        """The groups of whoever the access token stands for, from all pages of a list."""
        found: list[str] = []
        host = urlsplit(url)[:2]
        for _ in range(PAGES):
            answer = await self._ask("the list of groups", url, token=access_token)
            page = answer.body.get("value") if isinstance(answer.body, Mapping) else answer.body
            if answer.status in (401, 403):
                raise Misconfigured(
                    "the provider does not let this hub ask for groups\n"
                    "  fix: grant the application the right to read them, or add its scope"
                )
            if answer.status != 200 or not isinstance(page, list):
                raise ProviderUnavailable("the list of groups cannot be read")
            names = [name(each) for each in page if isinstance(each, Mapping)]
            found += [each for each in names if isinstance(each, str)]
            more = answer.body.get("@odata.nextLink") if isinstance(answer.body, Mapping) else ""
            url = more or answer.next_page
            if not url:
                return found
            if urlsplit(url)[:2] != host:
                raise ProviderUnavailable("the list of groups goes on at another host")
        raise ProviderUnavailable(f"the list of groups has more than {PAGES} pages")

    async def _ask(
        self, what: str, url: str, *, form: Mapping[str, str] | None = None, token: str = ""
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if form is not None:
            form, own = await self._signed(form)
            headers |= own
        return await ask(self.client, what, url, form=form, headers=headers, **self.options)

    async def _signed(self, form: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """A form, and headers, by which the provider knows the client."""
        if self.openid and self.client_secret and (await self.metadata()).basic:
            # RFC 6749, 2.3.1: both are written as in a form first.
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            encoded = base64.b64encode(pair.encode()).decode()
            return dict(form), {"Authorization": f"Basic {encoded}"}
        own = {"client_id": self.client_id}
        if self.client_secret:
            own["client_secret"] = self.client_secret
        return {**form, **own}, {}
