"""The administrator's commands for users, as they are called."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from greyhub.cli import group
from greyhub.errors import HomeError
from greyhub.homespace.registry import HomeRegistry
from greyhub.identity import moves
from greyhub.identity.rules import Identity, NameTaken
from greyhub.identity.table import Identities
from tests.checks.starting import NAME, forget, write
from tests.identity import databases
from tests.support.ports import free_port

OPENID = "https://login.example.org"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, f"c.JupyterHub.hub_port = {free_port()}")
    yield tmp_path
    forget()


def run(*arguments: str) -> Result:
    found = CliRunner().invoke(group, ["users", *arguments], prog_name="greyhub")
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exc_info
    return found


def good(*arguments: str) -> str:
    said = run(*arguments)
    assert said.exit_code == 0, said.output
    return said.output


def refused(*arguments: str) -> str:
    """What is said, in words, with what to do; and nothing has changed."""
    before = everything()
    said = run(*arguments)
    assert said.exit_code == 1, said.output
    assert "fix: " in said.output
    assert everything() == before
    return said.output


class Hub:
    """A hub's state beside the config file: users ada and bob, each with a home."""

    def __init__(self, directory: Path) -> None:
        self.state = directory / "greyhub-state"
        self.private = self.state / "hub"
        self.private.mkdir(parents=True)
        with self.table() as table:
            databases.add(table, "ada", "bob")
            table.note_users("local")
            for name in ("ada", "bob"):
                table.claim(Identity("local", name), name)

    def table(self) -> Any:
        return databases.identities(self.private / "jupyterhub.sqlite")

    def fill(self, *users: str) -> None:
        for user in users:
            (self.state / "homes" / user).mkdir(parents=True)
            (self.state / "homes" / user / "mine.txt").write_text(user)

    def serve(self, user: str) -> None:
        with self.table() as table:
            databases.run_server(table, user)

    def rows(self) -> dict[Identity, str]:
        with self.table() as table:
            rows: dict[Identity, str] = table.rows()
            return rows


@pytest.fixture
def hub(here: Path) -> Hub:
    return Hub(here)


def homespace(directory: Path) -> Any:
    """The platform's, as the next start would make it."""
    from greyhub.cli.reading import read

    composition = read(str(directory / NAME)).composition
    assert composition is not None
    return composition.greyhub.adapters["homespace"]


def everything() -> dict[str, Any]:
    """All that commands may change: the files, and what the database says."""
    found: dict[str, Any] = {}
    for path in sorted(Path.cwd().rglob("*")):
        if path.is_file() and path.suffix not in (".lock", ".sqlite", ".pyc"):
            found[str(path)] = path.read_text()
    database = Path("greyhub-state/hub/jupyterhub.sqlite")
    if database.exists():
        with databases.identities(database) as table:
            found["rows"], found["names"] = table.rows(), table.names()
            found["users"], found["rules"] = databases.users(table), table.same_names()
    return found


def test_every_command_has_help_with_an_example() -> None:
    for name in ("list", "map", "merge", "rename"):
        assert f"greyhub users {name}" in good(name, "--help")


def test_a_hub_that_was_never_started_stays_that(here: Path) -> None:
    assert "start it once" in refused("list")
    assert not (here / "greyhub-state").exists()


def test_list_says_who_logs_in_as_whom(hub: Hub) -> None:
    with hub.table() as table:
        table.map(Identity(OPENID, "7f3a"), "ada")
        databases.add(table, "eve")
        table.note_users("local")
        table.allow_same_names("local", OPENID)
    hub.serve("ada")
    said = good("list")
    assert f"{OPENID} 7f3a" in said
    assert "eve: has not logged in since; is for a login by local" in said
    found = json.loads(good("list", "--json"))
    ada = next(each for each in found["users"] if each["name"] == "ada")
    assert {each["issuer"] for each in ada["identities"]} == {"local", OPENID}
    assert ada["runs"] == ["ada's server"]
    assert ada["home"] == str(hub.state / "homes" / "ada")
    assert found["same_names"] == [{"from": "local", "to": OPENID}]


