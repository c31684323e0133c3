"""Names and tags of what is made in a workspace: the same every time, never the same for two."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from greyhub.names import lasting_id, short_id

VALID: Final = re.compile(r"[a-zA-Z](?![a-zA-Z0-9-]*-\d+$)[a-zA-Z0-9-]{2,23}")
"""A compute's name, by Azure ML's specification of its REST API."""

PREFIX: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,6}")

MARK: Final = "greyhub-"
"""What the names of tags begin with that tell for whom something is."""

HUB: Final = f"{MARK}hub"
USER: Final = f"{MARK}user"
SERVER: Final = f"{MARK}server"
CLUSTER: Final = f"{MARK}cluster"

LONGEST_TAG: Final = 256
"""Letters of a tag's value."""


def check_prefix(prefix: str) -> None:
    """Raise `ValueError` unless names may begin with it."""
    if not PREFIX.fullmatch(prefix):
        raise ValueError(
            f"{prefix!r} cannot begin a name: write a letter, and up to six letters and digits more"
        )


def instance_name(prefix: str, hub: str, user: str, server: str = "") -> str:
    """The name of the instance of one server of a user of one hub.

    At most 24 letters: ``jupyter-kdcfmnpabehgjloi``. A region has each name once, also in
    others' workspaces: the last 16 letters are of a digest of all four. It never ends in
    a hyphen and digits, which Azure ML does not take.
    """
    check_prefix(prefix)
    joined = "\0".join((prefix, hub, user, server)).encode()
    digest = hashlib.sha256(joined).hexdigest()[:16]
    return f"{prefix}-{digest.translate(_LETTERS)}"


_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def hub_id(directory: Path) -> str:
    """What tells a hub from others of its workspace: made once, and kept in its state."""
    return lasting_id(directory / "azureml-id")


def tags(hub: str, user: str, server: str = "") -> dict[str, str]:
    """The tags that tell whose something is."""
    return {HUB: short_id("hub", hub), USER: _value(user), SERVER: _value(server)}


def _value(name: str) -> str:
    """A name as the value of a tag: whole, or if it is too long with a digest at its end."""
    if len(name) <= LONGEST_TAG:
        return name
    return f"{name[: LONGEST_TAG - 13]}-{short_id(name)}"


def tags_of(resource: Mapping[str, Any]) -> Mapping[str, str]:
    """The tags of a compute, or of a job, which has them among its properties."""
    found = resource.get("tags") or (resource.get("properties") or {}).get("tags") or {}
    return found if isinstance(found, Mapping) else {}


def is_of(resource: Mapping[str, Any], whose: Mapping[str, str]) -> bool:
    """Whether a resource carries all of these tags."""
    found = tags_of(resource)
    return all(found.get(key) == value for key, value in whose.items())


def is_of_hub(resource: Mapping[str, Any], hub: str) -> bool:
    """Whether a resource is one of this hub's."""
    return is_of(resource, {HUB: short_id("hub", hub)})
