"""Another correct authenticator: believes signed ID tokens alone, as Entra's are."""

from __future__ import annotations

import asyncio

import jwt
from oauthenticator.oauth2 import OAuthenticator
from tornado.httpclient import HTTPClientError
from tornado.web import HTTPError
from traitlets import Any, Dict, Set, Unicode

from examples.auth.toyauth.handlers import Logout, TabCallback, TabLogin

LONGEST = 255
OPEN: set[str] = set()
"""The sessions that are open: what a PAM stack would know."""


class Tokened(OAuthenticator):
    """Names are verified e-mails; subjects are kept with the tokens, in auth_state."""

    login_handler = TabLogin
    callback_handler = TabCallback
    logout_handler = Logout

    issuer = Unicode().tag(config=True)
    jwks_url = Unicode().tag(config=True)
    graph_url = Unicode().tag(config=True)
    allowed_tenants = Set(Unicode(), help="Only people of these tenants.").tag(config=True)
    keys = Dict()
    locks = Any()

    def _locks_default(self):
        return {}

    # who it is

    async def token_to_user(self, token_info):
        token = token_info["id_token"]
        try:
            key = await self.key(jwt.get_unverified_header(token)["kid"])
            claims = jwt.decode(
                token, key, algorithms=["RS256"], audience=self.client_id, issuer=self.issuer
            )
        except (jwt.InvalidTokenError, KeyError) as error:
            raise HTTPError(403, "the ID token is not good") from error
        if "groups" in claims.get("_claim_names", {}):
            claims["groups"] = await self.groups_of(token_info["access_token"])
        return claims

    async def key(self, kid):
        if kid not in self.keys:
            found = jwt.PyJWKSet.from_dict(await self.httpfetch(self.jwks_url, "fetching keys"))
            self.keys = {key.key_id: key for key in found.keys}
        return self.keys[kid]

    async def groups_of(self, access):
        groups, url = [], f"{self.graph_url}/v1.0/me/transitiveMemberOf"
        while url:
            headers = {"Authorization": f"Bearer {access}"}
            page = await self.httpfetch(url, "fetching groups", headers=headers)
            groups += [each["id"] for each in page["value"]]
            url = page.get("@odata.nextLink")
        return groups

    def user_info_to_username(self, user_info):
        mail = user_info.get("email")
        verified = user_info.get("email_verified") is True
        if not (verified and isinstance(mail, str) and "@" in mail and len(mail) <= LONGEST):
            raise HTTPError(403, "the provider has verified no e-mail")
        return mail

    def get_user_groups(self, auth_state):
        groups = auth_state[self.user_auth_state_key].get("groups")
        good = isinstance(groups, list) and all(isinstance(group, str) for group in groups)
        return set(groups) if good else set()

    async def get_token_info(self, handler, params):
        answer = await self.httpfetch(
            self.token_url,
            "asking for tokens",
            method="POST",
            headers=self.build_token_info_request_headers(),
            body="&".join(f"{name}={_quoted(value)}" for name, value in params.items()),
        )
        if not (isinstance(answer, dict) and answer.get("access_token")):
            raise HTTPError(502, "the provider gave no access token")
        return answer

    # who may come in

    async def update_auth_model(self, auth_model):
        tenant = auth_model["auth_state"][self.user_auth_state_key].get("tid")
        if self.allowed_tenants and tenant not in self.allowed_tenants:
            raise HTTPError(403, "not of a tenant that may come in")
        return auth_model

    async def run_post_auth_hook(self, handler, auth_model):
        user = handler.find_user(auth_model["name"])
        kept = await user.get_auth_state() if user else None
        if kept and _subject(self, kept) != _subject(self, auth_model["auth_state"]):
            raise HTTPError(403, "this name belongs to somebody else")
        return await super().run_post_auth_hook(handler, auth_model)

    # who may stay

    async def refresh_user(self, user, handler=None, **kwargs):
        if not self.enable_auth_state:
            return True
        async with self.locks.setdefault(user.name, asyncio.Lock()):
            kept = await user.get_auth_state()
            if not kept:
                return False
            params = self.build_refresh_token_request_params(kept["refresh_token"])
            try:
                tokens = await self.get_token_info(handler, params)
                model = await self._token_to_auth_model(tokens)
            except HTTPClientError as error:
                if error.code in (400, 401, 403):
                    return False
                raise
            same = model["name"] == user.name
            if not same or _subject(self, kept) != _subject(self, model["auth_state"]):
                return False
            if not self.check_blocked_users(user.name, model):
                return False
            if not (self.allow_all or await self.check_allowed(user.name, model)):
                return False
            await user.save_auth_state(model["auth_state"])
            return model

    # what it opens

    def pre_spawn_start(self, user, spawner):
        OPEN.add(f"{user.name}/{spawner.name}")

    def post_spawn_stop(self, user, spawner):
        OPEN.discard(f"{user.name}/{spawner.name}")


def _subject(authenticator, auth_state):
    return auth_state[authenticator.user_auth_state_key]["sub"]


def _quoted(value):
    from urllib.parse import quote_plus

    return quote_plus(str(value))
