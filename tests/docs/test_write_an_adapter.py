"""What docs/tutorial/write-an-adapter.md says is done, in its order, and answered as it says.

Here it is the package; the adapter in one file, before it, is run by `tests.docs.test_pages`.
"""

import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from greyhub.adapter import Adapter
from tests.docs.blocks import ROOT, blocks, pattern

PAGE = "docs/tutorial/write-an-adapter.md"
PACKAGE = "## Begin with one that passes"
"""The heading from which on it is a package."""


def steps():
    """Each command with the lines that it answers; the config file, where it stands."""
    before = len((ROOT / PAGE).read_text().partition(PACKAGE)[0].splitlines())
    for block in blocks(PAGE):
        if block.line < before:
            continue
        if block.language == "python":
            yield "file", block.text
        else:
            yield from block.commands


def test_the_methods_are_as_the_page_has_them():
    text = (ROOT / PAGE).read_text()
    rows = re.findall(r"^\| `(async )?(\w+)\(([^)]*)\)` \|", text, re.MULTILINE)
    assert len(rows) == 6
    for waits, name, arguments in rows:
        method = inspect.unwrap(getattr(vars(Adapter)[name], "__func__", vars(Adapter)[name]))
        assert inspect.iscoroutinefunction(method) == bool(waits), name
        given = [str(each).split(":")[0] for each in inspect.signature(method).parameters.values()]
        assert arguments.split(", ") == given, name


def install(package):
    """As pip would in editable mode, without asking an index: the entry points are found."""
    import tomllib

    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    info = package / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = [
        f"[{group}]\n" + "\n".join(f"{name} = {value}" for name, value in named.items())
        for group, named in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(points) + "\n")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_command_does_what_the_page_says(tmp_path):
    place, done = tmp_path, []
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for command, answer in steps():
        if command == "file":
            (place / "greyhub_config.py").write_text(answer)
            continue
        words = shlex.split(command)
        if words[0] == "cd":
            place = place / words[1]
        elif words[:2] == ["pip", "install"]:
            install(place)
        else:
            ran = subprocess.run(
                words,
                cwd=place,
                env={**os.environ, "PATH": path, "PYTHONPATH": str(place)},
                capture_output=True,
                text=True,
                check=False,
            )
            said = "\n".join(line.rstrip() for line in ran.stdout.strip().splitlines())
            assert pattern(answer).search(said), f"{command}\n{said}\n{ran.stderr}"
            done.append(command)
    assert len(done) == 11
    assert (place / "report.svg").read_text().startswith("<svg")
