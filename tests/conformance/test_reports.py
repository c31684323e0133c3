"""What is published: every adapter, in one form, and no security fault of a stranger's."""

import json
import re
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from greyhub.conformance.contract import contracts, find
from greyhub.conformance.report import page, terminal, withholding
from greyhub.conformance.result import Outcome, Report, Result
from tests.conformance import reports, reports_table
from tests.conformance.strangers.causes import CAUSES

CLAUSES = [clause for each in contracts() for clause in each.clauses.values()]
SECRET = next(clause for clause in CLAUSES if clause.guards == "secrets")
PLAIN = find("HOME-001")[1]


def report(**outcomes):
    """A report of all clauses of homes, kept but for those that are named."""
    results = [
        Result.of(
            clause,
            outcomes.get(clause.id.replace("-", "_"), Outcome.PASSED),
            f"what {clause.id} saw",
            repeat=f"greyhub conform run x:Y --clause {clause.id}",
        )
        for clause in CLAUSES
        if clause.slot == "HOME"
    ]
    return Report(
        "tests.conformance.homespace.suites:S3",
        "x:Y",
        "x 1",
        "homespace/1.0",
        "real",
        {},
        {},
        1,
        results,
    )


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.WARNED])
def test_a_security_fault_names_no_clause_and_tells_nothing(outcome):
    private = {clause.id for clause in CLAUSES if withholding.private(clause)}
    told = withholding.of(report(HOME_031=outcome))
    text = told.dumps() + reports.dumps(reports.trimmed(told))
    assert not [name for name in private if name in text]
    [stands] = [result for result in told.results if result.outcome is not Outcome.PASSED]
    assert (stands.id, stands.message) == ("withheld", "withheld, see maintainers")
    assert (told.exit_code == 1) == (outcome is Outcome.FAILED)
    assert told.verdict != "conformant"


def test_whichever_clause_it_was_the_report_is_the_same():
    said = [
        reports.dumps(reports.trimmed(withholding.of(report(**broken))))
        for broken in (
            {"HOME_030": Outcome.FAILED},
            {"HOME_035": Outcome.FAILED, "HOME_032": Outcome.WARNED},
        )
    ]
    assert said[0] == said[1]


def test_without_a_security_fault_nothing_is_withheld():
    told = withholding.of(report(HOME_001=Outcome.FAILED))
    assert told == report(HOME_001=Outcome.FAILED)
    assert PLAIN.id in told.dumps()


def test_the_clauses_that_stand_between_users_are_clauses():
    named = [
        f"{slot}-{number}"
        for slot, numbers in withholding.BETWEEN_USERS.items()
        for number in numbers.split()
    ]
    assert set(named) <= {clause.id for clause in CLAUSES}
    assert withholding.private(SECRET)
    assert not withholding.private(PLAIN)


def test_what_is_published_tells_no_place_and_no_story(tmp_path):
    broken = report(HOME_001=Outcome.FAILED)
    broken.results[0] = replace(
        broken.results[0], message=f"{reports.ROOT}/x", trace="a trace", said=["a story"]
    )
    reports.publish("home-any", broken, tmp_path)
    text = (tmp_path / "home-any.json").read_text()
    assert str(reports.ROOT) not in text
    assert "a trace" not in text
    assert "a story" not in text
    assert Report.loads(text).verdict == "not conformant"


def test_greyhubs_own_faults_are_not_withheld(tmp_path):
    reports.publish("greyhub-homespace", report(HOME_031=Outcome.FAILED), tmp_path)
    assert "what HOME-031 saw" in (tmp_path / "greyhub-homespace.json").read_text()


def test_the_page_is_that_of_the_reports():
    page = (reports.PLACE / "README.md").read_text("utf-8")
    made = reports_table.render(reports.read(), reports.suites(), reports.strangers.ABSENT)
    assert page == made, "make it anew: python -m tests.conformance.reports --table"


def test_every_suite_has_its_line_and_every_link_leads_somewhere():
    page = (reports.PLACE / "README.md").read_text("utf-8")
    lines = [name for name in reports.suites() if f"]({name}.json) | " in page]
    assert lines == list(reports.suites())
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert [link for link in links if not (reports.PLACE / link).exists()] == []


def test_no_report_is_of_a_suite_that_is_gone_and_none_is_in_doubt():
    known = reports.suites()
    for path in reports.PLACE.glob("*.json"):
        said = json.loads(path.read_text("utf-8"))
        assert said["target"] == reports.target(known[path.stem])
        assert said["contract"] == known[path.stem].contract.name
        assert not {"error", "not run"} & set(said["counts"]), f"{path.stem}: the suite broke"


@pytest.mark.parametrize("name", list(reports.OWN))
def test_greyhubs_own_adapters_are_conformant(name):
    said = reports.read()[name]
    assert said.certified
    assert said.verdict == "conformant"


def test_a_strangers_report_withholds_what_it_must():
    for name, said in reports.read().items():
        if name not in reports.OWN:
            assert withholding.of(said).results == said.results, name


def test_causes_are_of_clauses_that_may_be_told_of():
    known = reports.suites()
    for name, causes in CAUSES.items():
        assert name in known
        private = [each for each in causes if withholding.private(find(each)[1])]
        assert not private, f"{name}: {private} are for its maintainers"


def test_a_suite_that_broke_is_no_verdict(monkeypatch, tmp_path):
    broken = report(HOME_001=Outcome.ERROR)

    def run(command, **how):
        Path(command[command.index("--json") + 1]).write_text(broken.dumps())
        return CompletedProcess(command, 2, "", "")

    suite = reports.suites()["homespace-s3"]  # its module asks for a version as it is imported
    monkeypatch.setattr(reports.subprocess, "run", run)
    with pytest.raises(RuntimeError, match="HOME-001"):
        reports.judge("home-any", suite, 1, 1)


def test_what_cannot_run_here_is_no_failure(monkeypatch, capsys):
    suite = reports.suites()["spawner-sudo"]
    monkeypatch.setattr(suite, "hindrance", staticmethod(lambda: "needs root"))
    monkeypatch.setattr(reports, "write_table", lambda: None)
    assert reports.main(["spawner-sudo"]) == 0
    assert "not run: needs root" in capsys.readouterr().out


def test_the_report_s_page_and_its_summary_begin_with_the_worst():
    shown = report(
        HOME_001=Outcome.WARNED,
        HOME_002=Outcome.FAILED,
        HOME_004=Outcome.FAILED,
        HOME_010=Outcome.FAILED,
        HOME_011=Outcome.FAILED,
    )
    html = page.render(shown)
    places = [html.index(f'id="{name}"') for name in ("HOME-002", "HOME-010", "HOME-001")]
    assert places == sorted(places)
    assert 'href="#HOME-001"' in html
    assert "<code>with open(path, &quot;wb&quot;)</code>" in html
    assert "``" not in html
    assert "begin with HOME-002: what comes later builds upon what comes first" in list(
        terminal.summary(shown)
    )