@pytest.mark.parametrize(
    "arguments",
    [
        ("map", "ada", "--issuer", OPENID, "--subject", "7f3a"),
        ("map", "--from", "local", "--to", OPENID, "--same-names"),
        ("merge", "bob", "ada", "--home", "bob"),
        ("merge", "bob", "ada", "--home", "ada"),
        ("rename", "ada", "countess"),
    ],
)
def test_a_dry_run_says_it_and_changes_nothing(hub: Hub, arguments: tuple[str, ...]) -> None:
    hub.fill("ada", "bob")
    before = everything()
    said = good(*arguments, "--dry-run")
    assert "would" in said or "could" in said
    assert json.loads(good(*arguments, "--dry-run", "--json"))["dry"] is True
    assert everything() == before
    good(*arguments)
    assert everything() != before


def test_map_joins_a_login_to_a_user(hub: Hub) -> None:
    login = ("--issuer", OPENID, "--subject", "7f3a")
    good("map", "ada", *login)
    assert hub.rows()[Identity(OPENID, "7f3a")] == "ada"
    assert "already" in good("map", "ada", *login)
    assert "it was ada" in good("map", "bob", *login)
    assert hub.rows()[Identity(OPENID, "7f3a")] == "bob"
    assert "no user eve" in refused("map", "eve", *login)


@pytest.mark.parametrize(
    "arguments",
    [
        ("map",),
        ("map", "ada"),
        ("map", "ada", "--issuer", OPENID),
        ("map", "ada", "--issuer", OPENID, "--subject", "a\nb"),
        ("map", "--from", "local", "--to", OPENID),
        ("map", "ada", "--issuer", OPENID, "--subject", "1", "--same-names"),
        ("merge", "ada", "ada"),
        ("merge", "ada", "bob", "--home", "eve"),
        ("rename", "ada", "ada"),
    ],
)
def test_what_cannot_be_meant_is_a_wrong_call(hub: Hub, arguments: tuple[str, ...]) -> None:
    before = everything()
    assert run(*arguments).exit_code == 2
    assert everything() == before


def test_same_names_are_allowed_and_no_longer(hub: Hub) -> None:
    rule = ("--from", "local", "--to", OPENID, "--same-names")
    assert "  bob" in good("map", *rule)
    with hub.table() as table:
        assert table.claim(Identity(OPENID, "1"), "ada") == "ada"
        assert table.same_names() == {("local", OPENID)}
    good("map", *rule, "--remove")
    with hub.table() as table, pytest.raises(NameTaken):
        table.claim(Identity(OPENID, "2"), "bob")
    assert "local" in refused("map", "--from", "locale", "--to", OPENID, "--same-names")


def test_merge_gives_all_logins_and_the_only_home_that_there_is(hub: Hub, here: Path) -> None:
    hub.fill("bob")
    good("merge", "bob", "ada")
    assert set(hub.rows().values()) == {"ada"}
    assert Path(homespace(here).home_of("ada"), "mine.txt").read_text() == "bob"
    with hub.table() as table, pytest.raises(NameTaken):
        table.claim(Identity(OPENID, "2"), "bob")
    before = everything()
    assert "already" in good("merge", "bob", "ada")
    assert everything() == before


@pytest.mark.parametrize("chosen", ["ada", "bob"])
def test_merge_of_two_homes_asks_which_and_keeps_both(hub: Hub, here: Path, chosen: str) -> None:
    hub.fill("ada", "bob")
    (hub.private / "uids.json").write_text(json.dumps({"ada": 5001, "bob": 5002}))
    assert "--home bob or --home ada" in refused("merge", "bob", "ada")
    good("merge", "bob", "ada", "--home", chosen)
    adapter, other = homespace(here), {"ada": "bob", "bob": "ada"}[chosen]
    assert Path(adapter.home_of("ada"), "mine.txt").read_text() == chosen
    assert Path(adapter.home_of("bob"), "mine.txt").read_text() == other
    uids = json.loads((hub.private / "uids.json").read_text())
    assert uids == {
        "ada": 5001 if chosen == "ada" else 5002,
        "bob": 5002 if chosen == "ada" else 5001,
    }


