"""Somebody who does what a page says: writes its files, gives its commands, runs its notebook."""

from __future__ import annotations

import asyncio
import os
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from click.testing import CliRunner
from traitlets.config import Config

import greyhub
from greyhub.cli import group
from greyhub.cli.reading import read
from greyhub.hub import GreyHub
from greyhub.spawn_hooks import SpawnHooks
from tests.checks.starting import forget
from tests.docs.blocks import Block, pattern

START = "import greyhub\n\nc = get_config()\n"
END = "\ngreyhub.compose(c)\n"


class Reader:
    """One reader of one page, in a directory of their own.

    Parameters
    ----------
    place : Path
        The directory, which is the current one.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.notebook: dict[str, Any] = {}
        self.data = Config()
        """What the config file that was written last says of the data slot."""

    def do(self, block: Block) -> None:
        """Do what one block says, and fail if it does not come out as it says."""
        text = block.text.replace("/srv/archive", str(self.place))
        if block.language == "console":
            for command, answer in block.commands:
                self.call(block, command, answer)
        elif block.language == "yaml":
            (self.place / str(block.file)).write_text(text)
            if "singleuser:" in text.splitlines():  # values of z2jh's, and no catalogue
                return
            options = {"catalogs": [block.file], "parameters": {"ARCHIVE": str(self.place)}}
            self.opens(Config({"LocalData": options}))
        elif block.is_config:
            self.configure(block, text)
        elif block.file:
            (self.place / block.file).write_text(text)
        else:
            self.run(block, text)

    def configure(self, block: Block, text: str) -> None:
        """Write the config file; a hub would start from it."""
        if "get_config()" not in text:
            text = START + text
        if "greyhub.compose(c)" not in text:
            text += END
        file = self.place / "greyhub_config.py"
        file.write_text(text)
        try:
            reading = read(str(file))
            wrong = [str(finding) for finding in reading.findings if finding.level == "error"]
            assert not wrong, "\n".join([block.where, *wrong])
            assert reading.composition is not None
            written = reading.composition.platform.written
        finally:
            forget()
        if "AcmeTables" in written or "catalogs" in written.get("LocalData", {}):
            self.opens(written)

    def opens(self, config: Config) -> None:
        """All datasets of the platform can be read."""
        self.data = config.copy()
        self.data.GreyHub = Config({k: v for k, v in config.GreyHub.items() if k == "data"})
        catalog = self.session().data
        assert not getattr(catalog, "broken", None)
        assert len(catalog) > 0
        for name in catalog:
            catalog[name].read()

    def session(self) -> Any:
        """What a notebook has of a platform with local adapters and this data."""
        hub = GreyHub(directory=self.place, config=self.data)
        user = SimpleNamespace(name="ada")
        spawner = SimpleNamespace(user=user, name="", uid=None, environment={})
        hub.contributions()
        asyncio.run(SpawnHooks(hub.adapters).prepare(spawner))
        os.environ.update(spawner.environment)
        return greyhub.connect()

    def run(self, block: Block, text: str) -> None:
        """Run a cell of the page's notebook; its ``hub`` is of the platform as it is now."""
        session = self.session()
        if "hub" in self.notebook:
            self.notebook["hub"] = session
        exec(compile(text, block.where, "exec"), self.notebook)

    def call(self, block: Block, command: str, answer: str) -> None:
        """Give a command; what it answers is what the page says."""
        words = shlex.split(command)
        assert words[0] == "greyhub", f"{block.where}: {words[0]} is not run: give the reason"
        said = CliRunner().invoke(group, words[1:], prog_name="greyhub", terminal_width=100)
        forget()
        lines = "\n".join(line.rstrip() for line in said.output.strip().splitlines())
        shown = f"{block.where}: {command}\n{lines}\n{said.exception!r}"
        assert pattern(answer).search(lines), shown
        assert said.exit_code == (1 if "error" in answer else 0), shown
