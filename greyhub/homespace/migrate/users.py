"""Whose homes are migrated, where they are, and whose servers run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from greyhub.errors import HomeError
from greyhub.homespace.adapter import HomespaceAdapter
from greyhub.homespace.migrate.locations import Location
from greyhub.homespace.registry import HomeRegistry
from greyhub.homespace.secret_references import Secrets, check_url
from greyhub.homespace.stores import open_store
from greyhub.kubernetes.names import filled_in
from greyhub.names import filename

HERE = "{username}"


@dataclass(frozen=True)
class PlatformHomes:
    """The homes of many users on one backend.

    Raises
    ------
    greyhub.errors.HomeError
        The users could not be told apart there, or a secret stands in the open.
    """

    template: str
    """A URL or a directory, with ``{username}`` where their names go."""
    options: Mapping[str, Any] = field(default_factory=dict)
    adapter: HomespaceAdapter | None = None
    """The one that made the template, if it came from a platform's configuration."""

    def __post_init__(self) -> None:
        try:
            Secrets(self.options)
            check_url(self.template)
        except ValueError as error:
            raise HomeError(str(error)) from None

    @classmethod
    def of_platform(cls, adapter: HomespaceAdapter) -> PlatformHomes:
        """The homes of a platform, by its configuration."""
        return cls(adapter.template, dict(adapter.own_options), adapter)

    def of(self, user: str, *, remembered: bool) -> Location:
        """Where one user's home is; ``remembered``, as it was decided once.

        The user "" is nobody: then the template is the home.
        """
        if not user:
            return Location(self.template, self.options)
        if self.adapter is None:
            url = self.template.replace(HERE, filename(user))
            if self.on_claims:  # braces may name all that KubeSpawner's templates have
                url = filled_in(self.template, user)[0]
            return Location(url, self.options)
        url = self.adapter.home_of(user, remembered=remembered)
        owner = _uid(self.adapter.parent.private, user)
        return Location(url, self.options, owner, self.adapter.new_claim(user, url))

    @property
    def registry(self) -> HomeRegistry | None:
        """What the platform remembers of them."""
        return self.adapter.registry if self.adapter else None

    def users(self, known: Iterable[str]) -> list[str]:
        """Everyone who has a home there, as far as the place can be listed.

        Parameters
        ----------
        known : iterable of str
            Users who may have one: a long name cannot be read from its folder's.
        """
        names = {filename(name): name for name in known}
        remembered = self.registry.read() if self.registry else {}
        found = set(remembered)
        for folder in self._folders():
            name = names.get(folder) or unquote(folder)
            with suppress(ValueError):
                if filename(name) == folder and self._of_template(name) not in remembered.values():
                    found.add(name)
        return sorted(found)

    def _of_template(self, user: str) -> str:
        """Where a home of this name would be, which may be of a user who was renamed."""
        return self.adapter.home_of(user, remembered=False) if self.adapter else ""

    @property
    def tells_users_apart(self) -> bool:
        """Whether there is a place for the users' names in the template."""
        return HERE in self.template or (self.on_claims and "{" in self.template)

    @property
    def on_claims(self) -> bool:
        """Whether they are on claims of Kubernetes."""
        return self.template.startswith("pvc://")

    def _folders(self) -> Iterator[str]:
        """The users' parts in the names of what is there."""
        if self.on_claims:
            if self.adapter is not None:
                return  # all of them are remembered
            raise HomeError(
                f"who has a home at {self.template} cannot be told from here.\n"
                "  fix: name them, with --user"
            )
        before, _, after = self.template.partition(HERE)
        top, _, start = before.rpartition("/")
        end = after.partition("/")[0]
        if not top or top.endswith(":/"):
            if self.adapter is not None:
                return  # all of them are remembered
            raise HomeError(
                f"who has a home at {self.template} cannot be told from there.\n"
                "  fix: name them, with --user"
            )
        store = open_store(top, Secrets(self.options), 60.0)
        with suppress(FileNotFoundError):
            for entry in store.entries(""):
                name = entry.name.removeprefix(start).removesuffix(end)
                if entry.type == "directory" and name and entry.name == start + name + end:
                    yield name


def _uid(private: Path, user: str) -> int | None:
    """The uid that the user's servers run under on the hub's machine, if they had one."""
    try:
        uid = json.loads((private / "uids.json").read_text()).get(user)
    except (OSError, ValueError):
        return None
    return uid if isinstance(uid, int) else None
