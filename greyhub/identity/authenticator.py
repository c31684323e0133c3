"""The Authenticator class that the hub runs: the adapter's, whose users keep their names.

After the authenticator has said who somebody is, the table of identities says which
user of the hub that is. Rules such as ``allowed_users`` are for that user's name.
"""

from __future__ import annotations

from typing import Any

from tornado.web import HTTPError

from greyhub.awaitables import awaited
from greyhub.class_names import named_as
from greyhub.identity.issuers import identity_of, issuer_of
from greyhub.identity.rules import Identity, NameTaken, checked
from greyhub.identity.table import Identities

KEY = "greyhub_identity"
"""Where an auth model holds who somebody is, and their name if it is known."""


class _Name(str):
    """A name that is normalized already, and maybe not by this authenticator's rules."""

    __slots__ = ()


def identified(cls: Any, word: str) -> type:
    """An Authenticator class whose users keep their names.

    Parameters
    ----------
    cls : type
        Any `jupyterhub.auth.Authenticator`. A method ``identity(auth_model)`` of its own returns
        the issuer and the subject; without one, see `greyhub.identity.issuers.identity_of`.
    word : str
        A short word for it.
    """

    class PlatformAuthenticator(cls):  # type: ignore[misc]
        identities_are_kept = True
        """For one that would look after them by itself."""

        _noted: set[str] | None = None

        @classmethod
        def section_names(cls) -> list[str]:
            """The sections of the configuration, each once: two classes have one name."""
            return list(dict.fromkeys(super().section_names()))

        @property
        def _identities(self) -> Identities:
            """The table, with every user noted whom the hub has had before."""
            found = Identities(self.parent.db)
            if self._noted is None:
                found.create()
                found.note_users(self._issuer_of_user)
                self._noted = set(found.names())
            return found

        def _issuer_of_user(self, username: str) -> str:
            return issuer_of(self, word, username)

        def normalize_username(self, username: Any) -> Any:
            """Names from the table stay as they are."""
            if isinstance(username, _Name):
                return username
            return super().normalize_username(username)

        async def authenticate(self, *args: Any, **kwargs: Any) -> Any:
            """Ask the authenticator, and put the user's name for the one that it gives."""
            return self._named(await awaited(super().authenticate(*args, **kwargs)))

        async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
            """Of somebody who is let in: the name that they have, or a new one for good."""
            model = await awaited(super().get_authenticated_user(handler, data))
            if not model:
                return model
            identity, known = model.pop(KEY, None) or (self._who(model), None)
            proposed = str(model["name"])
            try:
                if not known and hasattr(self, "issuer_of_user"):
                    _only_of(self.issuer_of_user(proposed), identity, proposed)
                name = self._identities.claim(identity, proposed)
            except NameTaken as taken:
                self.log.warning("greyhub: a login was refused: %s", taken)
                raise _refused(taken.name) from None
            except ValueError as error:
                self.log.warning("greyhub: a login was refused: %s", error)
                raise HTTPError(403, "Your login gives a name that no user can have.") from None
            if name != (known or proposed):  # decided meanwhile, and not by the rules for it
                raise HTTPError(403, "Who you are on this hub has just changed: log in again.")
            model["name"] = name
            return model

        async def refresh_user(self, user: Any, *args: Any, **kwargs: Any) -> Any:
            """Refresh as the authenticator does; who is another user now must log in again."""
            model = await awaited(super().refresh_user(user, *args, **kwargs))
            if not isinstance(model, dict) or not isinstance(model.get("name"), str):
                return model
            identity, known = self._named(model).pop(KEY)
            model["name"] = str(model["name"])
            others = () if known else self._identities.record(user.name).issuers
            if model["name"] == user.name and identity.issuer not in others:
                return model
            self.log.warning(
                "greyhub: %s is no longer the user %s for %s: a new login is needed",
                identity.subject,
                user.name,
                identity.issuer,
            )
            return False

        async def add_user(self, user: Any) -> None:
            """Note whose a user is who has not logged in yet."""
            await awaited(super().add_user(user))
            identities = self._identities
            if self._noted is not None and user.name not in self._noted:
                identities.note_users(self._issuer_of_user, [user.name])
                self._noted.add(user.name)

        async def run_post_auth_hook(self, handler: Any, auth_model: Any) -> Any:
            """The administrator's hook, which may return another model."""
            kept = auth_model.get(KEY)
            model = await awaited(super().run_post_auth_hook(handler, auth_model))
            if kept and isinstance(model, dict):
                model.setdefault(KEY, kept)
            return model

        def _who(self, model: dict[str, Any]) -> Identity:
            name = self.normalize_username(model["name"])
            try:
                return checked(identity_of(self, word, model, name))
            except (KeyError, TypeError, ValueError) as error:
                self.log.warning("greyhub: a login was refused: %s", error)
                raise HTTPError(403, "Your login does not say who you are.") from None

        def _named(self, model: Any) -> Any:
            """An auth model with the user's name, if that is known."""
            if isinstance(model, str):
                model = {"name": model}
            if not isinstance(model, dict) or not isinstance(model.get("name"), str):
                return model  # JupyterHub's to refuse
            if KEY in model:
                return model
            proposed = self.normalize_username(model["name"])
            identity = self._who(model)
            known = self._identities.find(identity)
            model["name"] = _Name(known or proposed)
            if (
                known not in (None, proposed)
                and model.get("admin")
                and proposed in self.admin_users
            ):
                model["admin"] = known in self.admin_users  # it was said of the other name
            model[KEY] = identity, known
            return model

    if hasattr(cls, "update_auth_model"):
        # OAuthenticator has decided by the name who is an admin, and asks for groups next.
        async def update_auth_model(self: Any, auth_model: Any, **kwargs: Any) -> Any:
            model = self._named(auth_model)
            model["admin"] = True if model["name"] in self.admin_users else None
            kept = model[KEY]
            model = await awaited(
                super(PlatformAuthenticator, self).update_auth_model(model, **kwargs)
            )
            model.setdefault(KEY, kept)
            if kept[1]:
                model["name"] = _Name(kept[1])
            return model

        PlatformAuthenticator.update_auth_model = update_auth_model

    return named_as(PlatformAuthenticator, cls)


def _only_of(issuer: str, identity: Identity, name: str) -> None:
    """Refuse a new login by another provider than the only one whose rules name the user."""
    if issuer not in ("", identity.issuer):
        raise NameTaken(identity, name, {issuer})


def _refused(name: str) -> HTTPError:
    return HTTPError(
        403,
        "The name %s is another user's of this hub, and it is not known that this is you. If it "
        "is, ask an administrator of the hub to join the two logins.",
        name,
    )
