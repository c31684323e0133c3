"""What docs/tutorial/write-an-adapter.md says is done, in its order, and answered as it says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/tutorial/write-an-adapter.md"
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps():
    """Each command with the lines that it answers; the config file, where it stands."""
    for kind, text in BLOCK.findall(PAGE.read_text()):
        if kind == "python":
            yield "file", text
            continue
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            yield command, answer


def pattern(answer):
    """An answer as a pattern: ``…`` stands for anything, also for whole lines.

    How many clauses a contract has is not the page's affair: a count is any count.
    """
    lines = [" +".join(map(re.escape, line.split(" "))) for line in answer.strip().splitlines()]
    lines = [re.sub("( [+])+", " +", line.rstrip()).replace("…", ".*") for line in lines]
    lines = [re.sub(r"[0-9]+(?= \+(passed|declined))", "[0-9]+", line) for line in lines]
    whole = "\n".join("(?s:.*)" if line == ".*" else line for line in lines)
    return re.compile(whole.replace("\n(?s:.*)\n", "\n(?s:.*)").replace("(?s:.*)\n", "(?s:.*)"))


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
