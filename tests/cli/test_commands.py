"""The administrator's commands, as they are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from greyhub.cli import COMMANDS, group
from tests.checks.starting import NAME, forget, write
from tests.identity.databases import identities


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    forget()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, list(arguments), prog_name="greyhub")


def test_every_command_has_help_with_an_example_and_its_exit_codes() -> None:
    assert all(name in run("--help").output for name in COMMANDS)
    for name in COMMANDS:
        said = run(name, "--help").output
        assert f"greyhub {name}" in said
        assert "Exit codes" in said


def test_init_writes_what_passes(here: Path) -> None:
    assert run("init").exit_code == 0
    assert run("check", "--strict").exit_code == 0
    assert [path.name for path in here.iterdir()] == [NAME]
    again = run("init")
    assert again.exit_code == 1
    assert "--force" in again.output
    assert run("init", "nowhere", "-f", "other.py").exit_code == 1


def test_init_brings_the_tutorial_and_says_what_it_needs(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run("init", "--tutorial")
    assert said.exit_code == 0
    assert "pip install" not in said.output
    made = {path.name for path in here.iterdir()}
    assert made == {NAME, "catalog.yaml", "welcome"}
    assert run("check", "--strict").exit_code == 0
    (here / NAME).unlink()
    again = run("init", "--tutorial")
    assert again.exit_code == 1
    assert "catalog.yaml is there already" in again.output
    assert not (here / NAME).exists()
    monkeypatch.setattr("greyhub.cli.init.PACKAGES", ("no_such_package",))
    forced = run("init", "--tutorial", "--force")
    assert forced.exit_code == 0
    assert "pip install 'greyhub[local,tutorial]'" in forced.output


def test_init_says_what_a_flavour_must_be_told(here: Path) -> None:
    said = run("init", "kubernetes")
    assert said.exit_code == 0
    assert "greyhub check -f greyhub_config.py" in said.output
    checked = run("check")
    assert checked.exit_code == 1
    for option in ("c.OIDCAuthenticator.issuer", "c.JupyterHub.hub_ip"):
        assert option in checked.output


@pytest.mark.parametrize("flavour", ["local", "kubernetes"])
def test_every_commented_line_of_init_can_be_uncommented(here: Path, flavour: str) -> None:
    run("init", flavour)
    text = (here / NAME).read_text()
    lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# c.")]
    assert len(lines) > 20
    for line in lines:
        compile(line, NAME, "exec")


def test_check_says_what_is_wrong_and_where(here: Path) -> None:
    write(here, "c.JupyterHub.prot = 1\nc.LocalHomespace.rot = ''")
    said = run("check")
    assert said.exit_code == 1
    assert "greyhub_config.py:1: c.JupyterHub.prot" in said.output
    assert "2 errors" in said.output
    found = json.loads(run("check", "--json").output)
    assert not found["ok"]
    assert [each["line"] for each in found["findings"]] == [1, 2]
    assert all(each["fix"] for each in found["findings"])


def test_check_reads_the_command_line(here: Path) -> None:
    write(here, "")
    assert run("check", "--JupyterHub.port=8001").exit_code == 0
    assert run("check", "--JupyterHub.prot=8001").exit_code == 1


def test_check_of_a_file_that_fails_names_the_line(here: Path) -> None:
    write(here, "x = 1\nc.JupyterHub.port = undefined")
    said = run("check")
    assert said.exit_code == 1
    assert "greyhub_config.py:2: this line fails: NameError" in said.output
    assert "Traceback" not in said.output


def test_a_file_that_is_not_there_is_a_wrong_call() -> None:
    assert run("check", "-f", "nowhere.py").exit_code == 2


def test_live_asks_every_adapter_and_makes_nothing(here: Path) -> None:
    write(here, "")
    said = json.loads(run("check", "--live", "--json").output)
    assert {"hub", "spawner", "cluster", "auth", "homespace", "data"} <= set(said["live"])
    assert [path.name for path in here.iterdir()] == [NAME]


def test_show_says_who_said_so(here: Path) -> None:
    write(here, "c.LocalCluster.max_workers = 3\nc.Spawner.environment = {'A': 'b'}")
    rows = json.loads(run("show", "--json", "--Spawner.mem_limit=2G").output)["options"]
    said = {row["option"]: row for row in rows}
    assert said["c.LocalCluster.max_workers"]["origin"] == f"{NAME}:1"
    assert said["c.LocalCluster.max_workers"]["value"] == 3
    assert said["c.Spawner.mem_limit"]["value"] == 2 * 1024**3
    assert said["c.Spawner.mem_limit"]["origin"] == "command line"
    assert said["c.GreyHub.cluster"]["origin"] == 'flavour "local"'
    assert 'cluster = "local"' in said["c.Spawner.environment"]["origin"]
    assert "c.JupyterHub.tornado_settings" not in said
    assert "c.JupyterHub.tornado_settings" in run("show", "--all").output


def test_show_of_two_files_warns_of_what_is_left_behind(here: Path) -> None:
    (here / "old.py").write_text("import greyhub\ngreyhub.compose(c)\n")
    (here / "new.py").write_text(
        "c.GreyHub.homespace = 's3://homes/{username}'\nimport greyhub\ngreyhub.compose(c)\n"
    )
    said = run("show", "old.py", "new.py").output
    assert "+ c.GreyHub.homespace = 's3://homes/{username}'" in said
    assert "leaves behind the homes that are there now" in said
    assert "greyhub home copy old.py new.py --all" in said
    assert "nothing would change" in run("show", "old.py", "old.py").output


def test_show_of_two_files_warns_of_users_who_would_not_get_in(here: Path) -> None:
    end = "\nimport greyhub\ngreyhub.compose(c)\n"
    exact = "from greyhub.auth.password import *\n"
    exact += "class Exact(LocalPassword):\n    def normalize_username(self, name):\n"
    exact += "        return name\nc.GreyHub.auth = Exact\nc.JupyterHub.ip = '127.0.0.1'\n"
    exact += "c.LocalPassword.everyone = True\n"
    (here / "old.py").write_text(end)
    (here / "exact.py").write_text(exact + end)
    other = (
        'c.GreyHub.auth = "shared-password"\nc.JupyterHub.ip = "127.0.0.1"\n'
        'c.SharedPasswordAuthenticator.user_password = "correct horse battery"\n'
        'c.Authenticator.allowed_users = {"ada"}'
    )
    (here / "new.py").write_text(other + end)
    (here / "greyhub-state" / "hub").mkdir(parents=True)
    with identities(here / "greyhub-state/hub/jupyterhub.sqlite", "ada", "Eve") as table:
        said = run("show", "old.py", "new.py").output
        assert "logins are by shared-password and no longer by local" in said
        assert "greyhub users map --from local --to shared-password --same-names -f new.py" in said
        table.allow_same_names("local", "shared-password")
    said = run("show", "old.py", "new.py").output
    assert "--same-names" not in said
    assert "as it was said" in said
    (here / "mapped.py").write_text('c.Authenticator.username_map = {"ada": "root"}' + end)
    said = run("show", "old.py", "mapped.py").output
    assert "ada becomes root" in said
    assert "logins are by" not in said
    said = run("show", "exact.py", "new.py").output
    assert "Eve becomes eve" in said
    assert "ada becomes" not in said


def test_adapters() -> None:
    rows = json.loads(run("adapters", "--json").output)
    assert {"spawner", "cluster", "auth", "homespace", "data"} == {row["slot"] for row in rows}
    assert "c.LocalCluster.max_workers" in run("adapters", "cluster:local").output
    assert run("adapters", "nowhere").exit_code == 1


CANARY = "canary-4be1-in-the-mine"


@pytest.mark.parametrize(
    "config",
    [
        f"c.LocalPassword.user_password = {CANARY!r}",
        'import greyhub\nc.LocalPassword.user_password = greyhub.secret(env="A_SECRET")',
        'import greyhub\nc.JupyterHub.services = [{"name": "x", '
        '"api_token": greyhub.secret(env="A_SECRET")}]',
        f'c.JupyterHub.services.append({{"name": "x", "api_token": {CANARY!r}}})',
        f"c.JupyterHub.db_url = 'postgresql://hub:{CANARY}@db/hub'",
        f"c.CryptKeeper.keys = [{CANARY!r}]",
        f"c.ConfigurableHTTPProxy.auth_token = 7\nc.JupyterHub.cookie_secret = {CANARY!r}",
        f"c.JupyterHub.service_tokens = {{{CANARY!r}: 'x'}}",
    ],
)
def test_no_command_prints_a_secret(
    config: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", CANARY)
    write(here, config)
    for arguments in (
        ("check",),
        ("check", "--json"),
        ("check", "--debug"),
        ("show",),
        ("show", "--all"),
        ("show", "--all", "--json"),
        ("show", NAME, NAME),
    ):
        said = run(*arguments)
        assert said.exception is None or isinstance(said.exception, SystemExit)
        assert CANARY not in said.output + said.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["token", "ada"], "token ada: nothing reads it"),
        (["--no-such-flag"], "unrecognized arguments: --no-such-flag"),
        (["--no-such-flag=3"], "unrecognized arguments: --no-such-flag=3"),
        (["--JupyterHub.port=high"], "not the str 'high'"),
        (["--JupyterHub.no_such=3"], "JupyterHub has no option no_such"),
        (["--log-level=LOUD"], "not the str 'LOUD'"),
        (["--ip"], "expected one argument"),
        (["--config=another.py"], "config_file only accepts one value"),
        (["--port=99999"], "99999 is no port"),
        (["--db=postgres://db/hub"], "dialects:postgres"),
        (["--base-url"], "expected one argument"),
    ],
)
def test_arguments_that_would_end_a_hub_are_refused(
    arguments: list[str], said: str, here: Path
) -> None:
    write(here, "")
    found = run("check", *arguments)
    assert found.exit_code == 1
    assert said in found.output
    assert "command line: " in found.output
    assert "usage:" not in found.output + found.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("status", "--json"),
        ("backup", "kept"),
        ("restore", "kept"),
        ("users", "list"),
        ("users", "list", "--json"),
        ("home", "verify", "/a/{username}", "/b/{username}", "--all", "--json"),
        ("show", "--json"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_with_a_file_is_no_output_of_another_command(
    command: tuple[str, ...], here: Path
) -> None:
    write(here, "c.Spawner.mem_limt = '2G'")
    said = run(*command)
    assert said.exit_code == 1
    assert "c.Spawner.mem_limt" in said.stderr
    assert "fix: " in said.stderr
    assert "nothing reads it" not in said.stdout
    if "--json" in command and said.stdout:
        assert json.loads(said.stdout)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("status",), "whose servers run"),
        (("status", "--json"), "whose servers run"),
        (("home", "copy", "/a/{username}", "/b/{username}", "--user", "ada"), "whose servers run"),
        (("home", "copy", "/a/{username}", "/b/{username}", "--all", "--stopped"), "who its users"),
    ],
    ids=str,
)
def test_a_database_that_does_not_tell_is_said_as_fits_the_command(
    command: tuple[str, ...], says: str, here: Path
) -> None:
    (here / "other.sqlite").write_text("this is no database")
    write(here, "c.JupyterHub.db_url = 'sqlite:///other.sqlite'")
    said = run(*command)
    assert said.exit_code == 1
    assert f"the hub's database does not tell {says}" in said.output
    assert "c.JupyterHub.db_url" in said.output
    assert "--stopped" not in said.output
    if command[0] == "status":
        assert said.stdout == ""
