"""`c.GreyHub.auth = "entra"` in a config file: what it refuses, and what a live check asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from greyhub.auth.openid.entra.authenticator import EntraAuthenticator
from greyhub.auth.openid.entra.clouds import CLOUDS, PERSONAL
from greyhub.conformance.testkit.provider import EntraProvider
from greyhub.conformance.testkit.provider.entra_accounts import OWN, PARTNER
from tests.auth.test_oidc_config import check
from tests.checks.starting import refusal, write
from tests.checks.test_live import live

GOOD = f"""\
c.GreyHub.auth = "entra"
c.JupyterHub.ip = "127.0.0.1"
c.EntraAuthenticator.tenant = "{OWN}"
c.EntraAuthenticator.client_id = "hub"
c.EntraAuthenticator.client_secret = "correct horse battery"
c.EntraAuthenticator.allow_all = True
"""


def test_a_few_lines_are_enough(tmp_path: Path) -> None:
    ran = check(tmp_path, GOOD)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "may log in: everybody whom EntraAuthenticator recognises" in ran.stdout
    assert "correct horse" not in ran.stdout + ran.stderr


def test_a_hub_that_is_open_to_every_personal_account_is_refused(tmp_path: Path) -> None:
    reached = 'c.JupyterHub.ip = "0.0.0.0"\nc.JupyterHub.public_url = "https://hub.example.org/"\n'
    assert "recognises anybody" not in check(tmp_path, f"{GOOD}{reached}").stdout
    named = f'c.EntraAuthenticator.allowed_tenants = ["{PERSONAL}"]\n'
    assert (
        "EntraAuthenticator recognises anybody" in check(tmp_path, f"{GOOD}{reached}{named}").stdout
    )


def entra(**options: Any) -> EntraAuthenticator:
    return EntraAuthenticator(client_id="hub", **options)


def test_clouds_and_directories_make_addresses() -> None:
    assert entra(tenant=OWN.upper()).issuer == f"https://login.microsoftonline.com/{OWN}/v2.0"
    gov = entra(tenant=OWN, cloud="usgov")
    assert gov.provider.discovery.startswith(f"https://login.microsoftonline.us/{OWN}/v2.0/")
    assert gov.groups_url.startswith("https://graph.microsoft.us/v1.0/me/")
    assert gov.scope[-1] == "https://graph.microsoft.us/User.Read"
    several = entra(tenant=OWN, allowed_tenants=[PARTNER], cloud="china")
    assert several.issuer == f"{CLOUDS['china'].authority}/{{tenantid}}/v2.0"
    assert several.directory == "organizations"
    assert entra(tenant=OWN, allowed_tenants=[PERSONAL]).directory == "common"
    assert entra(allowed_tenants=[PERSONAL]).directory == "consumers"
    assert entra(allowed_tenants=[PARTNER]).directory == PARTNER


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('tenant = ""', "no directory is named"),
        ('tenant = "common"', "'common' is no directory's id"),
        ('tenant = "example.org"', "is no directory's id"),
        ('allowed_tenants = ["organizations"]', "is no directory's id"),
        ('cloud = "germany"', "there is no cloud 'germany'"),
        ('cloud = {"authority": "https://login.example.org"}', "addresses are not all said"),
        ('cloud = {"authority": "http://a.example", "graph": "https://b.example"}', "be sent to"),
        ('group_names = {"staff": "staff"}', "'staff' is no group's object id"),
        ('client_secret = ""', "proves who it is by nothing"),
        ('client_certificate = "/hub.pem"', "by client_secret and client_certificate"),
        ('client_id = ""', "the hub has no name at the provider"),
        ('username_claim = "name"', "a name for people to read"),
        (
            f'tenant = ""\nc.EntraAuthenticator.allowed_tenants = ["{OWN}", "{PARTNER}"]\n'
            'c.EntraAuthenticator.admin_users = {"root"}',
            "admin_users does not say of which directory",
        ),
        (
            f'tenant = ""\nc.EntraAuthenticator.allowed_tenants = ["{OWN}", "{PARTNER}"]\n'
            'c.EntraAuthenticator.username_domain = "example.org"',
            "of which directory the domain is",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_words(tmp_path: Path, line: str, said: str) -> None:
    refused = refusal(write(tmp_path, f"{GOOD}c.EntraAuthenticator.{line}\n"))
    assert said in refused
    assert "fix:" in refused
    assert "c.EntraAuthenticator." in refused


# greyhub check --live


@pytest.fixture
def provider() -> Iterator[EntraProvider]:
    made = EntraProvider()
    yield made
    made.close()


def asked(provider: EntraProvider, directory: Path, more: str = "") -> list[dict[str, Any]]:
    cloud = {"authority": provider.url, "graph": provider.url}
    return live(
        directory,
        f"{GOOD}c.EntraAuthenticator.cloud = {cloud}\n"
        'c.EntraAuthenticator.client_id = "conformance"\n'
        f"c.EntraAuthenticator.client_secret = {provider.client_secret!r}\n{more}",
        "auth",
    )


def registered(provider: EntraProvider, days: float, **more: Any) -> dict[str, Any]:
    """The application's registration, with a secret that ends in some days."""
    end = (datetime.now(UTC) + timedelta(days=days, hours=1)).isoformat()
    other = (datetime.now(UTC) + timedelta(days=900)).isoformat()
    return {
        "passwordCredentials": [
            {"hint": "xxx", "endDateTime": other},
            {"hint": provider.client_secret[:3], "endDateTime": end},
        ],
        "groupMembershipClaims": "SecurityGroup",
        "appRoles": [{"value": "Hub.Admin"}],
        "web": {"redirectUris": ["http://127.0.0.1:8000/hub/oauth_callback"]},
        **more,
    }


