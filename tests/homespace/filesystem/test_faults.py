"""Stores that are busy, slow or gone, and credentials that run out."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from greyhub.homespace.filesystem import FileChanged, Home
from tests.homespace.filesystem import servers
from tests.homespace.filesystem.places import Place, matrix
from tests.support.faults import FaultyProxy, Request, always, times
from tests.support.waiting import MINUTE

HTTP = matrix("s3", "azure", "webdav")


@pytest.fixture(params=HTTP)
def place(request: pytest.FixtureRequest, stores: Callable[[str], Place]) -> Place:
    return stores(request.param)


@pytest.fixture
def proxy(place: Place) -> Iterator[FaultyProxy]:
    assert place.proxied is not None
    with place.proxied() as found:
        yield found


def through(proxy: FaultyProxy, place: Place, patience: float = MINUTE) -> Home:
    home = Home(place.url(), proxy.options, patience)
    home.makedirs("", exist_ok=True)
    return home


def changes(request: Request) -> bool:
    return request.changes


def test_a_busy_store_is_asked_again(place: Place, proxy: FaultyProxy) -> None:
    home = through(proxy, place)
    for call in (
        lambda: home.pipe("f", b"1"),
        lambda: home.cat("f"),
        lambda: home.info("f"),
        lambda: home.ls(""),
        lambda: home.mv("f", "g"),
        lambda: home.cp("g", "f"),
        lambda: home.mkdir("d"),
        lambda: home.rm("g"),
        lambda: home.rmdir("d"),
        lambda: home.exists("f"),
    ):
        proxy.rules = [times(2, "busy")]
        call()
    assert place.names() == {"f"}
    assert place.read("f") == b"1"


@pytest.mark.parametrize("fault", ["lose", pytest.param("cut", marks=pytest.mark.slow)])
def test_a_lost_answer_does_nothing_twice(place: Place, proxy: FaultyProxy, fault: str) -> None:
    home = through(proxy, place)

    def losing(call: Callable[[], Any]) -> Any:
        """The first answers to changes, and to the first questions, are lost."""
        before = len(proxy.requests)
        proxy.rules = [times(1, fault, changes), times(1, fault, lambda each: not each.changes)]
        found = call()
        assert len(proxy.requests) > before
        proxy.rules = []
        return found

    losing(lambda: home.pipe("f", b"0123456789"))
    assert place.read("f") == b"0123456789"
    assert losing(lambda: home.cat("f")) == b"0123456789"
    losing(lambda: home.mv("f", "g"))
    assert place.names() == {"g"}
    losing(lambda: home.cp("g", "h"))
    losing(lambda: home.rm("h"))
    assert place.names() == {"g"}
    losing(lambda: home.mkdir("d"))
    assert home.isdir("d")
    losing(lambda: home.rmdir("d"))
    assert not home.exists("d")
    if "exclusive_create" in home.can:
        losing(lambda: home.pipe_file("x", b"mine", mode="create"))
        assert place.read("x") == b"mine"
        with pytest.raises(FileExistsError):
            losing(lambda: home.pipe_file("x", b"other", mode="create"))
        assert place.read("x") == b"mine"
    if "append" in home.can:
        for turn in range(3):

            def add(turn: int = turn) -> None:
                with home.open("log", "ab") as file:
                    file.write(f"{turn};".encode())

            losing(add)
        assert place.read("log") == b"0;1;2;"
    if "conditional_write" in home.can:
        version = home.info("x")["version"]
        losing(lambda: home.pipe_file("x", b"next", match=version))
        assert place.read("x") == b"next"
        with pytest.raises(FileChanged):
            losing(lambda: home.pipe_file("x", b"late", match=version))


@pytest.mark.slow
def test_a_store_that_stays_busy_ends_in_an_error(place: Place, proxy: FaultyProxy) -> None:
    home = through(proxy, place)
    home.pipe("f", b"old")
    home.store.patience = 1.0
    proxy.rules = [always("busy")]
    for call in (
        lambda: home.cat("f"),
        lambda: home.exists("f"),
        lambda: home.isfile("nothing"),
        lambda: home.ls(""),
        lambda: list(home.walk("")),
        lambda: home.find(""),
        lambda: home.pipe("f", b"new"),
        lambda: home.pipe("g", b"new"),
        lambda: home.rm("f"),
    ):
        with pytest.raises(OSError, match=r"503|no answer|Unavailable") as found:
            call()
        assert not isinstance(found.value, FileNotFoundError)
    assert "503" in repr(home) or "no answer" in repr(home)
    proxy.rules = []
    assert place.names() == {"f"}
    assert place.read("f") == b"old"
    assert home.cat("f") == b"old"


def test_a_write_that_did_not_arrive_is_an_error(place: Place, proxy: FaultyProxy) -> None:
    home = through(proxy, place, patience=0.5)
    proxy.rules = [always("busy", changes)]

    def write() -> None:
        with home.open("f", "wb") as file:
            file.write(b"1")

    with pytest.raises(OSError, match=r"503|no answer|Unavailable"):
        write()
    assert place.names() == set()


@pytest.mark.slow
def test_a_store_that_is_gone_comes_back(place: Place) -> None:
    assert place.proxied is not None
    with place.proxied() as proxy:
        home = through(proxy, place)
        home.pipe("f", b"1")
        port = proxy.server.server_address[1]
    home.store.patience = 0.3
    with pytest.raises(OSError, match="no answer"):
        home.cat("f")
    home.store.patience = MINUTE
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(home.cat, "f")
        assert not wait([answer], 0.5).done  # it asks in vain
        with FaultyProxy(proxy.upstream.geturl(), lambda url: {}, port):
            assert answer.result(MINUTE) == b"1"


def test_a_directory_is_listed_in_few_questions(place: Place, proxy: FaultyProxy) -> None:
    home = through(proxy, place)
    for number in range(200):
        place.write(f"d/{number}", b"")
    proxy.requests.clear()
    assert len(home.ls("d")) == 200
    assert len(proxy.requests) <= 3
    proxy.requests.clear()
    assert len(home.find("")) == 200
    assert home.du("") == 0
    assert len(proxy.requests) <= 10


KEY = re.compile(r"Credential=([^/]+)/")


def test_renewed_s3_credentials_work_at_once(
    stores: Callable[[str], Place], tmp_path: Path
) -> None:
    if servers.s3_program():
        pytest.skip("the server knows one key only")
    place = stores("s3")
    assert place.proxied is not None
    valid = {"AKIA-FIRST"}

    def check(request: Request) -> str | None:
        found = KEY.search(request.headers.get("Authorization", ""))
        return None if found and found[1] in valid else "refuse"

    file = tmp_path / "key"
    file.write_text("AKIA-FIRST")
    with place.proxied() as proxy:
        proxy.rules = [check]
        home = Home(place.url(), {**proxy.options, "key": {"file": str(file)}}, MINUTE)
        home.pipe("f", b"1")
        valid.clear()
        for call in (home.cat, home.ls, home.exists, home.rm, lambda name: home.pipe(name, b"2")):
            with pytest.raises(PermissionError):
                call("f")
        valid.add("AKIA-SECOND")
        with pytest.raises(PermissionError):
            home.cat("f")
        file.write_text("AKIA-SECOND")
        assert home.cat("f") == b"1"
        home.pipe("f", b"2")
    assert place.read("f") == b"2"


def test_renewed_azure_tokens_work_at_once(
    stores: Callable[[str], Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azurite checks how long a token is valid, so that this one really runs out."""
    from azure.storage.blob import ContainerSasPermissions, generate_container_sas

    from tests.homespace.filesystem.conftest import ACCOUNT, ACCOUNT_KEY

    place = stores("azure")
    endpoint = re.search(
        r"BlobEndpoint=([^;]+)", os.environ[place.options["connection_string"]["env"]]
    )
    assert endpoint is not None

    def connection(minutes: float) -> str:
        token = generate_container_sas(
            ACCOUNT, "homes", account_key=ACCOUNT_KEY,
            permission=ContainerSasPermissions(
                read=True, write=True, list=True, delete=True, create=True, add=True
            ),
            start=datetime.now(UTC) - timedelta(hours=1),
            expiry=datetime.now(UTC) + timedelta(minutes=minutes),
        )  # fmt: skip
        return f"BlobEndpoint={endpoint[1]};SharedAccessSignature={token}"

    file = tmp_path / "connection"
    file.write_text(connection(-1))
    home = Home(place.url(), {"connection_string": {"file": str(file)}}, MINUTE)
    for call in (home.cat, home.exists, lambda name: home.pipe(name, b"1")):
        with pytest.raises(PermissionError) as found:
            call("f")
        assert "sig=" not in str(found.value)
    file.write_text(connection(10))
    home.pipe("f", b"1")
    assert home.cat("f") == b"1"
    home.cp("f", "g")
    assert place.read("g") == b"1"


