"""Python environments besides the tests' own, in which a server can start."""

from __future__ import annotations

import sys
import sysconfig
import venv
from pathlib import Path

COMMAND = """\
#!{prefix}/bin/python
from greyhub.singleuser import main

main()
"""


def make_environment(prefix: Path) -> Path:
    """An environment with the tests' own packages, greyhub and its command among them."""
    venv.create(prefix, symlinks=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(prefix)})
    found = [each for each in sys.path if each and not each.endswith(".zip")]
    (Path(packages) / "tests.pth").write_text("\n".join([*found, str(Path(__file__).parents[2])]))
    command = prefix / "bin/greyhub-singleuser"
    command.write_text(COMMAND.format(prefix=prefix))
    command.chmod(0o755)
    return prefix
