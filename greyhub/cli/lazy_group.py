"""A group of commands, each imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed.

    Parameters
    ----------
    targets : mapping
        Where each command is, ``"package.module:name"``, in the order in which help lists them.
    abbreviations : bool
        Whether the beginning of a command's name is enough, where it is one's alone.
    """

    def __init__(
        self,
        *args: Any,
        targets: Mapping[str, str],
        abbreviations: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.targets, self.abbreviations = targets, abbreviations

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names."""
        return list(self.targets)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command by its name."""
        names = [cmd_name] if cmd_name in self.targets else []
        if self.abbreviations and not names:
            names = [name for name in self.targets if name.startswith(cmd_name)]
        if len(names) != 1:
            return None
        module, _, name = self.targets[names[0]].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command
