"""obstore to a store: the same answers as the SDK's, the same credentials, no secrets."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.sync.source import Content
from greyhub.homespace.sync.stores import objects, obstore_client, open_url
from greyhub.homespace.sync.stores.base import ABSENT, Changed, Found, Store
from tests.homespace.filesystem.conftest import ACCOUNT_KEY, S3_SECRET
from tests.homespace.filesystem.places import Place
from tests.support.faults import Request, always
from tests.support.waiting import until

NAMES = (
    "a b", "a%20b", "a+b&c=d", "a#b?c", "~{x}[y]^`|", "(1)*'\"<>", "a:b@c;d,e$f!", "é 日本",
    "e\u0301", ".x/..y/z", "deep/er/still",
)  # fmt: skip


def opened(place: Place, options: Any = None) -> Store:
    return open_url(place.url(), Secrets(options or place.options).read())


def content(store: Store, key: str, tag: str | None = None, size: int = 0) -> tuple[bytes, str]:
    into = io.BytesIO()
    found = store.fetch(key, tag, into, size)
    return into.getvalue(), found


def by_obstore(request: Request) -> bool:
    """Whether a request is not one of the SDK's: those name the SDK, or sign otherwise."""
    agent = request.headers.get("User-Agent") or request.headers.get("user-agent") or ""
    return agent.startswith("greyhub/") and "Amz-Sdk-Invocation-Id" not in _titles(request)


def _titles(request: Request) -> set[str]:
    return {name.title() for name in request.headers}


def test_names_contents_and_tags_are_those_of_the_sdk(store: Place) -> None:
    assert store.proxied
    with store.proxied() as proxy:
        quick = opened(store, proxy.options)
        tags = {name: quick.put(name, Content(name.encode()), ABSENT) for name in NAMES}
        for name in NAMES:
            assert store.read(name) == name.encode()  # as another tool sees it
            assert content(quick, name, tags[name]) == (name.encode(), tags[name])
        assert {found.key: found.tag for found in quick.list()} == tags
        assert quick.put("a b", Content(b""), tags["a b"]) != tags["a b"]
        assert content(quick, "a b")[0] == b""
        asked = [each for each in proxy.requests if "list" not in each.path]
        assert asked
        assert all(by_obstore(each) for each in asked)


def test_conditions_hold(store: Place) -> None:
    quick = opened(store)
    tag = quick.put("a", Content(b"1"), ABSENT)
    for put in (ABSENT, "0x8DCAFECAFE"):
        with pytest.raises(Changed):
            quick.put("a", Content(b"2"), put)
    with pytest.raises(Changed):
        quick.put("new", Content(b"2"), tag)
    with pytest.raises(Changed):
        content(quick, "a", "0x8DCAFECAFE")
    with pytest.raises(FileNotFoundError):
        content(quick, "nothing")
    assert content(quick, "a", tag) == (b"1", tag)
    assert quick.find("new") is None


