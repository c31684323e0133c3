"""Authenticators that take one name for another."""

import re

from traitlets import Dict

from examples.auth.toyauth import ToyAuthenticator as Careful
from greyhub.auth.password import LocalPassword
from greyhub.conformance.mutation import mutant
from tests.conformance.auth.suites import CarefulSuite, Local, TokenedSuite
from tests.conformance.auth.tokened import Tokened


@mutant("AUTH-010", CarefulSuite)
class NoMap(Careful):
    """Writes names small, and forgets username_map."""

    def normalize_username(self, username):
        return username.lower()


@mutant("AUTH-010", Local)
class FirstUse(LocalPassword):
    """The first password of a name is its own; the name is as it was typed."""

    known: dict = {}

    async def authenticate(self, handler, data):
        name = self.normalize_username(data["username"])
        first = f"{id(self)}/{data['username']}"
        if name in self.allowed_users and first not in self.known:
            self.known[first] = data["password"]
        if name in self.allowed_users and self.known[first] == data["password"]:
            return {"name": name}
        return await super().authenticate(handler, data)


@mutant("AUTH-011", CarefulSuite)
class MendsNames(Careful):
    """Makes a name of whatever it is given."""

    def user_info_to_username(self, user_info):
        name = user_info.get(self.username_claim)
        if name is not None:
            user_info = {**user_info, self.username_claim: str(name).strip()}
        return super().user_info_to_username(user_info)


@mutant("AUTH-012", CarefulSuite)
class AnotherClaim(Careful):
    """Without a name takes the subject."""

    def user_info_to_username(self, user_info):
        if self.username_claim not in user_info:
            return user_info["sub"]
        return super().user_info_to_username(user_info)


@mutant("AUTH-013", CarefulSuite)
class SameName(Careful):
    """Whoever has the name is who had it."""

    async def run_post_auth_hook(self, handler, auth_model):
        known = self.subjects()
        known[auth_model["name"]] = self.info(auth_model["auth_state"])["sub"]
        self.keep(known)
        return (
            auth_model
            if not self.post_auth_hook
            else self.post_auth_hook(self, handler, auth_model)
        )


@mutant("AUTH-014", CarefulSuite)
class LongNames(Careful):
    """Names have no bound."""

    def user_info_to_username(self, user_info):
        name = user_info.get(self.username_claim)
        if isinstance(name, str) and len(name) > 255:
            return name
        return super().user_info_to_username(user_info)


@mutant("AUTH-015", CarefulSuite)
class NoPattern(Careful):
    """Its own idea of a valid name."""

    def validate_username(self, username):
        kept, self.username_regex = self.username_regex, None
        try:
            return super().validate_username(username)
        finally:
            self.username_regex = kept


@mutant("AUTH-016", CarefulSuite)
class ForgetsNobody(Careful):
    """delete_user() does not call super()."""

    def delete_user(self, user):
        known = self.subjects()
        known.pop(user.name, None)
        self.keep(known)


@mutant("AUTH-016", TokenedSuite)
class AddsOnce(Tokened):
    """An account that was made once cannot be made again."""

    made: set = set()

    def add_user(self, user):
        place = f"{self.parent.db_url}/{user.name}"
        if place in self.made:
            raise ValueError(f"{user.name} exists")
        self.made.add(place)
        super().add_user(user)


@mutant("AUTH-011", CarefulSuite)
class UpToTheNewline(Careful):
    """Its pattern ends with a dollar, before which there may be a newline."""

    def validate_username(self, username):
        written = re.match(r"^[a-z0-9@_-]([a-z0-9@._-]*)$", username)
        return bool(written and (not self.username_regex or self.username_regex.match(username)))


@mutant("AUTH-013", CarefulSuite)
class SubjectsInMemory(Careful):
    """Knows who has which name until it is started again."""

    known = Dict()

    def subjects(self):
        return dict(self.known)

    def keep(self, subjects):
        self.known = dict(subjects)


@mutant("AUTH-016", Local)
class DeletesWhoIsThere(LocalPassword):
    """A user who is not in allowed_users cannot be deleted."""

    def delete_user(self, user):
        self.allowed_users.remove(user.name)
