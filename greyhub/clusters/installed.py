"""What is installed for an interpreter: its distributions, by the names of their metadata.

The text of this module is also run by schedulers, whose Python may be another one and which
may have no greyhub: it imports the standard library alone.
"""

from __future__ import annotations

import os
import re
import sys

NAMES = re.compile(r"(\w.*?)-([^-]+)(?:-py[\d.]+)?\.(?:dist-info|egg-info)$")


def installed() -> dict[str, object]:
    """The version of Python, and the version and folder of each distribution."""
    versions: dict[str, str] = {}
    places: dict[str, str] = {}
    for place in sys.path:
        try:
            entries = sorted(os.listdir(place or "."))
        except OSError:
            continue
        for entry in entries:
            found = NAMES.match(entry)
            name = re.sub(r"[-_.]+", "-", found[1]).lower() if found else ""
            if found and name not in versions:  # the first on the path is the one imported
                versions[name], places[name] = found[2], place
    python = ".".join(str(part) for part in sys.version_info[:3])
    return {"python": python, "versions": versions, "places": places}
