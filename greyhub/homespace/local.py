"""Homes in directories on the hub's own machine."""

from __future__ import annotations

import asyncio
import errno
import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Enum, Float, Integer, Unicode

from greyhub.adapter import Contribution, Finding, server_uid
from greyhub.directories import make_passable
from greyhub.errors import ConfigError, HomeError, warn_renamed
from greyhub.homespace.adapter import HomespaceAdapter
from greyhub.homespace.permissions import check_owner
from greyhub.mounts import FSTAB, unmounted
from greyhub.names import filename

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class LocalHome(HomespaceAdapter):
    """A former name: traitlets reads a section for each class in the ancestry."""


_FormerName = LocalHome
del LocalHome


def __getattr__(name: str) -> Any:
    """The adapter by its former name, which tickets of running servers may hold."""
    if name != "LocalHome":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warn_renamed(name, "LocalHomespace")
    return LocalHomespace


class LocalHomespace(_FormerName):
    """A private directory for each user."""

    # None of these here: a directory has no options, and is no copy of anything.
    storage_options = Dict()
    mode = Enum(["native"], "native")
    copies, quota = Unicode(), Unicode()
    quota_files, grace = Integer(), Float()

    root = Unicode(
        help="The directory that holds the homes; by default ``homes`` in the state directory."
    ).tag(config=True, example="/srv/greyhub/homes")

    welcome = Unicode(
        help="A directory whose content a new home begins with. An existing home is left alone."
    ).tag(config=True, example="welcome")

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a URL is the base class's."""
        return None

    @property
    def directory(self) -> Path:
        """The directory that holds the homes."""
        return self.resolve(self.root) if self.root else self.parent.state / "homes"

    def path(self, username: str) -> Path:
        """The home of a user; no two users share one.

        Raises
        ------
        greyhub.errors.HomeError
            It is the home of another user, who was renamed.
        """
        known, path = self.registry.read(), self.directory / filename(username)
        if known.get(username, "").startswith("/"):
            return Path(known[username])  # of a user who was renamed, or merged with another
        if str(path) in known.values():
            other = next(name for name, where in known.items() if where == str(path))
            raise HomeError(
                f"the directory {path} is the home of {other}, whose name it was: {username} "
                "cannot have it.\n  fix: give this user another name"
            )
        return path

    def home_of(self, username: str, *, remembered: bool = True) -> str:
        """The directory of a user's home, which is the same for good."""
        return str(self.path(username) if remembered else self.directory / filename(username))

    def contribute(self) -> Contribution:
        """Nothing but a look at the welcome files."""
        self._check_deletion()
        self._check_root()
        welcome = self.resolve(self.welcome)
        if self.welcome and not welcome.is_dir():
            raise ConfigError(
                f"{welcome} is not a directory",
                where="c.LocalHomespace.welcome",
                fix="name the directory that a new home begins with, or leave the option out",
            )
        return Contribution()

    def _check_root(self) -> None:
        """Refuse a place in which there can be no directory, where servers run here."""
        place = _nearest(self.directory)
        if self.root and self.parent.servers_here and not place.is_dir():
            where = "it" if place == self.directory else self.directory
            raise ConfigError(
                f"{place} is a file, and homes would be in {where}",
                where="c.LocalHomespace.root",
                fix="name a directory",
            )

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Make the home if it is not there."""
        path = self.path(spawner.user.name)
        await asyncio.to_thread(self.make, path, server_uid(spawner))
        return {"path": str(path)}

    def make(self, path: Path, uid: int | None) -> None:
        """Make a home, whole or not at all; an existing one is left alone.

        Raises
        ------
        greyhub.errors.HomeError
            It cannot be made, belongs to another uid, or cannot be reached by its owner.
        """
        try:
            make_passable(self.directory)
            if not path.exists():
                self._create(path, uid)
            found = path.stat()
        except (OSError, shutil.Error) as error:
            raise HomeError(
                f"the home {path} cannot be made: {error}.\n"
                f"  fix: let the hub's user write to {self.directory}, or set c.LocalHomespace.root"
            ) from error
        check_owner(path, found.st_uid, uid, "c.LocalHomespace.root")

    def _create(self, path: Path, uid: int | None) -> None:
        # A home comes into being by one rename, with its content and its owner.
        building = Path(tempfile.mkdtemp(prefix=".new-", dir=self.directory))
        try:
            if self.welcome:
                shutil.copytree(self.resolve(self.welcome), building, dirs_exist_ok=True)
            building.chmod(0o700)
            if uid is not None:
                for each in (building, *building.rglob("*")):
                    os.chown(each, uid, uid, follow_symlinks=False)
            building.rename(path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise  # otherwise another server of the same user was first
        finally:
            shutil.rmtree(building, ignore_errors=True)

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> AbstractFileSystem:
        """A filesystem whose root is the home."""
        from greyhub.homespace.filesystem import Home

        return Home(ticket["path"])

    async def check(self) -> Sequence[Finding]:
        """Can homes be made, and is there room for them?"""
        return await asyncio.to_thread(self._check)

    def _check(self) -> list[Finding]:
        option = "c.LocalHomespace.root"
        if mount := unmounted(self.directory):
            return [
                Finding(
                    "error",
                    f"{mount} is in {FSTAB} and not mounted: homes would be made beneath it, and "
                    "hidden when it is",
                    f"mount {shlex.quote(str(mount))}",
                    option=option,
                )
            ]
        place = _nearest(self.directory)
        try:
            Path(tempfile.mkdtemp(prefix=".new-", dir=place)).rmdir()
        except OSError as error:
            return [
                Finding(
                    "error",
                    f"homes cannot be made in {self.directory}: {error.strerror or error}",
                    f"mount -o remount,rw what {place} is on, or set {option}"
                    if error.errno == errno.EROFS
                    else f"let the hub's user write there, or set {option}",
                    option=option,
                )
            ]
        free = shutil.disk_usage(place).free
        return [Finding("ok", f"{free / 1e9:.0f} GB free in {self.directory}")]

    def label(self) -> str:
        """A directory per user."""
        return "a private directory for each user"


def _nearest(directory: Path) -> Path:
    """The directory, or what there is of those above it."""
    return next(each for each in (directory, *directory.parents) if each.exists())
