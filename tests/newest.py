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

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "tests/results/newest-releases.xml"

PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.MULTILINE)


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
        for name, locked in PIN.findall(lock)
        if name in there and there[name] != locked
    ]


def failures(result: Path) -> list[str]:
    """The tests that failed, by JUnit's XML."""
    return [
        f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        for case in ET.parse(result).getroot().iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    ]


if __name__ == "__main__":
    sys.exit(main())