@pytest.mark.slow
def test_a_renewed_webdav_password_works_at_once(
    stores: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = stores("webdav")
    home = place.home()
    home.pipe("f", b"1")
    monkeypatch.setenv("ADA_DAV_PASSWORD", "wrong")
    other = Home(place.url(), place.options, MINUTE)
    with pytest.raises(PermissionError):
        other.cat("f")
    monkeypatch.setenv("ADA_DAV_PASSWORD", servers.PASSWORD)
    assert other.cat("f") == b"1"


@pytest.mark.slow
def test_a_file_that_a_webdav_listing_misses_between_two_names_is_not_gone(
    stores: Callable[[str], Place],
) -> None:
    """The server reads the folder before a file takes its name, and the hidden name after it."""
    place = stores("webdav")
    assert place.proxied is not None
    with place.proxied() as proxy:
        home = through(proxy, place)
        home.pipe("f", b"1")
        asked: list[str] = []

        def between(request: Request) -> None:
            asked.append(request.method)
            if len(asked) == 1:
                place.delete("f")
            if len(asked) == 3:
                place.write("f", b"2")

        proxy.rules.append(between)
        assert home.exists("f")
        assert asked == ["PROPFIND"] * 3


@pytest.mark.slow
class TestSFTP:
    """The same for SSH, whose connection is one for all."""

    @pytest.fixture
    def ssh(self, stores: Callable[[str], Place]) -> Place:
        return stores("sftp")

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_a_lost_connection_is_made_anew(self, ssh: Place) -> None:
        home = ssh.home()
        home.pipe("f", b"0123456789" * 100_000)

        def lose() -> None:
            home.store.client.ssh.get_transport().sock.shutdown(socket.SHUT_RDWR)

        calls: list[Callable[[], object]] = [
            lambda: home.pipe("g", b"1"),
            lambda: home.cat("g"),
            lambda: home.ls(""),
            lambda: home.mv("g", "h"),
            lambda: home.pipe_file("x", b"1", mode="create"),
            lambda: home.rm("h"),
            lambda: home.pipe("log", b""),
        ]
        for call in calls:
            lose()
            call()
        lose()
        with home.open("log", "ab") as file:
            file.write(b"once")
        assert ssh.read("log") == b"once"
        assert ssh.names() == {"f", "x", "log"}
        with home.open("f", block_size=1000) as file:
            assert file.read(10) == b"0123456789"
            lose()
            file.seek(500_000)
            assert file.read(10) == b"0123456789"
        with home.open("f", block_size=1000) as file:
            file.read(10)
            home.pipe("f", b"new")
            lose()
            file.seek(500_000)
            with pytest.raises(FileChanged):
                file.read(10)

    def test_an_answer_that_is_lost_does_nothing_twice(
        self, ssh: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import paramiko

        home = ssh.home()

        def lost_after(name: str) -> None:
            """The first answer to a request of this kind is lost, after it was done."""
            kept, left = getattr(paramiko.SFTPClient, name), [1]

            def call(self: Any, *args: Any) -> Any:
                found = kept(self, *args)
                if left[0]:
                    left[0] = 0
                    raise EOFError
                return found

            monkeypatch.setattr(paramiko.SFTPClient, name, call)

        home.pipe("f", b"1")
        for name, call in (
            ("posix_rename", lambda: home.pipe("f", b"2")),
            ("rename", lambda: home.pipe_file("x", b"mine", mode="create")),
            ("posix_rename", lambda: home.mv("f", "g")),
            ("remove", lambda: home.rm("g")),
            ("mkdir", lambda: home.mkdir("d")),
            ("rmdir", lambda: home.rmdir("d")),
        ):
            lost_after(name)
            call()
            monkeypatch.undo()
        assert ssh.names() == {"x"}
        assert ssh.read("x") == b"mine"
        assert home.ls("", detail=False) == ["x"]

    def test_an_append_whose_answer_is_lost_is_an_error(
        self, ssh: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import paramiko

        home = ssh.home()
        home.pipe("log", b"1;")
        kept = paramiko.SFTPFile.write

        def lost(self: Any, data: bytes) -> None:
            kept(self, data)
            self.flush()
            raise EOFError

        monkeypatch.setattr(paramiko.SFTPFile, "write", lost)

        def add() -> None:
            with home.open("log", "ab") as file:
                file.write(b"2;")

        with pytest.raises(OSError, match="no answer"):
            add()
        assert ssh.read("log") in (b"1;", b"1;2;")

    def test_a_revoked_key_is_an_error_and_a_renewed_one_works(
        self, ssh: Place, tmp_path: Path
    ) -> None:
        directory = Path(ssh.options["key_filename"]).parent
        authorized, public = directory / "authorized", directory / "user.pub"
        ssh.home().pipe("f", b"1")
        home = Home(ssh.url(), ssh.options, MINUTE)
        authorized.write_text("")
        try:
            with pytest.raises(PermissionError, match="refuses the credentials"):
                home.cat("f")
        finally:
            authorized.write_text(public.read_text())
        assert home.cat("f") == b"1"

    def test_a_server_that_is_not_known_is_not_trusted(self, ssh: Place) -> None:
        ssh.home()
        unknown = {name: value for name, value in ssh.options.items() if name != "host_key"}
        with pytest.raises(PermissionError, match="host_key"):
            Home(ssh.url(), unknown, MINUTE).ls("")
        kind = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1rGvMd8XW9Hq1mPqkbbVkYdN2Dw0S9mkmLzT0DpV5k"
        with pytest.raises(PermissionError, match="not the one that is known"):
            Home(ssh.url(), {**ssh.options, "host_key": kind}, MINUTE).ls("")
        Home(ssh.url(), {**unknown, "host_key_policy": "auto_add"}, MINUTE).ls("")


def test_a_bucket_that_is_gone_says_nothing_about_its_files(
    stores: Callable[[str], Place],
) -> None:
    place = stores("s3")
    home = Home("s3://no-such-bucket/ada", place.options, 5.0)
    for call in (home.exists, home.isfile, home.ls, home.cat, home.info):
        with pytest.raises(OSError, match=r"NoSuchBucket|bucket") as found:
            call("f")
        assert not isinstance(found.value, FileNotFoundError)
    place = stores("azure")
    home = Home("abfs://no-such-container/ada", place.options, 5.0)
    for call in (home.ls, home.cat, home.exists):
        with pytest.raises(OSError, match="ContainerNotFound") as found:
            call("f")
        assert not isinstance(found.value, FileNotFoundError)
