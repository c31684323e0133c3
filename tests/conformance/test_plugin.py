"""The pytest plug-in: each misuse ends the run, with a message that says what to write."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

AUTHOR = """
from jupyterhub.spawner import SimpleLocalProcessSpawner
from greyhub.conformance import SpawnerSuite

KNOWN = SpawnerSuite.contract.capabilities

class TestMine(SpawnerSuite):
    adapter = SimpleLocalProcessSpawner
    {body}
"""
DECLINED = 'declines = dict.fromkeys(KNOWN, "not here")'


def run(tmp_path, body, *args):
    (tmp_path / "test_mine.py").write_text(AUTHOR.format(body=body))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tmp_path), *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)


@pytest.mark.slow
def test_an_undeclared_capability_is_an_error(tmp_path):
    done = run(tmp_path, "pass")
    assert done.returncode == 2
    assert "named_servers: claim it, or decline it with a reason" in done.stdout


@pytest.mark.slow
def test_an_unknown_capability_is_an_error(tmp_path):
    done = run(tmp_path, DECLINED + '; claims = {"flying"}')
    assert done.returncode == 2
    assert "'flying' is no capability of" in done.stdout


def test_a_missing_hook_fails_the_run(tmp_path):
    done = run(tmp_path, DECLINED, "-k", "SPAWNER-020")
    assert done.returncode == 1
    assert "the suite has no alive()" in done.stdout


def test_a_clause_that_is_kept_passes(tmp_path):
    assert run(tmp_path, DECLINED, "-k", "SPAWNER-012").returncode == 0


@pytest.mark.slow
def test_certify_takes_no_selection(tmp_path):
    done = run(tmp_path, DECLINED, "-k", "SPAWNER-012", "--certify")
    assert done.returncode == 1
    assert "clauses were not run" in done.stdout


@pytest.mark.slow
def test_certify_takes_no_empty_run(tmp_path):
    (tmp_path / "test_other.py").write_text("def test_nothing(): pass\n")
    done = run(tmp_path, DECLINED, "--certify", "-k", "test_nothing")
    assert done.returncode == 1
