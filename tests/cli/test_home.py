"""The administrator's commands for homes, as they are called."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from greyhub.cli import group
from greyhub.homespace.registry import HomeRegistry
from greyhub.names import filename
from tests.checks.starting import NAME, forget, write

CANARY = "canary-7c02-in-the-mine"
USERS = ("ada", "ada2", "Ada", "é/ü..", "." * 3, "long" * 80)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    yield tmp_path
    forget()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["home", *arguments], prog_name="greyhub")


def document(said: Result) -> Any:
    return json.loads(said.stdout)


def fill(root: Path, *users: str) -> None:
    for user in users:
        home = root / filename(user)
        home.mkdir(parents=True)
        (home / "mine.txt").write_text(user)
        (home / "mine.txt").chmod(0o640)


def whose(root: Path) -> dict[str, str]:
    return {each.name: (each / "mine.txt").read_text() for each in root.iterdir()}


def database(state: Path, running: str = "") -> Path:
    """A hub's database, as far as the commands ask it."""
    path = state / "hub" / "jupyterhub.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.execute("create table users (id integer, name text)")
    db.execute("create table spawners (user_id integer, name text, server_id integer)")
    for number, user in enumerate(USERS):
        db.execute("insert into users values (?, ?)", (number, user))
        at = 7 if user == running else None
        db.execute("insert into spawners values (?, '', ?)", (number, at))
    db.commit()
    db.close()
    return path


def test_every_command_has_help_with_an_example_and_its_exit_codes() -> None:
    for name in ("copy", "verify", "delete"):
        said = run(name, "--help").output
        assert f"greyhub home {name} " in said
        assert "Exit codes" in said


def test_all_homes_are_copied_and_each_is_its_owners(here: Path) -> None:
    fill(here / "old", *USERS[:-1])
    (here / "old" / ".trash" / "2020-02-02" / "gone").mkdir(parents=True)
    (here / "old" / "a file").write_text("x")
    said = run("copy", "old/{username}", "new/{username}-home", "--all", "--stopped", "--json")
    assert said.exit_code == 0, said.output
    assert {each["user"] for each in document(said)["homes"]} == set(USERS[:-1])
    assert whose(here / "new") == {f"{filename(user)}-home": user for user in USERS[:-1]}
    verified = run("verify", "old/{username}", "new/{username}-home", "--all")
    assert verified.exit_code == 0, verified.output
    assert verified.output.count("all the same") == len(USERS) - 1
    (here / "new" / "ada-home" / "mine.txt").write_text("x" * 3)
    verified = run("verify", "old/{username}", "new/{username}-home", "--all")
    assert verified.exit_code == 1
    assert "mine.txt" in verified.output


def test_a_platforms_homes_by_its_config(here: Path) -> None:
    write(here, "c.LocalHomespace.root = 'old'")
    fill(here / "old", *USERS[:-2], USERS[-1])  # one of the hub's users has no home
    (here / "old" / "new-here").mkdir()
    database(here / "greyhub-state")
    said = run("copy", NAME, "new/{username}", "--all", "--json")
    assert said.exit_code == 0, said.output
    assert whose(here / "new") == {filename(user): user for user in (*USERS[:-2], USERS[-1])}


def test_a_running_server_is_refused_and_the_others_are_copied(here: Path) -> None:
    write(here, "c.LocalHomespace.root = 'old'")
    fill(here / "old", "ada", "ada2")
    database(here / "greyhub-state", running="ada")
    said = run("copy", NAME, "new/{username}", "-u", "ada", "-u", "ada2")
    assert said.exit_code == 1
    assert "a server of this user runs: stop it" in said.output
    assert whose(here / "new") == {"ada2": "ada2"}
    said = run("copy", "old/{username}", "new/{username}", "-u", "ada", "--stopped")
    assert said.exit_code == 1  # the hub of this directory is asked, whatever is said
    said = run("copy", "old/ada", "new/ada", "--stopped")
    assert said.exit_code == 1  # nobody was named, but this is her home
    assert not (here / "new" / "ada").exists()
    assert run("delete", "ada").exit_code == 1
    assert (here / "old" / "ada").exists()


def test_what_is_called_wrongly(here: Path) -> None:
    fill(here / "old", "ada")
    for arguments in (
        ("copy", "old/{username}", "new/{username}"),
        ("copy", "old/{username}", "new/{username}", "-u", "ada"),
        ("copy", "old/{username}", "new/{username}", "-u", "ada", "--all", "--stopped"),
        ("copy", "old/{username}", "new/{username}", "-u", "ada", "--stopped", "--switch"),
        ("copy", "old/ada", "memory://x/ada", "--stopped", "--switch"),
        ("copy", "nowhere.py", "new/{username}", "--all"),
        ("copy", "old/{username}", "new/{username}", "--source-options", "[]"),
        ("copy", "old/{username}", "s4://homes/{username}", "-u", "ada", "--stopped"),
        ("delete", "ada"),
    ):
        said = run(*arguments)
        assert said.exit_code == 2, (arguments, said.output)
    assert not (here / "new").exists()


