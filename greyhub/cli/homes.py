"""What the arguments of the commands for homes stand for: homes, and their users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from greyhub.addresses import WrongAddress, check_address, is_meant_as_address
from greyhub.cli.home_options import DEFAULT
from greyhub.errors import HomeError
from greyhub.homespace.adapter import URL, HomespaceAdapter
from greyhub.homespace.migrate.locations import Location, canonical
from greyhub.homespace.migrate.users import HERE, PlatformHomes
from greyhub.hub_database import HubDatabase


@dataclass
class Party:
    """The homes of a command's arguments, and the hubs that know their users."""

    hubs: dict[str, HubDatabase] = field(default_factory=dict)
    platforms: dict[str, HomespaceAdapter] = field(default_factory=dict)

    def homes(self, text: str, options: Mapping[str, Any]) -> PlatformHomes:
        """What an argument stands for: a URL, a directory, or a config file's homes."""
        if is_meant_as_address(text) and not text.startswith("pvc://"):
            try:
                check_address(text)
            except WrongAddress as wrong:
                raise click.UsageError(f"{wrong.what}\n  fix: {wrong.fix}") from None
        if text.endswith(".py") and "://" not in text:
            adapter = self.platform(text)
            return PlatformHomes.of_platform(adapter)
        if not URL.match(text):
            text = str(Path(text).expanduser().absolute())
        return PlatformHomes(text, options)

    def platform(self, file: str) -> HomespaceAdapter:
        """The homespace of a config file; its hub is asked whose servers run."""
        from greyhub.cli.output import print_findings
        from greyhub.cli.reading import read

        if file in self.platforms:
            return self.platforms[file]
        if not Path(file).is_file():
            raise click.UsageError(f"there is no config file {file}")
        reading = read(file)
        adapter = reading.composition and reading.composition.greyhub.adapters.get("homespace")
        if reading.failed or not isinstance(adapter, HomespaceAdapter):
            print_findings([each for each in reading.findings if each.level == "error"], err=True)
            raise HomeError(f"{file} does not say where homes are")
        self.hubs[file] = HubDatabase(reading.application.db_url)
        self.platforms[file] = adapter
        return adapter

    def known(self) -> set[str]:
        """The users of all hubs."""
        return {name for hub in self.hubs.values() for name in hub.users()}

    def running(self) -> set[str]:
        """The users whose servers run."""
        return {name for hub in self.hubs.values() for name in hub.running()}

    def busy(self, user: str, *places: Location) -> bool:
        """Whether a server runs whose user this is, or whose home is at one of the places."""
        running = self.running()
        theirs = {
            canonical(Location(adapter.home_of(name)))
            for adapter in self.platforms.values()
            for name in running
        }
        return user in running or any(canonical(place) in theirs for place in places)

    def chosen(
        self,
        homes: PlatformHomes,
        other: PlatformHomes | None,
        users: Sequence[str],
        everyone: bool,
    ) -> list[str]:
        """The users that a command is about; one home that is no one's is named ""."""
        if users and everyone:
            raise click.UsageError("--user and --all exclude each other")
        for each in (homes, other):
            if (users or everyone) and each and not each.tells_users_apart:
                raise click.UsageError(
                    f"{each.template} would be one home for all: put {HERE} where their names go"
                )
        if everyone:
            return homes.users(self.known())
        if users:
            return list(users)
        if homes.adapter is None and not homes.tells_users_apart:
            return [""]
        raise click.UsageError("whose? Name them with --user, or say --all")


def party(file: str | None) -> Party:
    """Who is asked about users: the hub of a config file, if there is one."""
    found = Party()
    if file or Path(DEFAULT).is_file():
        found.platform(file or DEFAULT)
    return found
