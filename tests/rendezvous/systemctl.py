"""As much of systemctl as a setup script needs: units of a directory, each kept running.

The variable MACHINE names the machine's directory; its units are in ``units`` there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    machine = Path(os.environ["MACHINE"])
    arguments = [each for each in sys.argv[1:] if not each.startswith("-")]
    if arguments == ["daemon-reload"]:
        return
    verb, unit = arguments
    assert verb in ("enable", "start"), sys.argv
    with (machine / "unit.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, __file__, "run", str(machine / "units" / unit)],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
        )


def run(unit: Path) -> None:
    """Keep a unit running, as Restart=always asks for."""
    lines = [line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line]
    os.umask(0o022)
    settings = dict(reversed(lines))  # type: ignore[arg-type]
    assert settings["Restart"] == "always"
    for name, value in lines:
        if name == "Environment":
            os.environ.update([value.split("=", 1)])
    while True:
        subprocess.run(settings["ExecStart"].split(), check=False)
        time.sleep(0.2)


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(Path(sys.argv[2]))
    else:
        main()
