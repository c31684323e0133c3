"""A home on a storage account by way of a real hub, a login, and a real server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from greyhub.conformance.testkit.provider import Person, Provider
from greyhub.homespace.sync import client
from tests.auth.hubs import hub_by, log_in
from tests.homespace.azureml.account import SCOPE, Account, account, token
from tests.homespace.sync.test_hub import as_owner, home_of, log_of
from tests.support.hubs import Hub
from tests.support.processes import command, started_in
from tests.support.waiting import until

__all__ = ["account"]

pytestmark = pytest.mark.processes

LIFETIME = 4
"""Seconds that a token for the account is good for."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.audiences = {SCOPE}
    made.lifetime = LIFETIME
    made.mint = lambda person, audience: token(LIFETIME, name=person.name)
    yield made
    made.close()


@pytest.fixture
def platform(provider: Provider, account: Account) -> Iterator[Hub]:
    config = f"""\
c.GreyHub.homespace = "azureml"
c.AuthAdapter.audiences = {{"storage": {{"scope": "{SCOPE}"}}}}
c.AzureMLHomespace.grace = 2
c.AzureMLHomespace.account_url = "{account.url}"
c.AzureMLHomespace.ca_bundle = "{account.authority.ca}"
"""
    with hub_by(provider, config) as made:
        yield made


def tokens(provider: Provider) -> list[str]:
    """Those for the account, as they were given."""
    return [grant.access for grant in provider.grants if grant.audience == SCOPE]


def write(home: Path, name: str, content: bytes) -> None:
    with as_owner(home):
        (home / name).write_bytes(content)


def test_a_home_is_kept_while_tokens_come_and_go(
    platform: Hub, provider: Provider, account: Account
) -> None:
    assert log_in(platform, provider, Person("ada")) == "ada"
    platform.spawn("ada")
    home = home_of(platform, "ada")
    write(home, "first", b"1")
    until(lambda: account.oracle.read("ada/first") == b"1", what="the first file")
    given = len(tokens(provider))
    ends = time.time() + LIFETIME + 1
    until(lambda: time.time() > ends, what="the token's end")
    write(home, "second", b"2")
    until(lambda: account.oracle.read("ada/second") == b"2", what="the second file")
    assert len(tokens(provider)) > given

    write(home, "last", b"3")
    platform.stop_server("ada")
    assert account.oracle.read("ada/last") == b"3"
    assert "all of it is in" in log_of(platform, "ada")

    secret = [*tokens(provider), *(grant.refresh for grant in provider.grants)]
    found = [
        str(Path(folder, name))
        for folder, _, names in os.walk(platform.directory)
        for name in names
        if Path(folder, name).is_file()
        and any(each.encode() in Path(folder, name).read_bytes() for each in secret)
    ]
    assert found == []


@pytest.mark.slow
def test_a_login_that_ends_is_said_and_what_is_unsaved_waits_for_the_next(
    platform: Hub, provider: Provider, account: Account
) -> None:
    bob = Person("bob")
    assert log_in(platform, provider, bob) == "bob"
    platform.spawn("bob")
    home = home_of(platform, "bob")
    until(lambda: client.status(home.parent / client.STATE)["word"] == "saved")
    lines = [" ".join(command(each)) for each in started_in(platform.directory)]
    assert not [line for line in lines if any(each in line for each in tokens(provider))]

    provider.revoke(bob)
    ends = time.time() + LIFETIME + 1
    until(lambda: time.time() > ends, what="the token's end")
    write(home, "unsaved", b"1")

    def trouble() -> str:
        return str(client.status(home.parent / client.STATE)["trouble"])

    until(lambda: "log" in trouble() and "in again" in trouble(), what="the end of the login, said")
    platform.stop_server("bob")
    said = log_of(platform, "bob")
    assert "still only in" in said
    assert "in again" in said
    assert account.oracle.read("bob/unsaved") is None

    assert log_in(platform, provider, bob) == "bob"
    platform.spawn("bob")
    until(lambda: account.oracle.read("bob/unsaved") == b"1", what="what was unsaved")
