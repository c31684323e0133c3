"""What a hub knows of one server's machine, and what of it another hub goes on with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from greyhub.rendezvous.news import News
from greyhub.rendezvous.offers import Offer, Registration
from greyhub.rendezvous.protocol import PublicKeys

KEPT: Final = ("invitation", "until", "contested", "run", "host", "port")
"""What of a record is kept for the next hub, beside the keys."""


class Record:
    """The record of one server's machine.

    Parameters
    ----------
    user, server : str
        Whose it is.
    """

    def __init__(self, user: str, server: str) -> None:
        self.user, self.server = user, server
        self.keep: Callable[[], None] = lambda: None
        """Called when `state` is another one, before an agent gets its answer."""

        self.when_over: Callable[[], None] = lambda: None
        """Called when `over` is true: there is a machine, and no server of use."""

        self._news = News()
        self._clear()

    def _clear(self) -> None:
        self.invitation, self.until = "", 0.0
        self.keys: PublicKeys | None = None
        self.registration: Registration | None = None
        self.contested, self.suspicion = False, ""
        self.run, self.host, self.port = "", "", 0
        self.status: int | None = None
        self.failure = ""
        self.seen: float | None = None
        """When the agent was heard of last, by `time.monotonic`."""

        self.idle = False
        """Whether the agent has said that nothing runs."""

        self.invited_here = False
        """Whether this hub has given the invitation, and no earlier one."""

        self._make: Callable[[], Awaitable[Offer]] | None = None
        self._networks: Sequence[str] | None = ()

    @property
    def name(self) -> str:
        """For people: ``ada`` or ``ada/gpu``."""
        return f"{self.user}/{self.server}" if self.server else self.user

    @property
    def over(self) -> bool:
        """Whether the server has ended or cannot be used, and nobody has asked for that."""
        return bool(self.contested or self.failure)

    @property
    def usable(self) -> bool:
        """Whether its agent is known, so that the machine need only start."""
        return self.keys is not None and not self.contested

    @property
    def reason(self) -> str:
        """Why it is over, for people."""
        if self.contested:
            return self.suspicion or (
                f"two agents registered with the nonce of {self.name}: somebody has read it in the "
                "setup script, and neither is trusted\n"
                "  fix: find out who can read it, then start the server again"
            )
        return self.failure

    def state(self) -> dict[str, Any]:
        """What a hub that starts again must know. Nothing of it is secret."""
        keys = asdict(self.keys) if self.keys else None
        return {"keys": keys, **{name: getattr(self, name) for name in KEPT}}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what an earlier hub knew."""
        for name in KEPT:
            setattr(self, name, state.get(name, getattr(self, name)))
        keys = state.get("keys")
        self.keys = PublicKeys(keys["signing"], keys["sealing"]) if keys else self.keys

    def _changed(self) -> None:
        self.keep()
        self._news.tell()
        if self.over:
            self.when_over()