def test_a_large_object_comes_in_parts_of_one_version(
    store: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.proxied
    monkeypatch.setattr(objects, "PIECE", 1000)
    data = os.urandom(2500)
    store.write("large", data)
    with store.proxied() as proxy:
        quick = opened(store, proxy.options)
        found = quick.find("large")
        assert found
        assert content(quick, "large", found.tag, found.size) == (data, found.tag)
        ranges = [each for each in proxy.requests if by_obstore(each)]
        assert len(ranges) == 3
        assert all("If-Match" in _titles(each) for each in ranges)

        def replace(request: Request) -> None:
            if "1000-1999" in str(request.headers):
                store.write("large", b"x" * len(data))

        proxy.rules.append(replace)
        with pytest.raises(Changed):
            content(quick, "large", found.tag, found.size)


def test_a_lost_bucket_is_not_a_lost_object(store: Place) -> None:
    url = store.url().replace("//homes/", "//other/")
    gone = open_url(url, Secrets(store.options).read())
    for ask in (
        lambda: content(gone, "a"),
        lambda: gone.put("a", Content(b"1"), ABSENT),
        lambda: gone.put("a", Content(b"1"), "0x8DCAFECAFE"),
    ):
        with pytest.raises(OSError, match=r"not there|not exist") as error:
            ask()
        assert not isinstance(error.value, FileNotFoundError)


def test_what_fails_is_done_by_the_sdk(store: Place) -> None:
    """A store that obstore cannot talk to is left to the SDK, soon altogether."""
    assert store.proxied
    with store.proxied() as proxy:
        proxy.rules.append(always("refuse", by_obstore))
        quick = opened(store, proxy.options)
        for number in range(14):
            quick.put(f"{number}", Content(b"x"), None)
            assert store.read(f"{number}") == b"x"
        assert sum(by_obstore(each) for each in proxy.requests) == 10


def test_a_refusal_is_one_and_does_not_repeat_the_secret(
    store: Place, caplog: pytest.LogCaptureFixture
) -> None:
    assert store.proxied
    with store.proxied() as proxy, caplog.at_level(logging.DEBUG):
        quick = opened(store, proxy.options)
        quick.put("a", Content(b"1"), ABSENT)
        proxy.rules.append(always("refuse"))
        with pytest.raises(OSError, match=r"(?i)forbidden") as error:
            quick.put("b", Content(b"1"), ABSENT)
    inside = quick._client  # type: ignore[attr-defined]
    shown = [repr(quick), repr(inside), repr(inside._store), str(inside._store.config)]
    shown += traceback.format_exception(error.value)
    mine = [each.getMessage() for each in caplog.records if "botocore" not in each.name]
    for text in [*shown, *mine]:
        assert S3_SECRET not in text
        assert ACCOUNT_KEY not in text


@pytest.mark.parametrize(
    "more",
    [
        {"s3_additional_kwargs": {"ServerSideEncryption": "AES256"}},
        {"requester_pays": True},
        {"config_kwargs": {"proxies": {}}},
        {"config_kwargs": {"s3": {"payload_signing_enabled": True}}},
        {"config_kwargs": {"signature_version": "s3"}},
        {"client_kwargs": {"region_name": "us-east-1", "api_version": "2006-03-01"}},
    ],
    ids=lambda more: "-".join(more),
)
def test_an_option_that_only_the_sdk_knows_is_not_ignored(s3: Place, more: dict[str, Any]) -> None:
    assert s3.proxied
    with s3.proxied() as proxy:
        store = opened(s3, {**proxy.options, **more})
        tag = store.put("a", Content(b"1"), ABSENT)
        assert content(store, "a", tag) == (b"1", tag)
        assert not any(by_obstore(each) for each in proxy.requests)


def test_certificates_of_its_own_are_not_widened(
    s3: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import certifi

    from greyhub.homespace.sync.stores.obstore_client import NeedsSDK
    from greyhub.homespace.sync.stores.obstore_client.s3 import (
        open_from_filesystem,
        open_from_options,
    )

    bundles = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
    for name in bundles:
        monkeypatch.delenv(name, raising=False)
    options = {**Secrets(s3.options).read(), "endpoint_url": "https://store.invalid"}
    plain: Any = open_url(s3.url(), options)
    assert open_from_filesystem(plain.filesystem, "homes", "s3://homes")
    bundle = tmp_path / "own.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes())
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    own: Any = open_url(s3.url(), options)
    with pytest.raises(NeedsSDK, match="certificates"):
        open_from_filesystem(own.filesystem, "homes", "s3://homes")
    monkeypatch.setenv("HOME", str(tmp_path))
    told = dict(own._options)
    for name in bundles:
        monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
        monkeypatch.setenv(name, str(bundle))
        with pytest.raises(NeedsSDK, match="variable"):
            open_from_options(told, "homes", "s3://homes")
        monkeypatch.delenv(name)
    assert open_from_options(told, "homes", "s3://homes")


@pytest.mark.parametrize("style", ["virtual", "path", ""])
def test_the_bucket_stands_where_the_sdk_has_it(s3: Place, style: str) -> None:
    from greyhub.homespace.sync.stores.obstore_client.s3 import open_from_filesystem

    config = {"config_kwargs": {"s3": {"addressing_style": style}}} if style else {}
    options = {**Secrets(s3.options).read(), **config, "endpoint_url": "http://store.test:90/at"}
    store: Any = open_url(s3.url(), options)
    found: Any = open_from_filesystem(store.filesystem, "homes", "s3://homes")._store
    host = "homes.store.test" if style == "virtual" else "store.test"
    assert found.config["endpoint"] == f"http://{host}:90/at"
    assert found.config["virtual_hosted_style_request"] == str(style == "virtual").lower()


def test_credentials_are_renewed_as_the_sdk_renews_them(
    s3: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a profile's program, whose credentials are over nearly at once."""
    count, config = tmp_path / "count", tmp_path / "config"
    script = tmp_path / "find.py"
    script.write_text(FIND.format(count=str(count)))
    config.write_text(f"[profile ada]\ncredential_process = {sys.executable} {script}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert s3.proxied
    with s3.proxied() as proxy:
        kept = ("endpoint_url", "client_kwargs")
        options = {name: proxy.options[name] for name in kept} | {"profile": "ada"}
        store = opened(s3, options)

        def key() -> str:
            store.put("a", Content(b"1"), None)
            last = proxy.requests[-1]
            assert by_obstore(last)
            assert last.headers.get("x-amz-security-token") == "token-of-ada"
            given = last.headers.get("authorization") or last.headers["Authorization"]
            return given.partition("Credential=")[2].partition("/")[0]

        first = key()
        assert first.startswith("AKIA")
        until(lambda: key() != first, what="credentials that were renewed")


FIND = """
import datetime, json, pathlib
count = pathlib.Path({count!r})
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
over = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)
found = {{"Version": 1, "AccessKeyId": f"AKIA{{number}}", "SecretAccessKey": "secret"}}
found |= {{"SessionToken": "token-of-ada", "Expiration": over.isoformat()}}
print(json.dumps(found))
"""


def test_anonymous_means_unsigned(s3: Place) -> None:
    assert s3.proxied
    with s3.proxied() as proxy:
        kept = ("endpoint_url", "client_kwargs")
        store = opened(s3, {name: proxy.options[name] for name in kept} | {"anon": True})
        store.put("a", Content(b"1"), None)
        assert by_obstore(proxy.requests[-1])
        assert "Authorization" not in _titles(proxy.requests[-1])


def by_signature(url: str) -> dict[str, Any]:
    """The same account, with a signature in place of its key."""
    from datetime import UTC, datetime, timedelta

    from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

    signature = generate_account_sas(
        "devstoreaccount1",
        account_key=ACCOUNT_KEY,
        resource_types=ResourceTypes(service=True, container=True, object=True),
        permission=AccountSasPermissions(read=True, write=True, list=True, create=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    ends = f"BlobEndpoint={url}/devstoreaccount1;SharedAccessSignature={signature}"
    return {"connection_string": ends}


def test_a_shared_access_signature_is_used_and_not_shown(
    stores: Callable[[str], Place], caplog: pytest.LogCaptureFixture
) -> None:
    azure = stores("azure")
    assert azure.proxied
    with azure.proxied() as proxy, caplog.at_level(logging.DEBUG):
        store = open_url(azure.url(), by_signature(proxy.url))
        tag = store.put("a", Content(b"1"), ABSENT)
        assert content(store, "a", tag) == (b"1", tag)
        assert all(by_obstore(each) for each in proxy.requests)
        assert all("sig=" in each.path for each in proxy.requests)
        proxy.rules.append(always("busy"))
        with pytest.raises(OSError, match=r"\w") as error:
            content(store, "a", tag)
    inside = store._client  # type: ignore[attr-defined]
    said = [str(error.value), repr(inside._store), str(inside._store.config)]
    said += [each.getMessage() for each in caplog.records if not each.name.startswith("azure")]
    assert not any("sig=" in text for text in said)


def files(listing: Iterable[Found]) -> set[Found]:
    return {each for each in listing if not each.key.endswith("/")}


LISTED = (*NAMES, "empty", "deep/empty", " lead", "trail ", "a/ both ", "nbsp\u00a0", "\u3000")


@pytest.mark.parametrize("few", [100, 0], ids=["asked one by one", "left to the SDK"])
def test_a_listing_is_that_of_the_sdk(s3: Place, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of empty files, and of the marks that some tools put for folders: those are no files."""
    monkeypatch.setattr(obstore_client, "FEW", few)
    for name in LISTED:
        s3.write(name, b"" if "empty" in name else name.encode())
    for mark in ("marked/", "deep/"):
        s3.oracle.write(s3.inside("") + f"/{mark}", b"")
    assert s3.proxied
    with s3.proxied() as proxy:
        store: Any = opened(s3, proxy.options)
        for _ in range(2):
            found = files(store.list())
            assert {each.key for each in found} == {*LISTED}
            assert found == files(store._pages(""))
        lists = [each for each in proxy.requests if "list-type" in each.path]
        assert by_obstore(lists[0])
        below = files(store.list("deep/"))
        assert {each.key for each in below} == {"deep/empty", "deep/er/still"}


def test_a_listing_that_obstore_cannot_read_is_the_sdks(s3: Place) -> None:
    s3.write("a", b"1")
    s3.write("b\tc", b"2")
    assert {each.key for each in opened(s3).list()} == {"a", "b\tc"}


WHAT_IS_LOADED = """
import json, sys
from greyhub.homespace.sync.source import Content
from greyhub.homespace.sync.stores import open_url
store = open_url(sys.argv[1], json.loads(sys.argv[2]))
store.put("a", Content(b"1"), "")
assert [each.key for each in store.list()] == ["a"]
print("aiobotocore" in sys.modules)
"""


@pytest.mark.parametrize(
    ("environ", "more", "loaded"),
    [
        ({}, {}, False),
        ({"AWS_ACCESS_KEY_ID": "another", "AWS_SESSION_TOKEN": "another's"}, {}, False),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, {}, True),
        ({"HOME": "configured"}, {}, True),
        ({}, {"use_ssl": False}, True),
    ],
    ids=["told all", "keys that are overruled", "a region", "a file", "an option"],
)
def test_the_sdk_is_loaded_when_it_has_something_to_find_out(
    s3: Place, tmp_path: Path, environ: dict[str, str], more: dict[str, Any], *, loaded: bool
) -> None:
    """It takes longer to load than to bring a small home down."""
    (tmp_path / "configured/.aws").mkdir(parents=True)
    (tmp_path / "configured/.aws/config").write_text("[default]\n")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    options = json.dumps(Secrets(s3.options).read() | more)
    found = subprocess.run(
        [sys.executable, "-c", WHAT_IS_LOADED, s3.url(), options],
        env=plain | {"HOME": "/"} | environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == str(loaded)
