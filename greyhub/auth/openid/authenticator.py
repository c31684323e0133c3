"""The Authenticator: names, groups and rights by what an OpenID Connect provider says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from jupyterhub.utils import url_path_join
from tornado.web import HTTPError
from traitlets import Dict, Instance, default

from greyhub.auth.openid import claims as reading
from greyhub.auth.openid.errors import GrantRefused, Refused
from greyhub.auth.openid.handlers import Callback, Login
from greyhub.auth.openid.id_token import BadToken
from greyhub.auth.openid.login_page import LoginPage
from greyhub.auth.openid.logout import TOKENS, Logout, end_session_url
from greyhub.auth.openid.options import OIDCOptions
from greyhub.auth.openid.provider import Provider
from greyhub.auth.openid.refresh import REFUSED, refreshed, times
from greyhub.public_address import is_loopback


class OIDCAuthenticator(OIDCOptions):
    """Logins by an OpenID Connect provider, which its issuer alone describes.

    Built on `oauthenticator.oauth2.OAuthenticator`, whose options for who may come
    in are used as they are. Addresses come from discovery, and who somebody is
    from an ID token whose signature is verified.
    """

    provider_class = Provider
    login_handler = Login
    callback_handler = Callback
    logout_handler = Logout

    admits_by_options = True
    """Whether its options tell all of whom it admits: admins, too."""

    identities_are_kept = False
    """Whether the platform keeps who has which name; else auth_state says so."""

    locks = Instance(WeakValueDictionary, (), help="One lock for each user whose login is asked.")

    challenges = Dict(help="By user, the claims that the next login has to ask for.")

    newest = Dict(help="By user, refresh tokens that were used, each with the newest one.")

    # the provider

    provider = Instance(Provider, help="The provider.")

    @default("provider")
    def _default_provider(self) -> Provider:
        own = self.facts.at(self.issuer)
        return self.provider_class(
            issuer=self.identity_issuer,
            client_id=self.client_id,
            client_secret=self.client_secret,
            client=self.http_client,
            endpoints=own.endpoints,
            subject_claim=own.subject_claim,
            options=self.http_request_kwargs,
            word=self.word,
            **self.provider_options(),
        )

    def provider_options(self) -> dict[str, Any]:
        """What the provider is made with besides."""
        return {}

    def get_callback_url(self, handler: Any = None) -> str:
        """Where the provider sends the browser back to: never what a request says of this hub."""
        if self.oauth_callback_url:
            return str(self.oauth_callback_url)
        public = getattr(self.parent, "public_url", "")
        if public:
            return str(url_path_join(public, "hub", "oauth_callback", self.word))
        host = handler.request.host if handler else ""
        if handler and is_loopback(handler.request.host_name):
            path = url_path_join(handler.hub.base_url, "oauth_callback", self.word)
            return f"{handler.request.protocol}://{host}{path}"
        raise HTTPError(
            500,
            "the address of this hub is not known to it\n"
            f"  fix: set c.JupyterHub.public_url, or {self.option('oauth_callback_url')}",
        )

    def login_page(self) -> str:
        """The page that leads to the provider, also for somebody who is logged in."""
        try:
            return self.get_callback_url().replace("/oauth_callback", "/oauth_login")
        except HTTPError:
            return "the hub's page hub/oauth_login"

    # a login

    async def authenticate(self, handler: Any, data: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Who has come back from the provider."""
        login = handler.login
        form = {
            "grant_type": "authorization_code",
            "code": handler.code,
            "redirect_uri": self.get_callback_url(handler),
            "code_verifier": login["verifier"],
        }
        try:
            tokens = await self.provider.exchange(form)
            said = await self.statement(tokens, nonce=login["nonce"])
        except GrantRefused as refused:
            self.log.info("greyhub: a login is refused: %s", refused)
            raise Refused(refused.words or f"The provider refused this login: {refused}.") from None
        except BadToken as bad:
            self.log.error("greyhub: an ID token is refused: %s", bad)
            raise Refused("The provider's ID token is not to be believed.") from None
        model = await self.model(tokens, said)
        model["auth_state"]["login_at"] = time.time()
        await self._only_theirs(handler, model)
        return model

    async def statement(
        self,
        tokens: Mapping[str, Any],
        *,
        nonce: str | None,
        before: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """What the provider says: by its ID token, and by userinfo, which is newer.

        Parameters
        ----------
        tokens : mapping
            What the token endpoint gave.
        nonce : str or None
            That of the login; None for tokens that came with a refresh.
        before : mapping, optional
            The claims of the ID token before, for providers that give none at a refresh.

        Raises
        ------
        greyhub.auth.openid.id_token.BadToken, GrantRefused, ProviderUnavailable
            What it says is not to be believed, it says no, or it does not say.
        """
        provider = self.provider
        found = dict(before or {})
        if provider.openid and (nonce is not None or tokens.get("id_token")):
            found = await provider.claims_of(tokens.get("id_token"), nonce)
        info: dict[str, Any] = {}
        if (await provider.metadata()).userinfo_endpoint:
            asked = await provider.userinfo(tokens["access_token"])
            if asked is None:
                raise GrantRefused("userinfo does not take the access token")
            info = asked
            if not info.get("sub") or info["sub"] != found.get("sub", info["sub"]):
                raise BadToken("userinfo tells of somebody else")
        said = {**found, **info}
        return {"id_token": found, "userinfo": info, "claims": said}

    async def model(self, tokens: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
        """The auth model of whoever the provider tells of."""
        claims = said["claims"]
        wrong = reading.missing_requirement(claims, self.required_claims)
        if wrong is not None:
            raise Refused(f"You may not log in here: your {wrong} is not among those admitted.")
        name = self.normalize_username(self.proposed_name(claims))
        scope = tokens.get("scope")
        model: dict[str, Any] = {
            "name": name,
            "admin": None,
            "auth_state": {
                **{name: tokens.get(name) for name in TOKENS},
                "scope": scope.split() if isinstance(scope, str) else list(self.scope),
                **times(tokens),
                "confirmed_at": time.time(),
                **({"provider": self.word} if self.word else {}),
                **dict(zip(("issuer", "subject"), self.who(claims), strict=True)),
                "proposed_name": name,
                "id_token_claims": said["id_token"],
                "userinfo_claims": sorted(said["userinfo"]),
                self.user_auth_state_key: claims,
            },
        }
        if self.manage_groups:
            found = await self._groups(claims, tokens["access_token"])
            longest = reading.LONGEST - len(self.groups_prefix)
            model["groups"] = [self.groups_prefix + each for each in found if len(each) <= longest]
        return model

    def proposed_name(self, claims: Mapping[str, Any]) -> str:
        """The name that a user gets, before the hub normalises it."""
        return reading.username(claims, self.username_claim, self.username_prefix)

    def who(self, claims: Mapping[str, Any]) -> tuple[str, str]:
        """The issuer and the subject of whoever verified claims are about."""
        return self.provider.issuer, claims["sub"]

    async def _groups(self, claims: Mapping[str, Any], access_token: str) -> list[str]:
        first, *more = self.groups_claims or [""]
        found = set(await self.listed_groups(first, claims, access_token))
        for path in more:
            told = reading.claim(claims, path)
            found |= set(reading.groups(told, self.groups_separator, self.warn))
        absent = all(reading.claim(claims, each) is reading.ABSENT for each in (first, *more))
        if absent and not self.groups_url and (self.allowed_groups or self.admin_groups):
            self.warn(
                f"the provider sends no {' or '.join(self.groups_claims)}, which allowed_groups "
                "and admin_groups need\n  fix: let it send that claim, or set groups_claim"
            )
        return sorted(found)

    async def listed_groups(
        self, path: str, claims: Mapping[str, Any], access_token: str
    ) -> list[str]:
        """The groups of the first claim, or of the place that tells them instead."""
        found = reading.claim(claims, path)
        if found is reading.ABSENT and self.groups_url:
            return await self.provider.groups(self.groups_url, access_token, self.facts.group_name)
        if reading.overage(claims, path):
            self.log.error(
                "greyhub: the provider names a place to ask for a user's groups, since there are "
                "too many for a token\n  fix: set %s, or let the provider send the "
                "groups that are assigned to this application alone",
                self.option("groups_url"),
            )
            raise Refused("You are in more groups than the provider tells this hub of.")
        return reading.groups(found, self.groups_separator, self.warn)

    def warn(self, message: str) -> None:
        """Tell the administrator."""
        self.log.warning("greyhub: %s%s", f"{self.word}: " if self.word else "", message)

    async def _only_theirs(self, handler: Any, model: Mapping[str, Any]) -> None:
        """Refuse a name that somebody else has, where nobody but auth_state knows whose it is."""
        user = None if self.identities_are_kept else handler.find_user(model["name"])
        if user is None:
            return
        kept = await user.get_auth_state()
        if kept and "subject" in kept:
            theirs = self.identity({"auth_state": kept}) == self.identity(model)
        else:
            # Nobody knows whose it is: of several providers, that of the rules that name it.
            theirs = not self.word or model["name"] in self.allowed_users | self.admin_users
        if not theirs:
            raise Refused("This user name belongs to somebody else.")

    @property
    def identity_issuer(self) -> str:
        """The issuer of `identity`, before anybody has logged in."""
        return self.issuer or str(self.facts.at(self.issuer).word)

    def of(self, auth_state: Mapping[str, Any] | None) -> OIDCAuthenticator | None:
        """The authenticator of a login; None if its provider is none of this hub's any more."""
        issuer = (auth_state or {}).get("issuer", self.provider.issuer)
        return self if issuer == self.provider.issuer else None

    def identity(self, auth_model: Mapping[str, Any]) -> tuple[str, str]:
        """Who somebody is, whatever they are called: the issuer, and its subject."""
        state = auth_model["auth_state"]
        return state["issuer"], state["subject"]

    # who may do what

    async def check_allowed(self, username: str, auth_model: Any) -> bool:
        """Whether a user may come in, by name or by a whole group's name."""
        if self.allow_all or username in self.allowed_users or username in self.admin_users:
            return True
        return self._in(self.allowed_groups | self.admin_groups, auth_model or {})

    def _in(self, groups: set[str], auth_model: Mapping[str, Any]) -> bool:
        """Whether a user is in one of some groups of the provider."""
        theirs = set(auth_model.get("groups") or ()) if self.manage_groups else set()
        return bool(theirs & {f"{self.groups_prefix}{each}" for each in groups})

    def is_admin(self, handler: Any, authentication: Mapping[str, Any]) -> bool | None:
        """Whether a user is an admin, by the hub's own name or a group; None: as before."""
        if authentication["name"] in self.admin_users:
            return True
        if not (self.manage_groups and self.admin_groups):
            return None
        return self._in(self.admin_groups, authentication)

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Ask the provider whether a user may stay, and with which groups and rights."""
        return await refreshed(self, user, handler)

    async def login_refused(self, user: Any) -> bool:
        """Whether the provider or the rules have ended the login, and not the user."""
        return REFUSED in (await user.get_auth_state() or {})

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """The pages of a login and a logout."""
        return [*super().get_handlers(app), ("/login", LoginPage)]

    # logout

    async def end_session_url(self, auth_state: Mapping[str, Any] | None) -> str:
        """Where a logout leads to: what is configured, or the provider's own logout."""
        return await end_session_url(self, auth_state or {})