def test_homes_of_two_users_in_one_place_are_refused(here: Path) -> None:
    fill(here / "old", "ada", "ada2")
    said = run("copy", "old/{username}", "new", "--all", "--stopped")
    assert said.exit_code == 2
    assert "{username}" in said.output
    assert not (here / "new").exists()


def test_one_home_without_a_user(here: Path) -> None:
    fill(here / "old", "ada")
    assert run("copy", "old/ada", "new", "--stopped").exit_code == 0
    assert (here / "new" / "mine.txt").read_text() == "ada"
    assert run("copy", "old/nobody", "new", "--stopped").exit_code == 1


def test_a_dry_run_says_what_and_makes_nothing(here: Path) -> None:
    fill(here / "old", "ada")
    said = run("copy", "old/{username}", "new/{username}", "--all", "--stopped", "--dry-run")
    assert said.exit_code == 0
    assert "1 would be copied" in said.output
    assert not (here / "new").exists()


def test_what_was_there_is_said_and_kept(here: Path) -> None:
    fill(here / "old", "ada")
    (here / "new" / "ada").mkdir(parents=True)
    (here / "new" / "ada" / "mine.txt").write_text("another")
    said = run("copy", "old/{username}", "new/{username}", "-u", "ada", "--stopped")
    assert said.exit_code == 1
    assert "so it was copied as mine (copied " in said.output
    assert (here / "new" / "ada" / "mine.txt").read_text() == "another"


def test_a_hub_is_told_where_homes_are_now(here: Path) -> None:
    write(here, "c.GreyHub.homespace = 'file://" + str(here) + "/old/{username}'")
    fill(here / "old", "ada", "ada2")
    database(here / "greyhub-state")
    table = HomeRegistry(here / "greyhub-state" / "hub" / "homes.json")
    table.remember("ada", f"file://{here}/old/ada")
    target = "memory://new-homes/{username}"
    said = run("copy", NAME, target, "-u", "ada", "--switch")
    assert said.exit_code == 0, said.output
    assert table.read() == {"ada": "memory://new-homes/ada"}
    assert run("verify", f"file://{here}/old/ada", "memory://new-homes/ada").exit_code == 0
    back = run("verify", NAME, "old/{username}", "-u", "ada")
    assert back.exit_code == 0, back.output  # the config's home is the remembered one


def test_a_home_that_is_not_whole_there_is_not_switched(here: Path) -> None:
    write(here, "c.GreyHub.homespace = 'file://" + str(here) + "/old/{username}'")
    (here / "old").mkdir()
    database(here / "greyhub-state")
    said = run("copy", NAME, "memory://nothing/{username}", "-u", "ada", "--switch")
    assert said.exit_code == 1
    assert not (here / "greyhub-state" / "hub" / "homes.json").exists()


def test_deleted_homes_are_in_the_trash_and_can_be_brought_back(here: Path) -> None:
    write(here, "c.LocalHomespace.root = 'homes'")
    fill(here / "homes", "ada", "ada2")
    said = run("delete", "ada", "--json")
    assert said.exit_code == 0
    [home] = document(said)["homes"]
    assert not (here / "homes" / "ada").exists()
    assert run("copy", home["trash"], "homes/ada", "--stopped").exit_code == 0
    assert (here / "homes" / "ada" / "mine.txt").read_text() == "ada"
    assert (here / "homes" / "ada" / "mine.txt").stat().st_mode & 0o777 == 0o640
    assert run("delete", "ada", "--for-good").exit_code == 0
    assert run("delete", "ada", "nobody").exit_code == 0
    assert os.listdir(here / "homes" / "ada2") == ["mine.txt"]


def test_no_secret_is_taken_or_repeated(here: Path) -> None:
    fill(here / "old", "ada")
    options = json.dumps({"key": "x", "secret": CANARY})
    said = run(
        "copy", "old/{username}", "s3://b/{username}", "-u", "ada", "--stopped",
        "--target-options", options,
    )  # fmt: skip
    assert said.exit_code == 1
    assert "secret" in said.output
    assert CANARY not in said.output + said.stderr
    said = run(
        "copy", "old/{username}", f"s3://u:{CANARY}@b/{{username}}", "-u", "ada", "--stopped"
    )
    assert said.exit_code == 1
    assert "the home's URL holds a password" in said.output
    assert CANARY not in said.output + said.stderr
