"""Move values, and look at what was written."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from greyhub.cli import group
from greyhub.cli.z2jh.move import move
from greyhub.cli.z2jh.moving import Moving
from greyhub.cli.z2jh.render import config
from greyhub.cli.z2jh.values import read

SAMPLES = Path(__file__).parent / "samples"


def run(*arguments: object) -> Result:
    """Call ``greyhub``."""
    return CliRunner().invoke(group, list(map(str, arguments)), prog_name="greyhub")


def moving(directory: Path, *values: object, version: str = "") -> Moving:
    """What is made of values, each of which is a file."""
    files = []
    for number, each in enumerate(values):
        files.append(directory / f"values-{number}.yaml")
        files[-1].write_text(
            each if isinstance(each, str) else yaml.safe_dump(each, sort_keys=False)
        )
    return move(read(files), version)


def text(made: Moving) -> str:
    """The config file."""
    return config(made, ["values.yaml"])


def outcome(made: Moving, path: str) -> tuple[str, str]:
    """What became of a value."""
    (found,) = (each for each in made.outcomes if each.path == path)
    return found.kind, found.said


def secrets(*files: object) -> dict[str, dict[str, str]]:
    """The Secrets that the command prints, by name and key."""
    given = [part for file in files for part in ("--from-z2jh", file)]
    said: Any = json.loads(run("init", *given, "--secrets").output)
    return {
        each["metadata"]["name"]: {
            key: base64.b64decode(value).decode() for key, value in each["data"].items()
        }
        for each in said["items"]
    }
