"""Former names work in this version still, and say what the new ones are."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from greyhub.adapter import Finding
from greyhub.cli import group
from greyhub.cli.reading import read
from greyhub.errors import ConfigError
from greyhub.homespace.adapter import HomespaceAdapter
from greyhub.homespace.local import LocalHomespace
from greyhub.imports import import_object
from tests.checks.mistakes.mistake import PAM
from tests.checks.starting import forget, write


def test_a_finding_and_an_error_take_mend_for_fix() -> None:
    with pytest.warns(DeprecationWarning, match="is called fix now"):
        assert str(Finding("error", "wrong", mend="right")) == "wrong\n  fix: right"
    with pytest.warns(DeprecationWarning, match="is called fix now"):
        assert ConfigError("wrong", mend="right").fix == "right"


def test_accepts_is_called_accepted_risks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path, PAM + 'c.GreyHub.accepts = ["nobody"]  # here')
    reading = read(str(file))
    forget()
    [found] = reading.findings
    assert found.level == "warning"
    assert found.message == "accepts is called accepted_risks now"
    assert found.fix == "write c.GreyHub.accepted_risks"
    assert found.place.endswith(":3")


@pytest.mark.parametrize(
    ("old", "new", "option"),
    [
        ("HomeAdapter", "HomespaceAdapter", "trash_days"),
        ("LocalHome", "LocalHomespace", "trash_days"),
    ],
)
def test_a_former_section_is_read_and_warned_of(
    old: str, new: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    reading = read(str(write(tmp_path, f"c.{old}.{option} = 7")))
    forget()
    [found] = reading.findings
    assert found.level == "warning"
    assert found.message == f"the section {old} is called {new} now"
    assert found.fix == f"write c.{new}.{option}"
    assert reading.composition is not None
    assert getattr(reading.composition.greyhub.adapters["homespace"], option) == 7


def test_a_ticket_of_before_finds_the_adapter_of_today() -> None:
    with pytest.warns(DeprecationWarning, match="HomespaceAdapter"):
        assert import_object("greyhub.homespace.adapter:HomeAdapter") is HomespaceAdapter
    with pytest.warns(DeprecationWarning, match="LocalHomespace"):
        assert import_object("greyhub.homespace.local:LocalHome") is LocalHomespace
    with pytest.warns(DeprecationWarning, match="HomespaceAdapter"):
        assert import_object("greyhub.homespace:HomeAdapter") is HomespaceAdapter


def test_a_suite_of_homes_is_called_homespacesuite() -> None:
    from greyhub.conformance import HomespaceSuite
    from greyhub.conformance.homespace import Directory

    with pytest.warns(DeprecationWarning, match="HomeSuite is called HomespaceSuite now"):
        from greyhub.conformance import HomeSuite
    with pytest.warns(DeprecationWarning, match="called greyhub.conformance.homespace.Homespace"):
        from greyhub.conformance.home import HomeSuite as Again
    with pytest.warns(DeprecationWarning, match="greyhub.conformance.homespace.Directory"):
        from greyhub.conformance.home import Directory as Same
    assert HomeSuite is Again is HomespaceSuite
    assert Same is Directory


@pytest.mark.parametrize("command", [["list", "home"], ["new", "home", "acme-homes", "-o"]])
def test_the_slot_of_homes_is_called_homespace(command: list[str], tmp_path: Path) -> None:
    place = [str(tmp_path / "new")] if command[-1] == "-o" else []
    done = CliRunner().invoke(group, ["conform", *command, *place])
    assert done.exit_code == 0, done.output
    assert "the slot home is called homespace now" in done.stderr
