"""Homes by the user's own tokens: renewed, refused, ended, and never shown."""

from __future__ import annotations

import io
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from greyhub.credentials import HubCredential
from greyhub.errors import CredentialError, HomeError
from greyhub.homespace.filesystem import Home
from greyhub.homespace.stores.azure_account import WORDS
from greyhub.homespace.sync.source import Content
from greyhub.homespace.sync.stores.base import ABSENT
from greyhub.homespace.sync.stores.home_store import open_home
from tests.homespace.azureml.account import Account, TokenHub, account, hub
from tests.homespace.azureml.lake import Lake, lake
from tests.homespace.filesystem.places import Place
from tests.homespace.sync.machines import Machine
from tests.support.waiting import until

__all__ = ["account", "hub", "lake"]

ENDED = "your login has ended\n  fix: log in again on the hub's page"


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    return f"abfs://homes/{abs(hash(request.node.nodeid)):x}"


def key(url: str, path: str) -> str:
    return f"{url.removeprefix('abfs://homes/')}/{path}"


def ended(hub: TokenHub) -> None:
    """The last token that the hub gave is no longer good."""
    last = hub.ends
    until(lambda: time.time() > last, what="the token's end")


def test_a_home_is_opened_by_a_token_of_the_hub(account: Account, hub: TokenHub, url: str) -> None:
    home = Home(url, account.options())
    home.pipe("notes/a", b"1")
    assert home.cat("notes/a") == b"1"
    assert account.oracle.read(key(url, "notes/a")) == b"1"
    assert len(hub.given) == 1


def test_a_working_copy_takes_the_quick_way(account: Account, hub: TokenHub, url: str) -> None:
    store: Any = open_home(url, account.options())
    tag = store.put("a", Content(b"1"), ABSENT)
    client = store._obstore()
    assert client is not None
    assert client._missed == 0
    into = io.BytesIO()
    assert store.fetch("a", tag, into) == tag
    assert into.getvalue() == account.oracle.read(key(url, "a")) == b"1"
    assert [found.key for found in store.list()] == ["a"]


def test_a_token_is_renewed_before_it_ends(account: Account, hub: TokenHub, url: str) -> None:
    hub.lifetime = 1
    home, store = Home(url, account.options()), open_home(url, account.options())
    for number in range(3):
        home.pipe(f"home {number}", b"1")
        store.put(f"copy {number}", Content(b"1"), ABSENT)
        ended(hub)
    assert len(hub.given) >= 3
    for number in range(3):
        assert account.oracle.read(key(url, f"home {number}")) == b"1"
        assert account.oracle.read(key(url, f"copy {number}")) == b"1"


def test_a_token_ends_in_the_middle_of_an_upload(account: Account, hub: TokenHub, url: str) -> None:
    hub.lifetime = 1
    store = open_home(url, account.options())

    class Slow(Content):
        def chunks(self, length: int = 1 << 20) -> Iterator[bytes]:
            for piece in super().chunks(length):
                yield piece
                ended(hub)

    content = bytes(range(256)) * (40 << 12)
    store.put("large", Slow(content), ABSENT)
    assert len(hub.given) >= 2
    assert account.oracle.read(key(url, "large")) == content


def test_what_keeps_a_home_begins_anew_with_its_token(
    account: Account, hub: TokenHub, tmp_path: Path
) -> None:
    place = Place("azureml", "abfs://homes/{username}", account.options(), account.oracle, "")
    machine = Machine(tmp_path / "machine", place)
    machine.ticket["rest"] = 0.2
    try:
        machine.start()
        pid = machine.status()["pid"]
        line = Path(f"/proc/{pid}/cmdline")
        until(lambda: b'"credentials"' in line.read_bytes(), what="a new beginning")
        assert not [each for each in hub.given if each.encode() in line.read_bytes()]
        hub.away = True
        (machine.home / "a").write_bytes(b"1")
        until(lambda: place.read("a") == b"1", what="what was written while the hub is away")
        assert machine.status()["pid"] == pid
        assert machine.stop() == 0
        assert len(hub.given) == 1
    finally:
        machine.end()


def test_a_login_that_has_ended_is_said_and_a_new_one_goes_on(
    account: Account, hub: TokenHub, url: str
) -> None:
    hub.lifetime = 1
    home, store = Home(url, account.options()), open_home(url, account.options())
    home.pipe("a", b"1")
    hub.refusing = ENDED
    ended(hub)
    calls: list[Callable[[], object]] = [
        lambda: home.cat("a"),
        lambda: home.pipe("b", b"1"),
        lambda: home.ls(""),
        lambda: list(store.list()),
        lambda: store.find("a"),
        lambda: store.put("b", Content(b"1"), ABSENT),
    ]
    for call in calls:
        with pytest.raises(PermissionError, match="log in again"):
            call()
    hub.refusing = ""
    home.pipe("b", b"2")
    assert [found.key for found in store.list()] == ["a", "b"]


