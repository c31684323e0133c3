"""Authenticators that let in whom they must not, or keep out whom they must let in."""

import re

from traitlets import default

from examples.auth.toyauth import ToyAuthenticator as Careful
from greyhub.auth.password import LocalPassword
from greyhub.conformance.mutation import mutant
from tests.conformance.auth.suites import CarefulSuite, Local, TokenedSuite
from tests.conformance.auth.tokened import Tokened


@mutant("AUTH-001", CarefulSuite)
class AdmitsUnlessNamed(Careful):
    """As JupyterHub before 5: who names nobody allows everybody."""

    @default("allow_all")
    def _allow_all_default(self):
        return not (self.allowed_users or self.allowed_groups or self.allow_existing_users)


@mutant("AUTH-001", Local)
class EveryoneByDefault(LocalPassword):
    """Everybody who knows the password."""

    @default("everyone")
    def _everyone_default(self):
        return not self.allow_existing_users


@mutant("AUTH-002", CarefulSuite)
class NamesWithin(Careful):
    """Looks for a member's name in the name."""

    async def check_allowed(self, username, auth_model):
        held = any(name in username for name in self.allowed_users)
        return held or await super().check_allowed(username, auth_model)


@mutant("AUTH-002", CarefulSuite)
class AllowsByMatch(Careful):
    """Answers a match object where it matches, and something true where it does not."""

    async def check_allowed(self, username, auth_model):
        if await super().check_allowed(username, auth_model):
            return re.fullmatch(".*", username)
        return False


@mutant("AUTH-002", Local)
class RefusesByError(LocalPassword):
    """A name that is not allowed is an error of the server."""

    def check_allowed(self, username, authentication=None):
        if super().check_allowed(username, authentication):
            return True
        raise KeyError(username)


@mutant("AUTH-003", CarefulSuite)
class BlocksAsWritten(Careful):
    """Compares with blocked_users what the provider wrote."""

    def check_blocked_users(self, username, authentication=None):
        written = self.info(authentication["auth_state"])["preferred_username"]
        return super().check_blocked_users(written, authentication)


@mutant("AUTH-003", Local)
class AllIsAll(LocalPassword):
    """allow_all comes before blocked_users."""

    def check_blocked_users(self, username, authentication=None):
        return self.allow_all or super().check_blocked_users(username, authentication)


@mutant("AUTH-004", CarefulSuite)
class BelievesClaims(Careful):
    """Makes an admin of who is said to be one."""

    async def update_auth_model(self, auth_model):
        if self.info(auth_model["auth_state"]).get("is_admin"):
            auth_model["admin"] = True
        return auth_model


@mutant("AUTH-004", TokenedSuite)
class AdminByName(Tokened):
    """A group named admin needs no configuration."""

    async def update_auth_model(self, auth_model):
        if "admin" in self.get_user_groups(auth_model["auth_state"]):
            auth_model["admin"] = True
        return await super().update_auth_model(auth_model)


@mutant("AUTH-004", Local)
class BelievesTheForm(LocalPassword):
    """Takes a field of the form for a right."""

    async def authenticate(self, handler, data):
        model = await super().authenticate(handler, data)
        if model and data.get("is_admin"):
            model["admin"] = True
        return model


@mutant("AUTH-005", CarefulSuite)
class SplitsStrings(Careful):
    """A string is a sequence as well."""

    async def get_user_groups(self, auth_state):
        return set(self.info(auth_state).get("groups") or ())


@mutant("AUTH-005", CarefulSuite)
class GroupsInAnyLetters(Careful):
    """Group names in other letters are the same group."""

    async def check_allowed(self, username, auth_model):
        groups = {group.lower() for group in auth_model.get("groups") or ()}
        return bool(groups & self.allowed_groups) or await super().check_allowed(
            username, auth_model
        )


@mutant("AUTH-005", TokenedSuite)
class AdminForEver(Tokened):
    """Who was an admin once stays one."""

    async def authenticate(self, handler, data=None, **kwargs):
        model = await super().authenticate(handler, data, **kwargs)
        model["admin"] = model["admin"] or None
        return model


@mutant("AUTH-006", CarefulSuite)
class NoGroupsNoNews(Careful):
    """Without groups it leaves the hub's as they are."""

    async def authenticate(self, handler, data=None, **kwargs):
        model = await super().authenticate(handler, data, **kwargs)
        if not model.get("groups"):
            model["groups"] = None
        return model


