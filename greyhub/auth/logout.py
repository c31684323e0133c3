"""Log out of every session of a user, not only of this browser's."""

from __future__ import annotations

from jupyterhub.handlers.login import LogoutHandler
from jupyterhub.orm import new_token


class LogoutEverywhere(LogoutHandler):  # type: ignore[misc]
    """Ends a user's sessions in all browsers.

    JupyterHub's own logout clears the cookies of the browser alone, and a copy
    of them stays good for two weeks. Cookies carry an id that the hub keeps with
    the user; here the user gets another.
    """

    async def default_handle_logout(self) -> None:
        """Log out as JupyterHub does, and change the user's cookie id."""
        user = self.current_user
        await super().default_handle_logout()
        if user:
            user.orm_user.cookie_id = new_token()
            self.db.commit()
