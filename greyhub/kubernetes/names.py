"""Names of objects in a cluster: readable, valid, and never the same for two."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Final

from greyhub.names import filename, lasting_id, short_id

READABLE = 30
"""Letters of a user's name that a name shows, at most."""


def object_name(kind: str, hub: str, user: str, server: str = "") -> str:
    """The name of what ``kind`` says, for one server of a user of one hub.

    A label of DNS, at most 63 letters long: ``jupyter-ada-lovelace-3f9c493cd5a7``. It is
    the same every time, also after a crash, and no other user, server or hub has it.
    """
    shown = re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[:READABLE].strip("-")
    return "-".join(filter(None, (kind, shown, short_id(hub, user, server))))


def hub_id(directory: Path) -> str:
    """What tells a hub from others in its cluster: made once, and kept in its state."""
    return lasting_id(directory / "kubernetes-id")


def hub_label(hub: str) -> str:
    """The value of the label that tells whose something is."""
    return short_id("hub", hub)


LONGEST: Final = 48
"""Letters of a name that KubeSpawner leaves as it is."""

_SCHEMES: Final = ("safe", "escape")


def _names(user: str, scheme: str) -> Mapping[str, str]:
    """What braces in a template may name: KubeSpawner's names, of the user's default server."""
    from kubespawner.slugs import escape_slug, multi_slug, safe_slug

    safe, escaped = safe_slug(user, max_length=LONGEST), escape_slug(user)
    server = safe if len(safe) + 2 <= LONGEST else multi_slug([user, ""], max_length=LONGEST)
    chosen, of_server = {"safe": (safe, server), "escape": (escaped, escaped)}[scheme]
    return {
        "username": chosen,
        "user_server": of_server,
        "servername": "",
        "safe_username": safe,
        "safe_user_server": server,
        "safe_servername": "",
        "escaped_username": escaped,
        "escaped_user_server": f"{escaped}--",
        "escaped_servername": "",
        "filename": filename(user),
    }


def check_template(template: str) -> None:
    """Raise `ValueError` unless a template names each user's own, and nothing else's."""
    known = _names("x", "safe")
    try:
        fields = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError:
        fields = ["?"]
    if not set(fields) <= known.keys():
        raise ValueError(
            f"{template!r} holds braces that name nothing: write {{username}}, or another of "
            f"{', '.join(sorted(known))}"
        )
    if not any(known[name] for name in fields):
        raise ValueError(
            f"{template!r} would be one for all: put {{username}} where their names go"
        )


def filled_in(template: str, user: str, scheme: str = "safe") -> list[str]:
    """The names that KubeSpawner makes of a template, the one by its ``slug_scheme`` first.

    Where the two schemes differ, the other one's is second: KubeSpawner looks for that, too.
    """
    schemes = [scheme, *(each for each in _SCHEMES if each != scheme)]
    found = [template.format(**_names(user, each)) for each in schemes]
    return list(
        dict.fromkeys(name if template.endswith("-") else name.rstrip("-") for name in found)
    )
