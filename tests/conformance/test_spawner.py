"""The spawner's suite, from outside: what passes, what does not, and what is caught."""

import json

import pytest

from greyhub.conformance.report import badge, junit, page
from greyhub.conformance.result import Outcome
from tests.support.conformance import broken, conform, judged

pytestmark = pytest.mark.processes

SUITES = "tests.conformance.spawner.suites"
FAST = (
    ("start", "WritesTheAddress", "SPAWNER-002"),
    ("start", "AdoptsTheStale", "SPAWNER-011"),
    ("poll", "DeadIfThrottled", "SPAWNER-016"),
    ("poll", "WouldResume", "SPAWNER-060"),
    ("stop", "TriesOnce", "SPAWNER-023"),
    ("state", "NeedsItsState", "SPAWNER-031"),
    ("given", "InheritsTheCloud", "SPAWNER-036"),
    ("given", "MakesItsOwnToken", "SPAWNER-039"),
    ("many", "CutsNames", "SPAWNER-048"),
    ("many", "SpeaksInClear", "SPAWNER-054"),
)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_correct_spawner_is_certified(tmp_path):
    done, report = judged(tmp_path, f"{SUITES}:Full", "--certify")
    assert done.returncode == 0, done.stdout
    assert report.certified
    assert broken(report) == []


def test_a_hook_that_is_missing_proves_nothing(tmp_path):
    done, report = judged(tmp_path, f"{SUITES}:Lazy", "--clause", "SPAWNER-020")
    assert done.returncode == 2
    assert not report.certified
    assert [result.outcome for result in report.having(Outcome.UNPROVEN)] == ["unproven"]
    assert "alive()" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "clause", "told"),
    [
        ("Awaitless", "SPAWNER-002", "an await is missing"),
        ("Awaitless", "SPAWNER-003", "an await is missing"),
        ("Bare", "SPAWNER-006", "no PROBE and no JUPYTERHUB_USER"),
        ("Bare", "SPAWNER-034", "does start() hand on what get_env() gives?"),
    ],
)
def test_what_newcomers_forget_is_named(tmp_path, name, clause, told):
    target = f"tests.conformance.spawner.newcomers:{name}"
    done, report = judged(tmp_path, target, "--clause", clause)
    assert done.returncode == 1, done.stdout
    (failed,) = report.having(Outcome.FAILED)
    assert told in failed.message


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name", "clause"), FAST)
def test_a_broken_spawner_fails_its_clause(tmp_path, module, name, clause):
    target = f"tests.conformance.spawner.mutants_{module}:{name}"
    done, report = judged(tmp_path, target, "--clause", clause)
    assert done.returncode == 1, done.stdout
    (failed,) = report.having(Outcome.FAILED)
    assert failed.id == clause
    assert f"--clause {clause} --seed {report.seed}" in done.stdout


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (["run", f"{SUITES}:Nothing"], 3, "could not be found"),
        (["run", f"{SUITES}:Toy", "--clause", "SPAWNER-999"], 3, "is no clause of"),
        (["run", f"{SUITES}:Toy", "--clause", "SPAWNER-001", "--certify"], 3, "leave --clause"),
        (["explain", "SPAWNER-999"], 3, "there is no clause"),
        (["explain", "SPAWNER-013"], 0, "kubespawner#98"),
        (["list", "spawner"], 0, "SPAWNER-062"),
    ],
)
def test_the_command_says_what_is_wrong(args, status, says):
    done = conform(*args)
    assert done.returncode == status
    assert says in done.stdout + done.stderr


def test_a_report_has_a_form_for_each_reader(tmp_path):
    target = "tests.conformance.spawner.mutants_start:WritesTheAddress"
    _, report = judged(tmp_path, target, "--clause", "SPAWNER-002")
    assert json.loads(report.dumps())["exit_code"] == 1
    assert 'failures="1"' in junit.render(report)
    assert "not conformant (fake)" in badge.render(report)
    assert "What was not kept" in page.render(report)
    path = tmp_path / "report.json"
    assert conform("badge", path).returncode == 0
    assert path.with_suffix(".svg").read_text().startswith("<svg")
