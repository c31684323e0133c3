"""Rules by group, for every Authenticator class: ``allowed_groups`` and ``admin_groups``.

JupyterHub has ``c.Authenticator.allowed_users`` and ``admin_users`` for all classes, and
rules for groups in some of them only. A group is what the class says it is, where it tells
groups: a provider's claim, the machine's own. Otherwise it is one of the hub's groups.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tornado.web import HTTPError
from traitlets import Set, default

from greyhub.awaitables import awaited
from greyhub.class_names import made_from, named_as

OWN = ("OIDCAuthenticator", "NullAuthenticator")
"""Classes that have all of this by themselves, or let nobody in."""


def with_group_rules(cls: Any) -> Any:
    """An Authenticator class whose rules may be for groups, and hold while users stay."""
    if made_from(cls, *OWN):
        return cls
    of_machine = made_from(cls, "LocalAuthenticator")

    class Authenticator(cls):  # type: ignore[misc]
        if not hasattr(cls, "allowed_groups"):
            allowed_groups = Set(
                help="Members of these groups may log in: of the groups that the authenticator "
                "tells, if it manages groups, else of the hub's own.",
            ).tag(config=True, allow_config=True)

        if not hasattr(cls, "admin_groups"):
            admin_groups = Set(
                help="Members of these groups are admins, and nobody else but ``admin_users`` is. "
                "They must be allowed in, too.",
            ).tag(config=True)

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            if self.allowed_groups and not self.trait_has_value("allow_all"):
                self.allow_all = False  # some classes let everybody in where no user is named

        @default("allow_existing_users")
        def _not_whoever_was_in_a_group(self) -> bool:
            return bool(self.allowed_users) and not self.allowed_groups

        async def check_allowed(self, username: str, *args: Any, **kwargs: Any) -> bool:
            """Whether a user may come in, by the class's own rules or by a group."""
            if await awaited(super().check_allowed(username, *args, **kwargs)):
                return True
            model = args[0] if args else kwargs.get("authentication", kwargs.get("auth_model"))
            return bool(self.allowed_groups & self._groups(username, model))

        async def is_admin(self, handler: Any, authentication: Any) -> bool | None:
            """Whether a user is an admin, by the class's own rules or by a group."""
            found: bool | None = await awaited(super().is_admin(handler, authentication))
            if found or of_machine or not self.admin_groups:
                return found
            groups = self._groups(authentication["name"], authentication)
            return bool(self.admin_groups & groups)

        async def refresh_user(self, user: Any, *args: Any, **kwargs: Any) -> Any:
            """Refresh as the class does; the hub's rules and groups may have changed, too."""
            answer = await awaited(super().refresh_user(user, *args, **kwargs))
            if answer is not True or not (self.allowed_groups or self.admin_groups):
                return answer
            model = {
                "name": user.name,
                "admin": True if user.name in self.admin_users else None,
                "groups": [group.name for group in user.groups],
                "auth_state": await user.get_auth_state(),
            }
            if not await self._may_stay(user.name, model):
                drop_rights(user)
                self.log.info("greyhub: the login of %s has ended: no rule admits them", user.name)
                self._refused.add(user.name)
                return False
            self._refused.discard(user.name)
            admin = await self.is_admin(None, model)
            return True if admin in (None, user.admin) else {**model, "admin": admin}

        async def login_refused(self, user: Any) -> bool:
            """Whether the last refresh refused a user; not, if nothing was to be known."""
            return user.name in self._refused

        @property
        def _refused(self) -> set[str]:
            found: set[str] = self.__dict__.setdefault("_names_refused", set())
            return found

        async def _may_stay(self, username: str, model: dict[str, Any]) -> bool:
            try:
                if not await awaited(self.check_blocked_users(username, model)):
                    return False
                return self.allow_all or await self.check_allowed(username, model)
            except HTTPError as error:
                return error.status_code >= 500
            except Exception as error:  # another's code, which may ask who does not answer
                self.log.warning("greyhub: whether %s may stay is not known: %r", username, error)
                return True

        def _groups(self, username: str, model: Any) -> set[str]:
            """A user's groups, as far as rules here are for them."""
            if of_machine:
                return set()
            told = (model or {}).get("groups") if self.manage_groups else None
            return set(self._of_hub(username) if told is None else told)

        def _of_hub(self, username: str) -> Iterable[str]:
            from jupyterhub import orm

            user = orm.User.find(self.parent.db, username)
            return (group.name for group in user.groups) if user else ()

    return named_as(Authenticator, cls)


def drop_rights(user: Any, groups: Iterable[str] | None = None) -> None:
    """Take rights from a user whom the rules refuse: JupyterHub leaves them to their tokens.

    Parameters
    ----------
    user : jupyterhub.user.User
        Who.
    groups : iterable of str, optional
        The groups that they are in still, where an authenticator tells them.
    """
    from jupyterhub.roles import assign_default_roles

    user.admin = False
    if groups is not None:
        user.sync_groups(list(groups))
    assign_default_roles(user.db, entity=user.orm_user)
    user.db.commit()
