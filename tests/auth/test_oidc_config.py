"""`c.GreyHub.auth = "oidc"` in a config file: what it sets, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checks.starting import refusal, write
from tests.support.waiting import MINUTE

GOOD = """\
c.GreyHub.auth = "oidc"
c.JupyterHub.ip = "127.0.0.1"
c.OIDCAuthenticator.issuer = "https://login.example.org/realms/science"
c.OIDCAuthenticator.client_id = "hub"
c.OIDCAuthenticator.client_secret = greyhub.secret(env="THE_SECRET")
c.OIDCAuthenticator.allowed_groups = {"staff"}
"""


def check(directory: Path, config: str, *command: str) -> subprocess.CompletedProcess[str]:
    file = write(directory, f"import greyhub\n{config}")
    return subprocess.run(
        [sys.executable, "-m", "greyhub.cli", *(command or ("check",)), "-f", str(file)],
        cwd=directory,
        env={**os.environ, "THE_SECRET": "correct horse battery"},
        capture_output=True,
        text=True,
        timeout=2 * MINUTE,
    )


def test_a_few_lines_are_enough_and_a_check_makes_nothing(tmp_path: Path) -> None:
    ran = check(tmp_path, GOOD)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "all is well" in ran.stdout
    assert "may log in: allowed_groups staff" in ran.stdout
    assert "correct horse" not in ran.stdout + ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["greyhub_config.py"]


def test_no_key_and_no_secret_is_shown(tmp_path: Path) -> None:
    (tmp_path / "greyhub-state" / "hub").mkdir(parents=True)
    ran = check(tmp_path, GOOD, "show", "--all")
    assert ran.returncode == 0, ran.stderr
    key = tmp_path / "greyhub-state" / "hub" / "crypt-key"
    assert not key.exists() or key.read_text().strip() not in ran.stdout
    assert "correct horse" not in ran.stdout + ran.stderr


OPEN = """\
c.OIDCAuthenticator.allow_all = True
c.JupyterHub.ip = "0.0.0.0"
c.JupyterHub.public_url = "https://hub.example.org/"
"""


def test_a_hub_that_is_open_to_whoever_has_an_account_anywhere_is_refused(tmp_path: Path) -> None:
    for preset in ("google", "gitlab", "github"):
        named = f'del c.OIDCAuthenticator.issuer\nc.OIDCAuthenticator.preset = "{preset}"\n'
        ran = check(tmp_path, f"{GOOD}{OPEN}{named}")
        assert "OIDCAuthenticator recognises anybody" in ran.stderr + ran.stdout, preset
        narrowed = 'c.OIDCAuthenticator.required_claims = {"hd": ["example.org"]}\n'
        ran = check(tmp_path, f"{GOOD}{OPEN}{named}{narrowed}")
        assert "recognises anybody" not in ran.stderr + ran.stdout
    ran = check(tmp_path, f"{GOOD}{OPEN}")
    assert ran.returncode == 0, ran.stdout  # one's own provider


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('c.OIDCAuthenticator.issuer = ""', "no provider is named"),
        ('c.OIDCAuthenticator.issuer = "http://login.example.org"', "begins with https://"),
        ('c.OIDCAuthenticator.groups_url = "http://graph.example"', "tokens may be sent to"),
        ('c.OIDCAuthenticator.client_id = ""', "the hub has no name at the provider"),
        ('c.JupyterHub.ip = ""', "by which address browsers reach this hub"),
        ('c.OIDCAuthenticator.username_claim = "name"', "a name for people to read"),
        ('c.OIDCAuthenticator.preset = "facebook"', "preset"),
        ('c.OIDCAuthenticator.userdata_token_method = "url"', "userdata_token_method"),
        ("c.OIDCAuthenticator.enable_pkce = False", "enable_pkce"),
        ("c.OIDCAuthenticator.allowed_groups = set()", "nobody may log in"),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    monkeypatch.setenv("THE_SECRET", "correct horse battery")
    refused = refusal(write(tmp_path, f"import greyhub\n{GOOD}{line}\n"))
    assert said in refused
    assert "fix:" in refused


AUDIENCES = 'c.AuthAdapter.audiences = {"storage": {"scope": "storage/.default"}}\n'


def test_servers_may_ask_for_credentials_and_use_clusters(tmp_path: Path) -> None:
    """Two adapters that each give servers' tokens a scope."""
    clusters = 'c.GreyHub.cluster = "local-broker"\n'
    ran = check(tmp_path, GOOD + clusters + AUDIENCES, "show", "--all", "--json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for scope in ("custom:greyhub:credentials", "access:services!service=clusters"):
        assert ran.stdout.count(scope) >= 2, ran.stdout
    assert "storage/.default" in ran.stdout


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            GOOD + "c.OIDCAuthenticator.enable_auth_state = False\n",
            "come from the tokens of logins, and none are kept",
        ),
        (
            'c.GreyHub.auth = "pam"\nc.PAMAuthenticator.allow_all = True\n'
            'c.JupyterHub.ip = "127.0.0.1"\n',
            "'storage': its source needs logins by OIDCAuthenticator",
        ),
    ],
)
def test_credentials_without_what_they_are_made_from_are_refused(
    tmp_path: Path, config: str, words: str
) -> None:
    ran = check(tmp_path, config + AUDIENCES)
    assert ran.returncode == 1
    assert words in ran.stdout + ran.stderr
    assert "greyhub_config.py" in ran.stdout


def test_refused_users_cannot_be_found_by_a_hub_that_never_asks(tmp_path: Path) -> None:
    end = 'c.AuthAdapter.refused_users = "end"\n'
    assert check(tmp_path, GOOD + end).returncode == 0
    never = "c.Authenticator.auth_refresh_age = 0\n"
    ran = check(tmp_path, GOOD + end + never)
    assert ran.returncode == 1, ran.stdout
    assert "the hub would never ask whether a user may stay" in ran.stdout
    assert "c.AuthAdapter.refused_users" in ran.stdout


def test_rules_for_groups_are_options_of_every_authenticator(tmp_path: Path) -> None:
    groups = (
        'c.GreyHub.auth = "shared-password"\nc.SharedPasswordAuthenticator.user_password = '
        'greyhub.secret(env="THE_SECRET")\nc.JupyterHub.ip = "127.0.0.1"\n'
        'c.Authenticator.allowed_groups = {"staff"}\nc.Authenticator.admin_groups = {"wheel"}\n'
    )
    ran = check(tmp_path, groups)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "may log in: allowed_groups staff; admins: the groups wheel" in ran.stdout
