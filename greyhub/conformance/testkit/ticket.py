"""Configure an adapter of greyhub's and ask it for a ticket, as hub and notebook do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from traitlets.config import Config, LoggingConfigurable

from greyhub.adapter import Adapter
from greyhub.conformance.limits import PATIENCE


class Platform(LoggingConfigurable):
    """As much of a platform as an adapter asks of its parent."""

    directory = Path.cwd()

    def resolve(self, path: str | Path) -> Path:
        """A path; a relative one stands in `directory`."""
        return self.directory / Path(path).expanduser()


def configured(cls: type[Adapter], options: Mapping[str, Mapping[str, Any]], place: Path) -> Any:
    """The hub's half of an adapter; relative paths in its options stand in ``place``."""
    platform = Platform()
    platform.directory = place
    config = Config({section: dict(values) for section, values in options.items()})
    return cls(parent=platform, config=config)


def ticket(adapter: Adapter, user: str) -> dict[str, Any]:
    """The ticket for a user's server, as it arrives there: JSON."""
    spawner = SimpleNamespace(
        user=SimpleNamespace(name=user, escaped_name=user, groups=[]),
        name="",
        user_options={},
        environment={},
        log=adapter.log,
    )
    # A hub's loop is another than the notebook's, which may run in this thread.
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(asyncio.run, adapter.ticket(spawner))
        answer: dict[str, Any] = json.loads(json.dumps(dict(asked.result(10 * PATIENCE))))
    return answer


def connect(
    subject: Any,
    options: Mapping[str, Mapping[str, Any]],
    user: str,
    place: Path,
    **arguments: Any,
) -> Any:
    """What a notebook of a user's holds: by a ticket of an adapter of greyhub's, or by a call.

    Any other class or function is called with all `options`, whatever section they
    are in, and the arguments.
    """
    if isinstance(subject, type) and issubclass(subject, Adapter):
        return subject.connect(ticket(configured(subject, options, place), user), **arguments)
    given = {name: value for section in options.values() for name, value in section.items()}
    return subject(**{**given, **arguments})
