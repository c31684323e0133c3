"""`c.OpenIDConnect.providers` in a config file: what is said of it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.auth.test_oidc_config import check
from tests.checks.starting import place, refusal, write

GOOD = """\
c.GreyHub.auth = "oidc"
c.JupyterHub.ip = "127.0.0.1"
university = {
    "issuer": "https://login.example.org/realms/science",
    "client_id": "hub",
    "client_secret": greyhub.secret(env="THE_SECRET"),
    "login_service": "University of Example",
    "allowed_groups": {"staff"},
    "admin_users": {"grace"},
}
github = {"preset": "github", "client_id": "hub", "username_prefix": "gh-"}
github["allowed_users"] = {"gh-ada"}
github["client_secret"] = greyhub.secret(env="THE_SECRET")
c.OpenIDConnect.providers = {"university": university, "github": github}  # here
"""


def test_several_providers_are_well_and_no_secret_is_shown(tmp_path: Path) -> None:
    ran = check(tmp_path, GOOD)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "all is well" in ran.stdout
    assert (
        "may log in: university: allowed_groups staff; github: gh-ada; "
        "admins: university: grace; github: nobody"
    ) in ran.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["greyhub_config.py"]
    plain = GOOD.replace('greyhub.secret(env="THE_SECRET")', '"plain-secret"')
    for config in (GOOD, plain):
        shown = check(tmp_path, config, "show", "--json")
        assert "University of Example" in shown.stdout, shown.stderr
        for said in (ran, shown, check(tmp_path, config, "show", "--all")):
            assert "correct horse" not in said.stdout + said.stderr
            assert "plain-secret" not in said.stdout + said.stderr


@pytest.mark.parametrize(
    ("line", "where", "said", "fix"),
    [
        ('github["isuer"] = "x"', '["github"]', "no option isuer", 'write "issuer"'),
        ('github["title"] = "x"', '["github"]', "no option title", 'write "login_service"'),
        ('github["allowed-users"] = {"x"}', '["github"]', "no option", 'write "allowed_users"'),
        ('github["nonsense"] = 1', '["github"]', "no option nonsense", "remove it"),
        (
            'github["auth_refresh_age"] = 1',
            '["github"]',
            "is the whole hub's",
            "write c.OIDCAuthenticator.auth_refresh_age",
        ),
        ('github["preset"] = "gitub"', '["github"]["preset"]', "is none of", "write 'github'"),
        ('github["allowed_users"] = "ada"', '["github"]["allowed_users"]', "set", "{'ada'}"),
        ('github["username_prefix"] = "GH-"', '["username_prefix"]', "no user name", "lower-case"),
        ('github["username_claim"] = "name"', '["username_claim"]', "for people to read", "fix:"),
        ('del github["allowed_users"]', '["github"]', "nobody may log in by github", "say who may"),
        ('del university["issuer"]', '["university"]["issuer"]', "no provider is named", "fix:"),
        ('university["issuer"] = "http://x.org"', '["university"]["issuer"]', "trusted", "https:"),
        ('github["client_id"] = ""', '["github"]["client_id"]', "no name at", "register"),
        ('del github["client_secret"]', '["client_secret"]', "no secret", "public client"),
        ('github["login_service"] = "University of example"', "", "both called", "another name"),
        ('university["client_secret"] = greyhub.secret(env="NONE")', "", "NONE is not set", "fix:"),
        ('c.JupyterHub.ip = ""', "c.JupyterHub.public_url", "by which", "oauth_callback/github"),
        (
            "c.OIDCAuthenticator.allow_all = True",
            "c.OIDCAuthenticator.allow_all",
            "does not say by which provider",
            "set allow_all in the options of a provider",
        ),
        ('c.Authenticator.admin_users = {"x"}', "", "does not say by which provider", "remove"),
        ("c.Authenticator.enable_auth_state = False", "", "would forget", "remove the line"),
        ("c.Authenticator.auto_login = True", "", "no choice of providers", "oauth_login/WORD"),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    where: str,
    said: str,
    fix: str,
) -> None:
    monkeypatch.setenv("THE_SECRET", "correct horse battery")
    config = GOOD.replace("c.OpenIDConnect", f"{line}\nc.OpenIDConnect")
    refused = refusal(write(tmp_path, f"import greyhub\n{config}"))
    assert said in refused
    assert where in refused
    assert fix in refused
    assert "fix:" in refused
    assert "correct horse" not in refused


@pytest.mark.parametrize("word", ["Git Hub", "", "a/b", "..", "x" * 32, "GitHub"])
def test_a_word_that_cannot_be_part_of_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("THE_SECRET", "correct horse battery")
    config = GOOD.replace('"github": github', f"{word!r}: github")
    refused = refusal(write(tmp_path, f"import greyhub\n{config}"))
    assert "cannot be part of an address" in refused
    assert place(tmp_path) in refused


def test_one_of_providers_may_skip_the_page(tmp_path: Path) -> None:
    more = GOOD.replace('"university": university, ', "") + "c.Authenticator.auto_login = True\n"
    ran = check(tmp_path, more)
    assert ran.returncode == 0, ran.stdout + ran.stderr
