"""Which profile a server starts with: who may take it, what was asked for, what it changes.

What a user asks for is the profile's name, in the Spawner's ``user_options``; it comes
from the form, from a link or from the REST API, and is checked at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from greyhub.awaitables import awaited
from greyhub.spawners.profile_form import render
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
        return [each for each in self.profiles if each.groups is None or groups & each.groups]

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
            _count_no_failure(spawner)
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


def refusal(status: int, words: str) -> Exception:
    """The error of a start that is refused, for which no Spawner is to blame."""
    import jupyterhub.spawner

    from greyhub.spawners.failed import ServerRefused

    words = f"{words[0].upper()}{words[1:]}."
    if _counts_refusals():
        return ServerRefused(words, status, kind="profile")
    error: Any = jupyterhub.spawner.SpawnException(words, reason="profile", status_code=status)
    error.jupyterhub_message = words
    refused: Exception = error
    return refused


def _count_no_failure(spawner: Any) -> None:
    """JupyterHub 5 ends itself after some failures in a row, and would count this as one."""
    if _counts_refusals() and spawner.handler:
        settings = spawner.handler.settings
        settings["failure_count"] = settings.get("failure_count", 0) - 1


def _counts_refusals() -> bool:
    import jupyterhub.spawner

    return not hasattr(jupyterhub.spawner, "SpawnException")


class ProfileSpawner:
    """What a Spawner class gains where there are profiles; it stands first among the bases."""

    profile_choice: ClassVar[ProfileChoice]
    user_options: Mapping[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.before_profile: dict[str, Any] = {}
        super().__init__(*args, **kwargs)

    async def get_options_form(self) -> str:
        """The profiles, and then the form of the Spawner itself."""
        own = self.profile_choice.form(self)
        theirs = await awaited(super().get_options_form())  # type: ignore[misc]
        return f"{own}{theirs or ''}"

    async def run_options_from_form(self, form_data: Mapping[str, Any]) -> dict[str, Any]:
        """``user_options`` of a form: the profile, and what the Spawner makes of the rest."""
        asked, rest = _split(form_data)
        return {**await awaited(super().run_options_from_form(rest)), **asked}  # type: ignore[misc]

    async def options_from_query(self, query_data: Mapping[str, Any]) -> dict[str, Any]:
        """The same of a link's parameters."""
        asked, rest = _split(query_data)
        return {**await awaited(super().options_from_query(rest)), **asked}  # type: ignore[misc]

    async def _run_apply_user_options(self, user_options: Mapping[str, Any]) -> None:
        """Not of the profile: JupyterHub would warn that nothing handles it."""
        await super()._run_apply_user_options(_split(user_options)[1])  # type: ignore[misc]

    async def start(self) -> Any:
        """Start: meanwhile, the Spawner sees its own options alone, for it may refuse others."""
        asked = self.user_options
        self.user_options = _split(asked)[1]
        try:
            return await awaited(super().start())  # type: ignore[misc]
        finally:
            self.user_options = asked

    def clear_state(self) -> None:
        """Before a start and after a stop: no option is the last profile's."""
        undo(self)
        super().clear_state()  # type: ignore[misc]


def _split(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The profile, which a form gives as a list of one text, and the rest."""
    rest = {name: value for name, value in options.items() if name != OPTION}
    asked = options.get(OPTION)
    if isinstance(asked, list) and len(asked) == 1:
        asked = asked[0]
    return ({} if asked is None else {OPTION: asked}), rest
