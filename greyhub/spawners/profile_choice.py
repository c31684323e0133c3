"""Which profile a server starts with: who may take it, what was asked for, what it changes.

What a user asks for is the profile's name, in the Spawner's ``user_options``; it comes
from the form, from a link or from the REST API, and is checked at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from greyhub.spawners.profile_form import render
from greyhub.spawners.profile_refusal import count_no_failure, refusal
from greyhub.spawners.profiles import Profile

OPTION = "profile"
"""The key of ``user_options``, and the field of the form."""


class ProfileChoice:
    """The profiles of a platform, of which a server starts with one.

    Parameters
    ----------
    profiles : sequence of Profile
        At least one.
    options : callable
        From a profile and a Spawner to the Spawner's options under it.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        options: Callable[[Profile, Any], Mapping[str, Any]],
    ) -> None:
        self.profiles, self.options = profiles, options

    def permitted(self, user: Any) -> list[Profile]:
        """The profiles that a user may take."""
        groups = {group.name for group in user.groups}
        return [each for each in self.profiles if each.is_for(groups)]

    def form(self, spawner: Any) -> str:
        """The part of the options form that asks for a profile; none where there is no choice."""
        permitted = self.permitted(spawner.user)
        last = (spawner.orm_spawner.user_options or {}).get(OPTION)
        names = [profile.name for profile in permitted]
        if last is not None and last not in names:
            forget(spawner)  # without a form, what was taken last time would be asked for
        if len(permitted) < 2:
            return ""
        return render(permitted, last if last in names else _default(permitted).name)

    def chosen(self, spawner: Any) -> Profile:
        """The profile of this start.

        Raises
        ------
        tornado.web.HTTPError
            There is no such profile, or it is not for this user.
        """
        user, asked = spawner.user, spawner.user_options.get(OPTION)
        permitted = {profile.name: profile for profile in self.permitted(user)}
        choose = f"choose one of: {', '.join(permitted)}"
        if not permitted:
            raise refusal(
                403, f"no profile is for {user.name}: ask an administrator for a group that has one"
            )
        if asked is None:
            return _default(list(permitted.values()))
        if not isinstance(asked, str):
            raise refusal(400, f"the name of a profile is a text; {choose}")
        if asked in permitted:
            return permitted[asked]
        if asked in [profile.name for profile in self.profiles]:
            raise refusal(403, f"the profile {asked} is not for {user.name}; {choose}")
        raise refusal(400, f"there is no such profile; {choose}")

    def apply(self, spawner: Any) -> None:
        """Give a Spawner the options of the profile of this start; those of the last are undone.

        Raises
        ------
        tornado.web.HTTPError
            See `chosen`.
        """
        try:
            profile = self.chosen(spawner)
        except Exception:
            forget(spawner)
            count_no_failure(spawner)
            raise
        spawner.profile_name = profile.name
        values = self.options(profile, spawner)
        for name, value in values.items():
            spawner.before_profile[name] = getattr(spawner, name)
            setattr(spawner, name, value)
        spawner.log.info("greyhub: %s starts with profile %s", spawner._log_name, profile.name)


def _default(permitted: Sequence[Profile]) -> Profile:
    return next((profile for profile in permitted if profile.default), permitted[0])


def undo(spawner: Any) -> None:
    """Give back to a Spawner the options that it had before the last profile."""
    while spawner.before_profile:
        setattr(spawner, *spawner.before_profile.popitem())


def forget(spawner: Any) -> None:
    """Let the next start not ask again for the profile that was asked for last."""
    stored = spawner.orm_spawner
    rest = {name: each for name, each in (stored.user_options or {}).items() if name != OPTION}
    stored.user_options = spawner.user_options = rest
    spawner.user.db.commit()
