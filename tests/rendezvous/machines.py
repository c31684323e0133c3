"""A machine that is a directory and the processes that its setup script has left."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from greyhub.rendezvous.script import setup_script
from tests.support.processes import command, ended, started_in
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]


class LocalMachine:
    """One machine.

    Parameters
    ----------
    directory : Path
        Its disk.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def created(self) -> bool:
        return self.script.exists()

    @property
    def script(self) -> Path:
        return self.directory / "setup.sh"

    @property
    def state(self) -> Path:
        """The agent's directory."""
        return self.directory / "agent"

    def create(self, **options: object) -> None:
        """Make the disk, and write the script: as a cloud does that is given one."""
        self.directory.mkdir(parents=True)
        text = setup_script(
            **{
                "python": sys.executable,
                "directory": str(self.state),
                "units": str(self.directory / "units"),
                **options,
            }  # type: ignore[arg-type]
        )
        self.script.write_text(text)

    def boot(self) -> None:
        """Start it: its script runs."""
        shims = self.directory / "bin"
        shims.mkdir(exist_ok=True)
        shim = shims / "systemctl"
        shim.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/tests/rendezvous/systemctl.py" "$@"\n'
        )
        shim.chmod(0o755)
        environment = {
            "PATH": f"{shims}:{os.environ['PATH']}",
            "HOME": str(self.directory),
            "MACHINE": str(self.directory),
            "PYTHONPATH": str(ROOT),
        }
        subprocess.run(["/bin/sh", str(self.script)], env=environment, check=True, cwd="/")

    def processes(self) -> list[psutil.Process]:
        return [each for each in started_in(self.directory) if not ended(each.pid)]

    def agents(self) -> list[psutil.Process]:
        return [each for each in self.processes() if "greyhub.agent" in command(each)]

    def off(self) -> None:
        """Cut its power."""
        while left := self.processes():
            for each in sorted(left, key=lambda each: each.create_time()):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            until(lambda left=left: all(ended(each.pid) for each in left), what="the end")

    def log(self) -> str:
        return (self.directory / "unit.log").read_text()


def crashing(control: Path) -> Path:
    """An interpreter beside a directory of `crashing`, by which agents can be told where to die."""
    made = control.with_name("python")
    script = ROOT / "tests/rendezvous/crashing.py"
    made.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P "{script}" "{control}" "$@"\n')
    made.chmod(0o755)
    return made
