"""A cluster in a script: its workers run the script's lines again, and must not start one each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from greyhub.ticket import Ticket, variable
from tests.support.waiting import MINUTE

pytestmark = pytest.mark.processes

LIMITS = {
    "max_workers": 2,
    "threads_per_worker": 1,
    "memory_limit": "1 GiB",
    "idle_timeout": "5 minutes",
}
START = """
import greyhub
def compute():
    with greyhub.connect().cluster(workers=1) as cluster, cluster.get_client() as client:
        print("sum", client.submit(sum, [1, 2]).result())
"""

UNGUARDED = {
    "a call": "compute()\n",
    "a call in a block": "for _ in range(1):\n    compute()\n",
    "another condition": "import sys\nif sys.argv:\n    compute()\n",
    "beside the guard": "if __name__ == '__main__':\n    pass\ncompute()\n",
    "another module's line": "import other\n",
}
GUARDED = {
    "the usual line": "if __name__ == '__main__':\n    compute()\n",
    "written the other way round": "if '__main__' == __name__ and True:\n    compute()\n",
    "in a block": "with open(__file__):\n    if __name__ == '__main__':\n        compute()\n",
    "threads": "compute2()\n",
}


def often(all_of: dict[str, str], *names: str) -> list[Any]:
    """Those in every run, and the others."""
    return [
        name if name in names else pytest.param(name, marks=pytest.mark.slow) for name in all_of
    ]


def run(directory: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    from greyhub.clusters.local import LocalCluster
    from greyhub.spawners.local import LocalSpawnerAdapter

    tickets = {
        variable(slot): Ticket(slot, f"{cls.__module__}:{cls.__name__}", data, slot).dumps()
        for slot, cls, data in (
            ("spawner", LocalSpawnerAdapter, {"user": "ada"}),
            ("cluster", LocalCluster, LIMITS),
        )
    }
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(directory), **tickets}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env=environ,
        input=text,
        capture_output=True,
        text=True,
        timeout=2 * MINUTE,
    )


@pytest.mark.parametrize("lines", often(UNGUARDED, "a call", "another module's line"))
def test_a_script_that_its_workers_would_run_is_refused(lines: str, tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(START + "compute()\n")
    (tmp_path / "script.py").write_text(START + UNGUARDED[lines])
    ran = run(tmp_path, "script.py")
    assert ran.returncode == 1
    last = ran.stderr.strip().splitlines()[-2:]
    number = len((START + UNGUARDED[lines]).splitlines())
    assert f"script.py:{number}: each worker would run this line again" in last[0]
    assert "if __name__ == '__main__':" in last[1]
    assert len(ran.stderr.splitlines()) < 30


def test_standard_input_is_no_script(tmp_path: Path) -> None:
    ran = run(tmp_path, "-", text=START + "compute()\n")
    assert ran.returncode == 1
    assert "read from standard input" in ran.stderr
    assert len(ran.stderr.splitlines()) < 30


@pytest.mark.parametrize("lines", often(GUARDED, "the usual line"))
def test_a_script_that_is_guarded_computes(lines: str, tmp_path: Path) -> None:
    threads = START.replace("compute()", "compute2()")
    threads = threads.replace("workers=1", "workers=1, processes=False")
    (tmp_path / "script.py").write_text(START + threads + GUARDED[lines])
    ran = run(tmp_path, "script.py")
    assert ran.returncode == 0, ran.stderr
    assert "sum 3" in ran.stdout


def test_a_line_of_a_command_computes(tmp_path: Path) -> None:
    ran = run(tmp_path, "-c", START + "compute()\n")
    assert ran.returncode == 0, ran.stderr
    assert "sum 3" in ran.stdout
