"""The base of the homespace slot: adapts any fsspec URL, such as ``s3://homes/{username}``.

The name is filled in so that no user's name can reach another's home. A home on a store is a
working copy on the server's disk, kept in step, unless ``mode`` says otherwise.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from traitlets import Enum, Float, Integer, TraitError, Unicode, validate

from greyhub.adapter import Adapter, Contribution, Finding, server_uid
from greyhub.addresses import DIRECTORIES, WrongAddress, check_address, is_meant_as_address
from greyhub.errors import ConfigError, HomeError, warn_renamed
from greyhub.homespace.deletion import delete_home, split
from greyhub.homespace.permissions import make_private
from greyhub.homespace.registry import HomeRegistry
from greyhub.homespace.secret_references import check_url
from greyhub.names import filename
from greyhub.option_kinds import Size
from greyhub.secrets import StorageOptions
from greyhub.sizes import size_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

URL = re.compile(r"^[a-z][a-z0-9+.-]*(::[a-z][a-z0-9+.-]*)*://", re.IGNORECASE)

UNKEPT = ("memory",)
"""Protocols of stores that end with their process, so that nothing is kept in step with them."""

SHUTDOWN = 15
"""Seconds that a notebook server may take to stop, before its home is saved."""


class HomeAdapter(Adapter):
    """A former name: traitlets reads a section for each class in the ancestry."""


_FormerName = HomeAdapter
del HomeAdapter


def __getattr__(name: str) -> Any:
    """The adapter by its former name, which tickets of running servers may hold."""
    if name != "HomeAdapter":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warn_renamed(name, "HomespaceAdapter")
    return HomespaceAdapter


class HomespaceAdapter(_FormerName):
    """Fills the slot with a fsspec URL for each user."""

    slot = "homespace"

    url = Unicode(
        help="The home's URL; ``{username}`` is replaced by the user's name, made safe.",
    )

    storage_options = StorageOptions(
        help="Options of the URL's filesystem, as plain JSON values. Users can read them. A secret "
        'is written ``greyhub.secret(env="NAME")`` or ``greyhub.secret(file="/path")``, and is '
        "read in the user's server: it is the user's credential, never the platform's.",
    ).tag(config=True, seen=True, example={"anon": False})

    mode = Enum(
        ["auto", "sync", "native", "object"],
        "auto",
        help="How a server has the home. ``sync``: as a directory on its own disk, kept in step "
        "with the store. ``native``: as the directory that a ``file:`` URL names, mounted there. "
        "``object``: only through ``hub.home``; ``~`` is not kept. ``auto``: what fits the URL.",
    ).tag(config=True, seen=True, example="sync")

    copies = Unicode(
        help="With ``sync``: the directory of the server's disk in which users' working copies "
        "stand. By default, ``copies`` in the hub's state for servers on the hub's machine, and "
        "``.local/share/greyhub`` in the account's home elsewhere.",
    ).tag(config=True, seen=True, example="/srv/copies")

    quota = Size(
        help="With ``sync``: the bytes that the store may hold of one home. More is kept on the "
        "server's disk only, and its user is told. By default, no limit.",
    ).tag(config=True, seen=True, example="10 GB")

    quota_files = Integer(
        0,
        min=0,
        help="With ``sync``: the files that the store may hold of one home; 0 is no limit.",
    ).tag(config=True, seen=True, example=200_000)

    grace = Float(
        30,
        min=1,
        help="With ``sync``: seconds in which a server that stops saves what is not saved yet. "
        "Spawners are told to wait that long before they kill it.",
    ).tag(config=True, seen=True)

    deletion = Enum(
        ["keep", "trash", "remove"],
        "keep",
        help="What becomes of a home when its user is deleted. ``keep``: it stays, and is for the "
        "same person when they come back. ``trash``: it goes to ``.trash`` beside the homes, under "
        "the day's date. ``remove``: it is gone. On a store, the hub itself needs the credentials. "
        "Removing a named server leaves the home alone: it is the user's.",
    ).tag(config=True, seen=True, example="trash")

    trash_days = Integer(
        30, min=1, help="Days after which what is in the trash is removed, at the next deletion."
    ).tag(config=True)

    @validate("mode")
    def _fits_the_url(self, proposal: Any) -> str:
        mode, protocol = str(proposal.value), _protocol(self.url)
        if mode == "native" and self.url and protocol not in DIRECTORIES:
            raise TraitError(f"{self.url!r} is no directory: 'native' is for file: URLs")
        if mode == "sync" and protocol in UNKEPT:
            raise TraitError(f"a home on {protocol}: has no working copy: choose 'object'")
        return mode

    @property
    def kept(self) -> str:
        """The mode that is in force: ``sync``, ``native`` or ``object``."""
        if self.mode != "auto":
            return str(self.mode)
        protocol = _protocol(self.url)
        if protocol in DIRECTORIES:
            return "native"
        return "object" if protocol in UNKEPT else "sync"

    @validate("url")
    def _names_the_user(self, proposal: Any) -> str:
        url: str = proposal.value
        if "{username}" not in url:
            raise TraitError(
                f"the home {url!r} would be one for all: put {{username}} where their names go"
            )
        if "?" in url or "#" in url or ".." in url.split("/"):
            raise TraitError(
                f"the home {url!r} holds '?', '#' or '..': names would not be safe there"
            )
        try:
            check_url(url)
        except ValueError as error:
            raise TraitError(str(error)) from None
        if is_meant_as_address(url):
            check_address(url)
        return url

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """A URL of any protocol that fsspec knows; `WrongAddress` for one with a slip in it."""
        if not isinstance(value, str):
            return None
        if is_meant_as_address(value):
            check_address(value)
            return {"url": value}
        if value.startswith(("/", "~", ".")) or ("{username}" in value and "/" in value):
            root = value.partition("{username}")[0].rstrip("/") or "/"
            raise WrongAddress(
                f"{value!r} is a directory's path, and no adapter or URL",
                f"write 'local', and c.LocalHomespace.root = {root!r}",
            )
        return None

    def contribute(self) -> Contribution:
        """Time to bring a home down, and to save what is not saved yet."""
        self._check_deletion()
        if not self.url or self.kept != "sync":
            return Contribution()
        patience = int(self.grace) + SHUTDOWN
        return Contribution(
            config={
                "Spawner": {"http_timeout": 120},
                "LocalProcessSpawner": {"term_timeout": patience},
                "KubeSpawner": {"delete_grace_period": patience},
            }
        )

    @property
    def own_options(self) -> Mapping[str, Any]:
        """The options with which the hub itself, and ``greyhub home``, open homes."""
        options: Mapping[str, Any] = self.storage_options
        return options

    def options_of(self, username: str) -> Mapping[str, Any]:
        """The options with which a user's server opens their home."""
        options: Mapping[str, Any] = self.storage_options
        return options

    @property
    def template(self) -> str:
        """Where homes are, with ``{username}`` where their names go."""
        return self.url or self.home_of("x", remembered=False).removesuffix("x") + "{username}"

    def new_claim(self, username: str, url: str) -> Mapping[str, Any] | None:
        """The claim of Kubernetes that a home needs, to be made if it is not there."""
        return None

    def home_of(self, username: str, *, remembered: bool = True) -> str:
        """The URL of a user's home: the one that is remembered, or what it would be now."""
        known = self.registry.read() if remembered else {}
        return known.get(username) or self.url.replace("{username}", filename(username))

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """The home's URL for this user, the same for good, and how a server has it."""
        name = spawner.user.name
        url = self.home_of(name, remembered=False)
        self.parent.make_state()
        url = await asyncio.to_thread(self.registry.remember, name, url, alone=True)
        if _protocol(url) == "pvc" or url.startswith("/"):
            kind = "a directory" if url.startswith("/") else "a claim"
            raise HomeError(
                f"the home of {name} is {url}, {kind}, and not at {self.url}.\n"
                "  fix: copy it, with greyhub home copy --switch, or set c.GreyHub.homespace as "
                "it was"
            )
        ticket: dict[str, Any] = {"url": url, "storage_options": dict(self.options_of(name))}
        if self.kept == "native":
            path = Path(urlsplit(url).path)
            if self.parent.servers_here:
                uid = server_uid(spawner)
                await asyncio.to_thread(make_private, path, uid, "c.GreyHub.homespace")
            return ticket | {"mode": "native", "path": str(path)}
        if self.kept == "sync":
            return ticket | {
                "mode": "sync",
                "directory": await asyncio.to_thread(self._place, spawner),
                "quota": {"bytes": size_of(self.quota), "files": self.quota_files},
                "grace": self.grace,
            }
        return ticket

    def _check_deletion(self) -> None:
        if self.url and self.deletion != "keep":
            try:
                split(self.home_of("x", remembered=False))
            except HomeError:
                raise ConfigError(
                    f"a home at {self.url} has nothing beside it, so it cannot be taken away alone",
                    where="c.HomespaceAdapter.deletion",
                    fix="set it to 'keep', or give homes a place of their own: "
                    "s3://bucket/{username}",
                ) from None

    @property
    def deletes_with_user(self) -> bool:
        """Whether ``deletion`` says so."""
        return bool(self.deletion != "keep")

    async def delete_user(self, username: str) -> None:
        """A user is deleted: what becomes of the home is what ``deletion`` says.

        Raises
        ------
        greyhub.errors.HomeError, OSError
            It could not be done. Doing it again goes on with it.
        """
        if self.deletion != "keep":
            days = self.trash_days if self.deletion == "trash" else 0
            where = await asyncio.to_thread(self.delete_home, username, days)
            self.log.info("greyhub: the home of %s: %s", username, where or "removed")

    def delete_home(self, username: str, days: int) -> str:
        """Take a user's home away; see `greyhub.homespace.deletion.delete_home`."""
        return delete_home(
            username,
            self.home_of(username),
            self.own_options,
            self.registry,
            copy=self.copy_of(username),
            days=days,
        )

    @property
    def registry(self) -> HomeRegistry:
        """Where every user's home is, as it was decided."""
        return HomeRegistry(self.parent.private / "homes.json")

    def copy_of(self, username: str) -> Path | None:
        """A user's working copy on the hub's machine, if there is one."""
        if self.kept != "sync" or not self.parent.servers_here:
            return None
        path = self._copies / filename(username)
        return path if path.exists() else None

    @property
    def _copies(self) -> Path:
        return self.resolve(self.copies) if self.copies else self.parent.state / "copies"

    def _place(self, spawner: Any) -> str:
        """The place of a user's working copy, made if servers run here; or ""."""
        name, uid = filename(spawner.user.name), server_uid(spawner)
        ours = self.parent.servers_here and (uid is not None or os.geteuid() != 0)
        if not ours:
            return f"{self.copies.rstrip('/')}/{name}" if self.copies else ""
        make_private(self._copies / name, uid, "c.HomespaceAdapter.copies")
        return str(self._copies / name)

    @classmethod
    def connect(cls, ticket: Mapping[str, Any], **options: Any) -> AbstractFileSystem:
        """A filesystem whose root is the home; the home is made if it is not there."""
        from greyhub.homespace.filesystem import Home
        from greyhub.homespace.synced_home import here

        if ticket.get("mode") == "native":
            return Home(ticket["path"])
        if ticket.get("mode") == "sync" and (copy := here(ticket, options)):
            return copy
        try:
            home = Home(ticket["url"], {**ticket["storage_options"], **options})
            home.makedirs("", exist_ok=True)
        except ImportError as error:
            raise HomeError(
                f"the home {ticket['url']} needs {error.name or error}, which is not installed.\n"
                "  fix: pip install 'greyhub[s3]', [azure], [sftp] or [webdav] in this "
                "server's environment, or the package that brings this kind of store"
            ) from error
        return home

    async def check(self) -> Sequence[Finding]:
        """Does the store answer, let this machine in, and agree on the time?"""
        from greyhub.homespace.live_check import store

        return await store(self.url, self.storage_options) if self.url else ()

    def label(self) -> str:
        """The URL, with the place for the name, and how servers have it."""
        how = {"sync": ", a working copy in each server", "object": ", by hub.home only"}
        return self.url + how.get(self.kept, "")


def _protocol(url: str) -> str:
    return url.partition("://")[0].partition("::")[0].lower()
