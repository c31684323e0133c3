"""What a Spawner class gains where there are profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from greyhub.awaitables import awaited
from greyhub.spawners.profile_choice import OPTION, ProfileChoice, undo


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
