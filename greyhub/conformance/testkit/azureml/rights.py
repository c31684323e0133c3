"""Roles of Azure, as sets of actions, and what they allow."""

from __future__ import annotations

import re
from dataclasses import dataclass

from greyhub.conformance.testkit.azureml.errors import ArmError

_ML = "Microsoft.MachineLearningServices/workspaces"


@dataclass(frozen=True)
class Role:
    """Actions that are allowed, less those that are not."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether this role alone allows an action."""
        return _any(self.actions, action) and not _any(self.not_actions, action)

    def body(self) -> dict[str, list[str]]:
        """As the permissions API lists it."""
        return {
            "actions": list(self.actions),
            "notActions": list(self.not_actions),
            "dataActions": [],
            "notDataActions": [],
        }


ROLES = {
    "Owner": Role(("*",)),
    "Contributor": Role(
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    ),
    "Reader": Role(("*/read",)),
    "AzureML Data Scientist": Role(
        tuple(f"{_ML}/*/{verb}" for verb in ("read", "action", "delete", "write")),
        (
            f"{_ML}/delete",
            f"{_ML}/write",
            f"{_ML}/computes/*/write",
            f"{_ML}/computes/*/delete",
            f"{_ML}/computes/listKeys/action",
            f"{_ML}/listKeys/action",
        ),
    ),
    "AzureML Compute Operator": Role((f"{_ML}/computes/*", f"{_ML}/notebooks/vm/*")),
}
"""Built-in roles, by name; what of them concerns other services is left out."""


class Rights:
    """What the simulator's identities may do; anything, until `grant` says otherwise."""

    def __init__(self) -> None:
        self.roles: list[Role] = [ROLES["Contributor"]]

    def grant(self, *roles: str | Role) -> None:
        """Give these roles, and no others; none at all takes every right away."""
        self.roles = [ROLES[role] if isinstance(role, str) else role for role in roles]

    def demand(self, action: str, object_id: str, scope: str) -> None:
        """Raise 403, as Azure does, if no role allows the action."""
        if not any(role.allows(action) for role in self.roles):
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client with object id '{object_id}' has no authorization to perform action "
                f"'{action}' over scope '{scope}', or the scope is invalid.",
            )


def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


def _pattern(text: str) -> re.Pattern[str]:
    # A star between slashes may stand for nothing: computes/*/write means computes/write, too.
    words = re.escape(text).replace(r"/\*/", "/(?:.*/)?").replace(r"\*", ".*")
    return re.compile(words, re.IGNORECASE)