def test_servers_that_run_keep_users_as_they_are(hub: Hub) -> None:
    hub.fill("ada", "bob")
    hub.serve("bob")
    assert "bob" in refused("merge", "bob", "ada", "--home", "ada")
    assert "bob" in refused("merge", "ada", "bob", "--home", "ada")
    assert "bob" in refused("rename", "bob", "eve")
    for command in (("rename", "bob", "eve"), ("merge", "bob", "ada", "--home", "ada")):
        assert "to be stopped before: " in (said := good(*command, "--dry-run"))
        assert "bob's server" in said
    good("rename", "ada", "countess")  # others' go on
    good("map", "bob", "--issuer", OPENID, "--subject", "1")


def test_clusters_that_run_keep_users_as_they_are(hub: Hub) -> None:
    with closing(sqlite3.connect(hub.private / "clusters.sqlite")) as database, database:
        database.execute("create table clusters (username text, name text, stop_time integer)")
        database.execute("insert into clusters values ('ada', 'c1', 5), ('bob', 'c2', null)")
    assert "bob's cluster c2" in refused("rename", "bob", "eve")
    assert "bob's cluster c2" in refused("merge", "bob", "ada")
    good("rename", "ada", "countess")


def test_rename_keeps_the_home_the_uid_and_the_logins(hub: Hub, here: Path) -> None:
    hub.fill("ada", "bob")
    (hub.private / "uids.json").write_text(json.dumps({"ada": 5001, "bob": 5002}))
    good("rename", "ada", "countess")
    with hub.table() as table:
        assert databases.users(table) == {"countess", "bob"}
        assert table.claim(Identity("local", "ada"), "ada") == "countess"
        with pytest.raises(NameTaken):
            table.claim(Identity(OPENID, "2"), "ada")
    assert json.loads((hub.private / "uids.json").read_text()) == {"countess": 5001, "bob": 5002}
    adapter = homespace(here)
    assert Path(adapter.home_of("countess"), "mine.txt").read_text() == "ada"
    with pytest.raises(HomeError, match="the home of countess"):
        adapter.home_of("ada")  # whoever is called so next
    assert "already" in good("rename", "ada", "countess")
    good("rename", "countess", "ada")
    assert Path(homespace(here).home_of("ada"), "mine.txt").read_text() == "ada"
    assert set(hub.rows().values()) == {"ada", "bob"}


def test_rename_takes_nobody_s_name_or_home(hub: Hub) -> None:
    hub.fill("ada", "left")
    assert "merge ada bob" in refused("rename", "ada", "bob")
    assert "there are files" in refused("rename", "ada", "left")
    assert "no user eve" in refused("rename", "eve", "mallory")
    assert run("rename", "ada", "a/b").exit_code == 1
    with hub.table() as table:
        table.session.execute(text("delete from users where name = 'bob'"))
        table.session.commit()
    assert "was, another user" in refused("rename", "ada", "bob")  # the name of a deleted user