def test_an_outage_of_the_hub_is_no_refusal(account: Account, hub: TokenHub, url: str) -> None:
    hub.lifetime = 1
    home, store = Home(url, account.options(), patience=0), open_home(url, account.options())
    home.pipe("a", b"1")
    hub.away = True
    ended(hub)
    for call in (lambda: home.cat("a"), lambda: store.find("a")):
        with pytest.raises(OSError, match="does not answer") as told:
            call()
        assert not isinstance(told.value, PermissionError | FileNotFoundError)


def test_a_token_for_something_else_is_refused_in_words(
    account: Account, hub: TokenHub, url: str
) -> None:
    hub.audience = "https://management.azure.com"
    home, store = Home(url, account.options()), open_home(url, account.options())
    for call in (lambda: home.cat("a"), lambda: store.find("a")):
        with pytest.raises(PermissionError, match="does not accept the token"):
            call()


@pytest.mark.parametrize(
    "code", ["AuthorizationPermissionMismatch", "AuthorizationFailure", "InvalidAuthenticationInfo"]
)
def test_a_refusal_is_told_in_words(lake: Lake, hub: TokenHub, code: str, url: str) -> None:
    lake.refusing = (401 if code.startswith("Invalid") else 403, code)
    home, store = Home(url, lake.options), open_home(url, lake.options)
    for call in (lambda: home.cat("a"), lambda: store.find("a"), lambda: list(store.list())):
        with pytest.raises(PermissionError) as told:
            call()
        assert WORDS[code] in str(told.value)
        assert code in str(told.value)
        assert not [each for each in hub.given if each in str(told.value)]


def test_an_account_that_is_not_there_is_said(account: Account, hub: TokenHub, url: str) -> None:
    options = {**account.options(), "account_url": "https://nobody.invalid"}
    for call in (lambda: Home(url, options, 0).cat("a"), lambda: open_home(url, options).find("a")):
        with pytest.raises(OSError, match=r"there is no host nobody\.invalid"):
            call()


def test_a_certificate_that_nobody_vouches_for_is_said(
    account: Account, hub: TokenHub, url: str
) -> None:
    options = {**account.options(), "ca_bundle": ""}
    for call in (lambda: Home(url, options, 0).cat("a"), lambda: open_home(url, options).find("a")):
        with pytest.raises(OSError, match="is not trusted"):
            call()


def test_certificates_that_cannot_be_read_are_said(account: Account, url: str) -> None:
    options = {**account.options(), "ca_bundle": "/nowhere/ca.pem"}
    for call in (lambda: Home(url, options).cat("a"), lambda: open_home(url, options).find("a")):
        with pytest.raises(HomeError, match=r"/nowhere/ca\.pem cannot be read"):
            call()


def test_no_variable_says_another_account_or_key(
    account: Account, hub: TokenHub, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "BlobEndpoint=https://nobody.invalid/x")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "nobody")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "bm9ib2R5")
    Home(url, account.options()).pipe("a", b"1")
    assert account.oracle.read(key(url, "a")) == b"1"


def test_an_open_file_can_be_sent_on_by_those_it_is_sent_to(
    account: Account, hub: TokenHub, url: str
) -> None:
    """Xarray copies the files that it holds, and Dask sends them to workers."""
    from greyhub.azureml.storage_filesystem import AccountFilesystem

    account.oracle.write(key(url, "a"), b"123")
    ca, login = str(account.authority.ca), HubCredential("ada", "storage")
    files = AccountFilesystem(account.url, ca, credential=login)
    with files.open(f"homes/{key(url, 'a')}") as file:
        file.seek(1)
        there = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(file))))
    with there:
        assert there.read() == b"23"


def test_what_is_sent_to_workers_holds_no_token(
    account: Account, hub: TokenHub, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(url, account.options())
    home.pipe("a", b"1")
    sent = pickle.dumps(home)
    shown = [repr(sent), repr(home), home.to_json(), str(home.options)]
    assert not [each for each in shown if any(token in each for token in hub.given)]
    credential = pickle.dumps(HubCredential("ada", "storage"))
    with monkeypatch.context() as worker:
        from greyhub import credentials

        credentials._held.clear()
        worker.delenv("JUPYTERHUB_API_TOKEN")
        there: Home = pickle.loads(sent)
        with pytest.raises((CredentialError, PermissionError), match=r"client\.run"):
            there.cat("a")
        pickle.loads(credential)
        assert there.cat("a") == b"1"
