"""``make test-newest``: what the newest releases break that the lock file holds back.

    python -m tests.newest requirements/test.txt

Runs the tests of ``make test`` on the packages of this environment, and says which of
them are newer than the lock file's, and which tests fail.
"""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "tests/results/newest-releases.xml"

PIN = re.compile(r"^[a-z0-9][a-z0-9._-]*==[^\\\n]+", re.MULTILINE)
"""A line of a lock file: a name, a version and, after a semicolon, a marker."""


def main() -> int:
    """Run the tests, and compare."""
    (lock,) = sys.argv[1:]
    RESULT.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
    status = subprocess.run([*command, f"--junitxml={RESULT}", "tests"], cwd=ROOT).returncode
    changed = differences(Path(lock).read_text(), installed())
    print(f"\n{len(changed)} packages differ from {lock}:")
    print("\n".join(f"  {line}" for line in changed))
    broken = failures(RESULT)
    print(f"{len(broken)} tests fail with them:")
    print("\n".join(f"  {name}" for name in broken))
    return status


def installed() -> dict[str, str]:
    """The versions of this environment, by normalized name."""
    found = {}
    for each in distributions():
        name = re.sub(r"[-_.]+", "-", str(each.metadata["Name"])).lower()
        found[name] = each.version
    return found


def differences(lock: str, there: dict[str, str]) -> list[str]:
    """Each package whose version is another than the lock file's, with both."""
    return [
        f"{name} {there[name]} (locked: {locked})"
        for name, locked in pins(lock).items()
        if name in there and there[name] != locked
    ]


def pins(lock: str, environment: dict[str, str] | None = None) -> dict[str, str]:
    """The versions that a lock file names, by name.

    Parameters
    ----------
    lock : str
        Its text. A package may stand there twice, for different versions of Python.
    environment : dict of str to str, optional
        Values of markers that are others than here: ``{"python_full_version": "3.12.1"}``.
    """
    found = {}
    for line in PIN.findall(lock):
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(environment):
            [found[pin.name]] = (each.version for each in pin.specifier)
    return found


def failures(result: Path) -> list[str]:
    """The tests that failed, by JUnit's XML."""
    return [
        f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        for case in ET.parse(result).getroot().iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    ]


if __name__ == "__main__":
    sys.exit(main())