def test_a_hub_that_its_directory_knows(provider: EntraProvider, tmp_path: Path) -> None:
    provider.registration = registered(provider, 90)
    found = asked(provider, tmp_path)
    assert {each["level"] for each in found} == {"ok"}, found
    said = " ".join(each["message"] for each in found)
    for each in ("knows " + OWN, "sends browsers back", "takes its client_secret", "in 90 days"):
        assert each in said


def test_what_is_not_known_of_a_registration_is_said(
    provider: EntraProvider, tmp_path: Path
) -> None:
    [note] = [each for each in asked(provider, tmp_path) if each["level"] == "note"]
    assert "when the client_secret ends" in note["message"]


AWAY = {"authority": "http://127.0.0.1:9", "graph": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("more", "said", "option"),
    [
        (f'tenant = "{"d" * 8}-0000-0000-0000-000000000000"', "knows no directory", "tenant"),
        ('client_secret = "wrong"', "the hub's secret is wrong", "client_secret"),
        ('client_id = "another"', "does not know this application", "client_secret"),
        (
            'cloud = {"authority": "http://127.0.0.1:9", "graph": "http://127.0.0.1:9"}',
            "",
            "tenant",
        ),
    ],
)
def test_what_no_login_would_work_with(
    provider: EntraProvider, tmp_path: Path, more: str, said: str, option: str
) -> None:
    found = asked(provider, tmp_path, f"c.EntraAuthenticator.{more}\n")
    errors = [each for each in found if each["level"] == "error"]
    assert any(
        said in each["message"] and each["option"] == f"c.EntraAuthenticator.{option}"
        for each in errors
    ), found
    assert all(each["fix"] for each in errors)


def test_what_will_be_wrong(provider: EntraProvider, tmp_path: Path) -> None:
    provider.registration = registered(
        provider, 10, groupMembershipClaims=None, web={"redirectUris": ["https://elsewhere"]}
    )
    groups = 'c.EntraAuthenticator.allowed_groups = {"staff", "Hub.Admin"}\n'
    bad = [each for each in asked(provider, tmp_path, groups) if each["level"] != "ok"]
    said = " ".join(each["message"] for each in bad)
    assert "in 10 days" in said
    assert "tokens hold no groups, and staff is no app role" in said
    assert "is not registered" in said
    assert len(bad) == 3
