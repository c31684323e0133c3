"""Authenticators that keep what they must not, where they must not."""

import asyncio
import json
import os
from pathlib import Path

from jupyterhub.crypto import CryptKeeper

from examples.auth.toyauth import ToyAuthenticator as Careful
from greyhub.auth.password import LocalPassword
from greyhub.conformance.mutation import mutant
from tests.conformance.auth.suites import CarefulSuite, Local


class InUserInfo(Careful):
    """Puts the tokens where every reader of users can see them."""

    when = True

    async def authenticate(self, handler, data=None, **kwargs):
        model = await super().authenticate(handler, data, **kwargs)
        if self.enable_auth_state is self.when:
            model["user_info"] = {"token": model["auth_state"]["access_token"]}
        return model


@mutant("AUTH-030", CarefulSuite)
class TokensInUserInfo(InUserInfo):
    """Tokens stand in user_info, too."""


@mutant("AUTH-030", CarefulSuite)
class PlainState(Careful):
    """Stores the state again when a server starts, and does not encrypt it."""

    async def pre_spawn_start(self, user, spawner):
        state = await user.get_auth_state()
        if state:
            user.orm_user.encrypted_auth_state = json.dumps(state).encode()
            user.db.commit()


@mutant("AUTH-031", CarefulSuite)
class TokensWithoutState(InUserInfo):
    """With auth_state off tokens stand in user_info."""

    when = False


@mutant("AUTH-031", CarefulSuite)
class KeepsAnyway(Careful):
    """Stores the state when a server starts, asked or not."""

    last: dict = {}

    async def authenticate(self, handler, data=None, **kwargs):
        model = await super().authenticate(handler, data, **kwargs)
        self.last = dict(model["auth_state"])
        return model

    async def pre_spawn_start(self, user, spawner):
        if self.last and not self.enable_auth_state:
            await user.save_auth_state(self.last)


@mutant("AUTH-032", CarefulSuite)
class LogsTokens(Careful):
    """Tells the log what it was given, for those who debug."""

    async def get_token_info(self, handler, params):
        found = await super().get_token_info(handler, params)
        self.log.debug("tokens: %s", found)
        return found


@mutant("AUTH-032", Local)
class LogsPasswords(LocalPassword):
    """Tells the log which password was wrong."""

    async def authenticate(self, handler, data):
        model = await super().authenticate(handler, data)
        if model is None:
            self.log.warning("%r is not the password", data.get("password"))
        return model


@mutant("AUTH-033", CarefulSuite)
class GoesOnWithout(Careful):
    """Without a key it turns auth_state off."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if not CryptKeeper.instance().keys:
            self.enable_auth_state = False


@mutant("AUTH-033", CarefulSuite)
class KeyOfTheMoment(Careful):
    """Without a key it makes one, which the next start has not."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if self.enable_auth_state and not CryptKeeper.instance().keys:
            CryptKeeper.instance().keys = [os.urandom(32)]


@mutant("AUTH-034", CarefulSuite)
class FirstKeyAlone(Careful):
    """Knows one key."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        supervisor = CryptKeeper.instance()
        supervisor.keys = supervisor.keys[:1]


class InAFile(Careful):
    """Keeps the tokens beside its registry, for the next who asks."""

    async def run_post_auth_hook(self, handler, auth_model):
        if self.enable_auth_state == self.asked:
            path = Path(f"{self.registry}.tokens")
            told = json.dumps(auth_model["auth_state"]["token_response"])
            await asyncio.to_thread(path.write_text, told)
        return await super().run_post_auth_hook(handler, auth_model)


@mutant("AUTH-030", CarefulSuite)
class TokensInAFile(InAFile):
    """Tokens stand in a file, too."""

    asked = True


@mutant("AUTH-031", CarefulSuite)
class TokensInAFileUnasked(InAFile):
    """With auth_state off tokens stand in a file."""

    asked = False


@mutant("AUTH-032", CarefulSuite)
class LogsWhatWasRefused(Careful):
    """Tells the log what it had when it was refused a new token."""

    async def refresh_user(self, user, handler=None, **kwargs):
        model = await super().refresh_user(user, handler, **kwargs)
        if model is False:
            self.log.warning("refused, with %s", await user.get_auth_state())
        return model
