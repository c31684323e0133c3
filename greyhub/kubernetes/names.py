"""Names of objects in a cluster: readable, valid, and never the same for two."""

from __future__ import annotations

import re

from greyhub.names import short_id

READABLE = 30
"""Letters of a user's name that a name shows, at most."""


def object_name(kind: str, hub: str, user: str, server: str = "") -> str:
    """The name of what ``kind`` says, for one server of a user of one hub.

    A label of DNS, at most 63 letters long: ``jupyter-ada-lovelace-3f9c493cd5a7``. It is
    the same every time, also after a crash, and no other user, server or hub has it.
    """
    shown = re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[:READABLE].strip("-")
    return "-".join(filter(None, (kind, shown, short_id(hub, user, server))))