def test_rename_waits_until_the_hub_is_stopped(hub: Hub, here: Path) -> None:
    port = free_port()
    write(here, f"c.JupyterHub.hub_port = {port}")
    forget()
    with socket.create_server(("127.0.0.1", port)):
        assert "the hub runs" in refused("rename", "ada", "countess")
        good("rename", "ada", "countess", "--dry-run")
    forget()
    write(here, f'c.JupyterHub.hub_port = {port}\nc.JupyterHub.hub_ip = "0.0.0.0"')
    assert "--stopped" in refused("rename", "ada", "countess")
    good("rename", "ada", "countess", "--stopped")


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ("c.GreyHub.homespace = None", "homespace is None"),
        ('c.GreyHub.spawner = "jupyterhub.spawner.LocalProcessSpawner"', "the account"),
    ],
)
def test_rename_says_what_would_be_left_behind(hub: Hub, here: Path, lines: str, word: str) -> None:
    write(here, f"c.JupyterHub.hub_port = {free_port()}\n{lines}")
    forget()
    assert word in refused("rename", "ada", "countess")
    good("rename", "ada", "countess", "--without-home")
    assert "countess" in hub.rows().values()


def test_homes_on_a_store_follow_by_their_url(hub: Hub, here: Path) -> None:
    lines = f'c.JupyterHub.hub_port = {free_port()}\nc.GreyHub.homespace = "file://{here}/s/{{username}}"'
    write(here, lines + '\nc.HomespaceAdapter.mode = "sync"')
    forget()
    (hub.state / "copies" / "ada" / "files").mkdir(parents=True)
    (hub.state / "copies" / "ada" / "files" / "mine.txt").write_text("ada")
    good("rename", "ada", "countess")
    adapter = homespace(here)
    assert adapter.home_of("countess") == f"file://{here}/s/ada"
    assert (hub.state / "copies" / "countess" / "files" / "mine.txt").read_text() == "ada"
    assert not (hub.state / "copies" / "ada").exists()
    with pytest.raises(HomeError, match="would be that of countess"):
        adapter.registry.remember("ada", adapter.home_of("ada", remembered=False), alone=True)


def test_another_account_than_the_hub_s_changes_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fill("bob")
    monkeypatch.setattr(os, "geteuid", lambda: hub.private.stat().st_uid + 1)
    assert "as that account" in refused("merge", "bob", "ada")
    assert "as that account" in refused("rename", "ada", "countess")


STEPS: dict[str, tuple[Any, str]] = {
    "the homes": (HomeRegistry, "move_all"),
    "the uids": (moves.UidTable, "pass_on"),
    "a copy": (moves.os, "rename"),
    "the database": (Identities, "become"),
    "the end": (Path, "unlink"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("command", ["rename ada countess", "merge ada bob --home ada"])
def test_a_command_that_ended_in_the_middle_is_finished_by_calling_it_again(
    hub: Hub, here: Path, step: str, after: bool, command: str
) -> None:
    lines = f'c.JupyterHub.hub_port = {free_port()}\nc.GreyHub.homespace = "file://{here}/s/{{username}}"'
    write(here, lines + '\nc.HomespaceAdapter.mode = "sync"')
    forget()
    for name in ("ada", "bob"):
        (hub.state / "copies" / name / "files").mkdir(parents=True)
        (hub.state / "copies" / name / "files" / "mine.txt").write_text(name)
    (hub.private / "uids.json").write_text(json.dumps({"ada": 5001, "bob": 5002}))
    with pytest.MonkeyPatch.context() as patch:
        owner, name = STEPS[step]
        real = getattr(owner, name)

        def ends(*args: Any, **options: Any) -> None:
            if after:
                real(*args, **options)
            raise OSError("the power went")

        patch.setattr(owner, name, ends)
        said = run(*command.split())
        assert said.exit_code == 1
        assert "the power went" in said.output
    if (hub.private / moves.FILE).exists():
        assert "was not finished" in refused("rename", "bob", "eve")
    new = command.split()[2]
    good(*command.split())
    adapter = homespace(here)
    assert adapter.home_of(new) == f"file://{here}/s/ada"
    assert json.loads((hub.private / "uids.json").read_text())[new] == 5001
    assert (hub.state / "copies" / new / "files" / "mine.txt").read_text() == "ada"
    assert hub.rows()[Identity("local", "ada")] == new
    assert not (hub.private / moves.FILE).exists()
    done = everything()
    good(*command.split())
    assert everything() == done
