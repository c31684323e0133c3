"""Suites under plain pytest: collected without a plug-in, and whoever has none meets nothing."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

AUTHOR = """
from jupyterhub.spawner import SimpleLocalProcessSpawner
from greyhub.conformance import SpawnerSuite

KNOWN = SpawnerSuite.contract.capabilities

class Mine(SpawnerSuite):
    adapter = SimpleLocalProcessSpawner
    {body}
"""
DECLINED = 'declines = dict.fromkeys(KNOWN, "not here")'

STRANGER = """
import sys

def test_nothing_of_greyhub_is_here(pytestconfig):
    assert [name for name in sys.modules if name.partition(".")[0] == "greyhub"] == []
    plugins = [str(each) for each in pytestconfig.pluginmanager.get_plugins()]
    assert [each for each in plugins if "greyhub" in each] == []
"""


def run(tmp_path, text, *args):
    (tmp_path / "test_mine.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tmp_path), *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)


def author(tmp_path, body, *args):
    return run(tmp_path, AUTHOR.format(body=body), *args)


def test_a_run_without_a_suite_loads_nothing_of_greyhub(tmp_path):
    done = run(tmp_path, STRANGER, "--strict-markers")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("shows", ["--help", "--markers"])
def test_greyhub_adds_no_option_and_no_marker(tmp_path, shows):
    done = run(tmp_path, STRANGER, shows)
    assert done.returncode == 0
    words = done.stdout.replace(str(tmp_path), "").lower()
    for word in ("greyhub", "conform", "certify", "pytest.mark.must", "pytest.mark.should"):
        assert word not in words


@pytest.mark.slow
def test_an_undeclared_capability_is_an_error(tmp_path):
    done = author(tmp_path, "pass")
    assert done.returncode == 2
    assert "named_servers: claim it, or decline it with a reason" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.slow
def test_an_unknown_capability_is_an_error(tmp_path):
    done = author(tmp_path, DECLINED + '; claims = {"flying"}')
    assert done.returncode == 2
    assert "'flying' is no capability of" in done.stdout


def test_a_missing_hook_fails_the_run_and_says_what_to_write(tmp_path):
    done = author(tmp_path, DECLINED, "-k", "SPAWNER-020")
    assert done.returncode == 1
    assert "UNPROVEN SPAWNER-020 (MUST)" in done.stdout
    assert "the suite has no alive()" in done.stdout
    assert "def test_clause" not in done.stdout, "a traceback of the suite's own"


def test_a_clause_that_is_kept_passes(tmp_path):
    done = author(tmp_path, DECLINED, "-k", "SPAWNER-012", "--strict-markers", "-vv")
    assert done.returncode == 0
    assert "test_mine.py::Mine::test_clause[SPAWNER-012] PASSED" in done.stdout


def test_a_clause_that_is_declined_is_skipped_with_the_reason(tmp_path):
    done = author(tmp_path, DECLINED, "-k", "SPAWNER-053", "-rs")
    assert done.returncode == 0
    assert "declined: internal_ssl: not here" in done.stdout


def test_a_class_that_is_not_to_be_judged_says_so(tmp_path):
    done = author(tmp_path, "__test__ = False")
    assert done.returncode == 5
    assert "no tests" in done.stdout


def test_an_author_s_own_tests_stand_beside_the_clauses(tmp_path):
    body = DECLINED + "\n    def test_own(self): assert self.mode == 'fake'"
    done = author(tmp_path, body, "-k", "test_own or SPAWNER-012")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
