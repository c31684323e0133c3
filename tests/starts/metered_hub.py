"""A hub whose metrics a token reads, with a profile that starts and one that never does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import make_directory
from tests.support.hubs import Hub

TOKEN = "a" * 32

CONFIG = """
c.Authenticator.allow_all = True
c.SpawnerAdapter.profiles = [
    {"name": "small", "cores": 1, "default": True}, {"name": "broken", "environment": "broken"}
]
"""


@contextmanager
def metered_hub(more: str = "") -> Iterator[Hub]:
    """One that runs; servers of its profile ``broken`` end as they start."""
    directory = make_directory()
    program = directory / "broken/bin/greyhub-singleuser"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    found = Hub(directory, CONFIG + more)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GREYHUB_METRICS_TOKEN", TOKEN)
            found.start()
        yield found
    finally:
        found.end()
