"""The stores of the suite.

- ``place``: a store, one after the other, with a home that is this test's alone
- ``home``: that home
- ``place_of``: the place on one store, by its name
- ``faults``: the stores that are reached through a proxy that misbehaves
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from greyhub.homespace.filesystem import Home
from tests.homespace.filesystem import servers
from tests.homespace.filesystem.places import Bucket, Container, Dictionary, Disk, Place, matrix
from tests.support.faults import FaultyProxy

STORES = matrix("local", "s3", "azure", "memory", "sftp", "webdav", "other")
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (  # the one that Azurite's documentation tells everyone
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
S3_KEY = "AKIA-ADA"
S3_SECRET = "s3-secret-of-ada"


@pytest.fixture(scope="session", autouse=True)
def _credentials() -> Iterator[None]:
    """What a user's server would have in its environment."""
    given = {
        "ADA_S3_KEY": S3_KEY,
        "ADA_S3_SECRET": S3_SECRET,
        "ADA_DAV_PASSWORD": servers.PASSWORD,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        for name in [name for name in os.environ if name.startswith("AZURE_STORAGE_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_loader() -> Iterator[None]:
    """Every S3 client reads a megabyte of the SDK's own JSON files: once is enough here."""
    import functools

    import botocore.session

    with pytest.MonkeyPatch.context() as patch:
        cached = functools.cache(botocore.session.create_loader)
        patch.setattr(botocore.session, "create_loader", cached)
        yield


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Place]]:
    """Opens stores by name; each server starts at its first use."""
    with ExitStack() as stack:
        opened: dict[str, Place] = {}

        def open_place(name: str) -> Place:
            if name not in opened:
                directory = tmp_path_factory.mktemp(name)
                try:
                    opened[name] = globals()[f"_{name}"](directory, stack)
                except servers.Missing as error:
                    pytest.skip(f"{name} needs {error}")
            place = opened[name]
            return Place(
                place.name, place.template, place.options, place.oracle, place.top,
                proxied=place.proxied,
            )  # fmt: skip

        yield open_place


@pytest.fixture
def place_of(stores: Callable[[str], Place]) -> Callable[[str], Place]:
    return stores


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, stores: Callable[[str], Place]) -> Place:
    return stores(request.param)


@pytest.fixture
def home(place: Place) -> Home:
    return place.home()


def _local(directory: Path, stack: ExitStack) -> Place:
    return Place("local", f"{directory}/homes/{{username}}", {}, Disk(directory), "homes/")


def _other(directory: Path, stack: ExitStack) -> Place:
    return Place("other", f"plain://{directory}/homes/{{username}}", {}, Disk(directory), "homes/")


def _memory(directory: Path, stack: ExitStack) -> Place:
    return Place("memory", "memory://homes/{username}", {}, Dictionary(), "homes/")


def _s3(directory: Path, stack: ExitStack) -> Place:
    import boto3

    endpoint = stack.enter_context(servers.s3(directory, S3_KEY, S3_SECRET))
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id=S3_KEY, aws_secret_access_key=S3_SECRET,
    )  # fmt: skip
    client.create_bucket(Bucket="homes")
    options = {
        "key": {"env": "ADA_S3_KEY"},
        "secret": {"env": "ADA_S3_SECRET"},
        "client_kwargs": {"region_name": "us-east-1"},
    }

    def through(url: str) -> dict[str, object]:
        return {**options, "endpoint_url": url}

    return Place(
        "s3", "s3://homes/h/{username}", through(endpoint), Bucket(client, "homes"), "h/",
        proxied=lambda: FaultyProxy(endpoint, through),
    )  # fmt: skip


def _azure(directory: Path, stack: ExitStack) -> Place:
    from azure.storage.blob import ContainerClient

    endpoint = stack.enter_context(servers.azurite(directory))

    def through(url: str) -> dict[str, object]:
        # Without TLS, the account's URL can only be said by a connection string.
        variable = f"ADA_AZURE_{url.rpartition(':')[2]}"
        os.environ[variable] = (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint={url}/{ACCOUNT};"
        )
        return {"connection_string": {"env": variable}}

    container = ContainerClient(f"{endpoint}/{ACCOUNT}", "homes", credential=ACCOUNT_KEY)
    container.create_container()
    return Place(
        "azure", "abfs://homes/h/{username}", through(endpoint), Container(container), "h/",
        proxied=lambda: FaultyProxy(endpoint, through),
    )  # fmt: skip


def _sftp(directory: Path, stack: ExitStack) -> Place:
    ssh = stack.enter_context(servers.sshd(directory))
    options = {
        "port": ssh.port,
        "username": os.environ.get("USER") or __import__("pwd").getpwuid(os.getuid()).pw_name,
        "key_filename": ssh.key_filename,
        "host_key": ssh.host_key,
        "allow_agent": False,
        "look_for_keys": False,
    }
    top = ssh.root / "homes"
    return Place(
        "sftp", f"sftp://127.0.0.1{top}/{{username}}", options, Disk(ssh.root), "homes/"
    )  # fmt: skip


def _webdav(directory: Path, stack: ExitStack) -> Place:
    root = directory / "dav"
    root.mkdir()
    endpoint = stack.enter_context(servers.wsgidav(root))

    def through(url: str) -> dict[str, object]:
        return {"base_url": url, "auth": ["ada", {"env": "ADA_DAV_PASSWORD"}]}

    return Place(
        "webdav", "webdav://homes/{username}", through(endpoint), Disk(root), "homes/",
        proxied=lambda: FaultyProxy(endpoint, through),
    )  # fmt: skip
