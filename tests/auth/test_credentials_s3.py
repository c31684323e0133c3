"""Short-lived keys for S3, of moto's STS and of one that refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest
import s3fs

from greyhub.conformance.testkit.provider.tokens import LIFETIME
from tests.auth.credentials import nothing_held, served
from tests.auth.oidc import World, world
from tests.auth.test_oidc_refresh import refreshes
from tests.homespace.filesystem.servers import moto

__all__ = ["nothing_held", "world"]

ROLE = "arn:aws:iam::123456789012:role/science"


class Sts:
    """A service for keys that answers what a test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.reply = 200, GIVEN
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.asked.append({**dict(parse_qsl(body)), "path": self.path})
                status, text = outer.reply
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


GIVEN = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>
<SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""

DENIED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
<Type>Sender</Type><Code>AccessDenied</Code><Message>Not you</Message></Error></ErrorResponse>"""


@pytest.fixture
def sts() -> Iterator[Sts]:
    made = Sts()
    yield made
    made.close()


def given(endpoint: str) -> dict[str, Any]:
    return {"bucket": {"source": "s3", "role": ROLE, "endpoint": endpoint, "duration": 900}}


@pytest.mark.processes
def test_a_key_of_motos_opens_its_store(world: World, tmp_path: Path) -> None:
    with moto(tmp_path) as endpoint:
        server = served(world, given(endpoint))
        answer = server.ask("bucket").json()
        assert 800 < answer["expires_in"] <= 900
        key = answer["values"]
        _client("s3", endpoint, key).create_bucket(Bucket="science")
        store = s3fs.S3FileSystem(
            key=key["access_key_id"],
            secret=key["secret_access_key"],
            token=key["session_token"],
            endpoint_url=endpoint,
            client_kwargs={"region_name": "us-east-1"},
            skip_instance_cache=True,
        )
        store.pipe_file("science/a", b"1")
        assert store.cat_file("science/a") == b"1"
        who = _client("sts", endpoint, key).get_caller_identity()["Arn"]
        assert who.endswith(":assumed-role/science/ada")


def _client(service: str, endpoint: str, key: dict[str, str]) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
        aws_session_token=key["session_token"],
    )


def test_the_id_token_of_the_user_is_sent_and_a_new_one_if_it_has_ended(
    world: World, sts: Sts, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served(world, given(sts.url))
    users = server.hub.app.users
    state = dict(server.hub.run(lambda: users["ada"].get_auth_state()))
    assert server.ask("bucket").json()["values"] == {
        "access_key_id": "ASIA1",
        "secret_access_key": "secret",
        "session_token": "session",
    }
    first = sts.asked[0]
    assert first["WebIdentityToken"] == state["id_token"]
    assert (first["RoleArn"], first["RoleSessionName"]) == (ROLE, "ada")
    assert (first["DurationSeconds"], first["path"]) == ("900", "/")
    assert refreshes(world) == []

    state["id_token_claims"]["exp"] -= LIFETIME
    server.hub.run(lambda: users["ada"].save_auth_state({**state, "login_at": 1}))
    server.ask("bucket")
    assert sts.asked[1]["WebIdentityToken"] != state["id_token"]
    assert len(refreshes(world)) == 1


def test_what_it_refuses_and_where_it_is_away_is_said_in_words(world: World, sts: Sts) -> None:
    server = served(world, given(sts.url))
    sts.reply = 403, DENIED
    said = server.refused("bucket")
    assert "refuses a key for 'bucket': AccessDenied\n  fix: tell the hub's administrator" in said
    for reply in ((503, DENIED), (200, "no XML"), (429, DENIED)):
        sts.reply = reply
        assert "does not answer" in server.refused("bucket", 503)
    sts.close()
    assert "does not answer" in server.refused("bucket", 503)


def test_without_an_id_token_there_is_no_key(world: World, sts: Sts) -> None:
    server = served(world, given(sts.url))
    users = server.hub.app.users
    state = dict(server.hub.run(lambda: users["ada"].get_auth_state()))
    bare = {**state, "id_token": None, "refresh_token": None}
    server.hub.run(lambda: users["ada"].save_auth_state(bare))
    assert "gives no new ID token" in server.refused("bucket")
    assert sts.asked == []