@mutant("AUTH-006", CarefulSuite)
class HundredGroups(Careful):
    """Reads one page of groups."""

    async def get_user_groups(self, auth_state):
        return set(sorted(await super().get_user_groups(auth_state))[:100])


@mutant("AUTH-018", TokenedSuite, also="AUTH-042")
class NoRoomNoGroups(Tokened):
    """Takes groups that have no room for none."""

    async def groups_of(self, access):
        return []


@mutant("AUTH-018", TokenedSuite, also="AUTH-042")
class FirstPage(Tokened):
    """Reads the first page of what Graph answers."""

    async def groups_of(self, access):
        return (await super().groups_of(access))[:100]


@mutant("AUTH-007", CarefulSuite)
class RenamedInSilence(Careful):
    """An option got another name, and the old one does nothing."""

    _deprecated_oauth_aliases = {
        name: new
        for name, new in Careful._deprecated_oauth_aliases.items()
        if name != "hosted_domain"
    }


@mutant("AUTH-008", CarefulSuite)
class BelievesMail(Careful):
    """Who writes an e-mail of a domain is of the domain."""

    def check_blocked_users(self, username, authentication=None):
        mail = self.info(authentication["auth_state"]).get("email", "")
        if self.domain and mail.endswith(f"@{self.domain}"):
            return True
        return super().check_blocked_users(username, authentication)


@mutant("AUTH-008", CarefulSuite, also="AUTH-043")
class EndsWith(Careful):
    """A domain that ends with another is of it."""

    def check_blocked_users(self, username, authentication=None):
        info = self.info(authentication["auth_state"])
        if self.domain and str(info.get("hd", "")).endswith(self.domain):
            return True
        return super().check_blocked_users(username, authentication)


@mutant("AUTH-008", TokenedSuite, also="AUTH-043")
class TenantsWhenNotAll(Tokened):
    """Looks at tenants where not everybody is allowed, which allow_all says."""

    async def update_auth_model(self, auth_model):
        if self.allow_all:
            return auth_model
        return await super().update_auth_model(auth_model)


@mutant("AUTH-009", TokenedSuite)
class AnyMail(Tokened):
    """Refuses only what the provider calls false."""

    def user_info_to_username(self, user_info):
        verified = user_info.get("email_verified") is not False
        return super().user_info_to_username({**user_info, "email_verified": verified})


@mutant("AUTH-009", TokenedSuite)
class TrueEnough(Tokened):
    """Takes the word "false" for true."""

    def user_info_to_username(self, user_info):
        verified = bool(user_info.get("email_verified"))
        return super().user_info_to_username({**user_info, "email_verified": verified})


@mutant("AUTH-017", Local)
class HalfTheSecret(LocalPassword):
    """Compares as much as was typed."""

    async def authenticate(self, handler, data):
        typed = data.get("password", "")
        if typed and self.user_password.startswith(typed):
            data = {**data, "password": self.user_password}
        return await super().authenticate(handler, data)


@mutant("AUTH-017", Local)
class AnyLetters(LocalPassword):
    """A password in other letters is the same password."""

    async def authenticate(self, handler, data):
        if data.get("password", "").lower() == self.user_password.lower():
            data = {**data, "password": self.user_password}
        return await super().authenticate(handler, data)


@mutant("AUTH-001", Local)
class KnowsWhoWasAdded(LocalPassword):
    """Whom an admin has added may come in, whatever allow_existing_users says."""

    def add_user(self, user):
        super().add_user(user)
        self.allowed_users.add(user.name)


@mutant("AUTH-003", CarefulSuite)
class AdminsAreNotBlocked(Careful):
    """An admin comes in, blocked or not."""

    def check_blocked_users(self, username, authentication=None):
        admin = username in self.admin_users
        return admin or super().check_blocked_users(username, authentication)


@mutant("AUTH-005", CarefulSuite)
class TrimsGroups(Careful):
    """Blanks around a group's name are no part of it."""

    async def get_user_groups(self, auth_state):
        return {group.strip() for group in await super().get_user_groups(auth_state)}


@mutant("AUTH-005", CarefulSuite)
class SplitsGroups(Careful):
    """One name with a comma is two groups."""

    async def get_user_groups(self, auth_state):
        found = await super().get_user_groups(auth_state)
        return {part for group in found for part in group.split(",")}
