"""``greyhub check --live`` asks the backends themselves: a provider, a store, a gateway."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import time
from typing import Any

import pytest
from click.testing import CliRunner

from greyhub.auth import oidc as oidc_adapter
from greyhub.cli import group
from greyhub.conformance.testkit.provider import Provider, endpoints
from greyhub.ports import reserve
from tests.checks.starting import forget, write
from tests.homespace.filesystem.servers import moto

NOWHERE = "http://127.0.0.1:9"
CANARY = "canary-of-the-client-17b0"


def live(directory: Path, config: str, slot: str) -> list[dict[str, Any]]:
    """The findings about one slot."""
    file = write(directory, config)
    said = CliRunner().invoke(group, ["check", "--live", "--json", "-f", str(file)])
    forget()
    assert CANARY not in said.output
    findings: list[dict[str, Any]] = json.loads(said.stdout)["live"][slot]
    return findings


def only(findings: list[dict[str, Any]], level: str) -> dict[str, Any]:
    """The one finding, which is of this level and, if it is bad, says how to fix it."""
    (finding,) = findings
    assert finding["level"] == level, finding
    assert finding["fix"] or level in ("ok", "note")
    return finding


@contextmanager
def answering(body: bytes, *, ahead: float = 0.0) -> Iterator[str]:
    """A web server whose clock is so many seconds ahead; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", formatdate(time() + ahead, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with closing(Provider()) as made:
        yield made


def oidc(url: str, secret: str, client: str = "conformance") -> str:
    return f"""
c.GreyHub.auth = "generic-oauth"
c.GenericOAuthenticator.client_id = {client!r}
c.GenericOAuthenticator.client_secret = {secret!r}
c.GenericOAuthenticator.authorize_url = "{url}/authorize"
c.GenericOAuthenticator.token_url = "{url}/token"
c.GenericOAuthenticator.userdata_url = "{url}/userinfo"
c.GenericOAuthenticator.allowed_users = {{"ada"}}
"""


def test_a_provider_that_knows_this_hub(provider: Provider, tmp_path: Path) -> None:
    found = live(tmp_path, oidc(provider.url, provider.client_secret), "auth")
    assert "knows this hub" in only(found, "ok")["message"]


def test_a_provider_that_does_not(provider: Provider, tmp_path: Path) -> None:
    found = only(live(tmp_path, oidc(provider.url, CANARY), "auth"), "error")
    assert "does not know this hub" in found["message"]
    assert found["option"] == "c.GenericOAuthenticator.client_secret"


def test_a_provider_that_is_not_there(tmp_path: Path) -> None:
    found = only(live(tmp_path, oidc(NOWHERE, CANARY), "auth"), "error")
    assert "nobody can log in" in found["message"]
    assert NOWHERE in found["message"]


HOME = 'c.GreyHub.homespace = "s3://{bucket}/{{username}}"\nc.HomespaceAdapter.mode = "object"\n'
OPTIONS = 'c.HomespaceAdapter.storage_options = {{"client_kwargs": {{"endpoint_url": "{url}"}}}}\n'


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)


@pytest.mark.usefixtures("credentials")
def test_a_store_with_and_without_its_bucket(s3: str, tmp_path: Path) -> None:
    import s3fs

    s3fs.S3FileSystem(client_kwargs={"endpoint_url": s3}, skip_instance_cache=True).mkdir("homes")
    there = HOME.format(bucket="homes") + OPTIONS.format(url=s3)
    assert "can be listed" in only(live(tmp_path, there, "homespace"), "ok")["message"]
    missing = HOME.format(bucket="nowhere") + OPTIONS.format(url=s3)
    assert (
        "s3://nowhere/ cannot be listed"
        in (only(live(tmp_path, missing, "homespace"), "error")["message"])
    )


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    config = HOME.format(bucket="homes") + OPTIONS.format(url=NOWHERE)
    found = only(live(tmp_path, config, "homespace"), "error")
    assert "homes cannot be reached" in found["message"]


def test_a_users_credential_is_not_asked_for_where_it_is_not(s3: str, tmp_path: Path) -> None:
    config = HOME.format(bucket="homes") + (
        "import greyhub\n"
        f'c.HomespaceAdapter.storage_options = {{"client_kwargs": {{"endpoint_url": "{s3}"}}, '
        '"key": greyhub.secret(env="KEY_OF_THE_USER"), '
        '"secret": greyhub.secret(env="SECRET_OF_THE_USER")}\n'
    )
    found = only(live(tmp_path, config, "homespace"), "note")
    assert "KEY_OF_THE_USER" in found["message"]


@pytest.mark.parametrize(("ahead", "level"), [(0.0, "ok"), (90.0, "warning"), (-3600.0, "error")])
def test_a_gateway_and_its_clock(ahead: float, level: str, tmp_path: Path) -> None:
    with answering(b'{"version": "2026.3.0"}', ahead=ahead) as url:
        found = live(tmp_path, gateway(url), "cluster")
    said = {each["level"]: each["message"] for each in found}
    assert "2026.3.0" in said["ok"]
    if level != "ok":
        assert "the clock of the dask-gateway is" in said[level]


def gateway(url: str) -> str:
    return (
        'c.GreyHub.cluster = "dask_gateway.GatewayCluster"\n'
        f'c.ClusterAdapter.options = {{"address": "{url}"}}\n'
    )


def test_a_gateway_of_another_year(tmp_path: Path) -> None:
    with answering(b'{"version": "2019.1.0"}') as url:
        found = only(live(tmp_path, gateway(url), "cluster"), "warning")
    assert "the dask-gateway is 2019.1.0" in found["message"]


def test_what_is_no_gateway(tmp_path: Path) -> None:
    with answering(b"<html>welcome</html>") as url:
        found = only(live(tmp_path, gateway(url), "cluster"), "error")
    assert "is no dask-gateway" in found["message"]


def test_more_memory_than_there_is(tmp_path: Path) -> None:
    config = "c.LocalCluster.max_workers = 1000\nc.LocalCluster.memory_limit = '64 GiB'"
    found = only(live(tmp_path, config, "cluster"), "warning")
    assert "its workers would be killed" in found["message"]


def openid(provider: Provider, issuer: str = "", secret: str = "", more: str = "") -> str:
    return f"""
c.GreyHub.auth = "oidc"
c.JupyterHub.ip = "127.0.0.1"
c.OIDCAuthenticator.issuer = {issuer or provider.url!r}
c.OIDCAuthenticator.client_id = "conformance"
c.OIDCAuthenticator.client_secret = {secret or provider.client_secret!r}
c.OIDCAuthenticator.allowed_users = {{"ada"}}
{more}
"""


def test_an_openid_provider_that_fits(provider: Provider, tmp_path: Path) -> None:
    found = live(tmp_path, openid(provider), "auth")
    assert {each["level"] for each in found} == {"ok"}
    said = " ".join(each["message"] for each in found)
    assert "sends browsers back to http://127.0.0.1:8000/hub/oauth_callback" in said
    assert "knows this hub's id and secret" in said


@pytest.mark.parametrize("issuer", ["/", "/realms/none", NOWHERE])
def test_an_issuer_that_is_none(provider: Provider, tmp_path: Path, issuer: str) -> None:
    there = issuer if issuer == NOWHERE else f"{provider.url}{issuer}"
    found = only(live(tmp_path, openid(provider, there), "auth"), "error")
    assert "nobody can log in" in found["message"]
    assert found["option"] == "c.OIDCAuthenticator.issuer"


def test_a_client_secret_that_is_wrong(provider: Provider, tmp_path: Path) -> None:
    found = live(tmp_path, openid(provider, secret=CANARY), "auth")
    [error] = [each for each in found if each["level"] == "error"]
    assert "does not know this hub" in error["message"]
    assert error["option"] == "c.OIDCAuthenticator.client_secret"


def test_a_client_that_the_provider_does_not_know(provider: Provider, tmp_path: Path) -> None:
    more = 'c.OIDCAuthenticator.client_id = "another"'
    found = live(tmp_path, openid(provider, more=more), "auth")
    assert any("register exactly that address" in each["fix"] for each in found)


def test_scopes_claims_and_signatures_that_are_not_there(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = endpoints.discovery
    changes = {
        "scopes_supported": ["openid", "profile"],
        "claims_supported": ["sub", "preferred_username", "email"],
        "id_token_signing_alg_values_supported": ["HS256"],
        "code_challenge_methods_supported": ["plain"],
    }

    def discovery(provider: Any, seen: Any) -> Any:
        return endpoints.give({**json.loads(true(provider, seen).body), **changes})

    monkeypatch.setattr(endpoints, "discovery", discovery)
    more = """
c.OIDCAuthenticator.allowed_groups = {"staff"}
c.OIDCAuthenticator.username_claim = "email"
"""
    found = live(tmp_path, openid(provider, more=more), "auth")
    said = {each["option"]: each["message"] for each in found if each["level"] != "ok"}
    assert "the scopes email" in said["c.OIDCAuthenticator.scope"]
    assert "the claim groups" in said["c.OIDCAuthenticator.groups_claim"]
    assert "the claim email_verified" in said["c.OIDCAuthenticator.username_claim"]
    assert "by no key of its own" in said["c.OIDCAuthenticator.issuer"]
    assert any("PKCE" in message for message in said.values())
    # Keycloak names no claims of mappers, which groups are.
    more = f'{more}c.OIDCAuthenticator.preset = "keycloak"'
    found = live(tmp_path, openid(provider, more=more), "auth")
    assert not any("the claim" in each["message"] for each in found)


def test_the_port_of_a_proxy_elsewhere_is_not_looked_at(tmp_path: Path) -> None:
    there = "c.ConfigurableHTTPProxy.should_start = "
    assert "for the proxy" in str(live(tmp_path, f"{there}True\n", "hub"))
    assert "for the proxy" not in str(live(tmp_path, f"{there}False\n", "hub"))


@contextmanager
def listening() -> Iterator[int]:
    """The port of a program that listens on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


PORTS = {
    "the hub": ("c.JupyterHub.hub_port = {}", "choose another c.JupyterHub.hub_port"),
    "the hub, by its URL": (
        'c.JupyterHub.hub_bind_url = "http://127.0.0.1:{}"',
        "choose another port in c.JupyterHub.hub_bind_url",
    ),
    "the proxy's API": (
        'c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{}"',
        "set c.ConfigurableHTTPProxy.api_url",
    ),
}


@pytest.mark.parametrize("who", PORTS)
def test_a_port_that_another_program_has(who: str, tmp_path: Path) -> None:
    line, fix = PORTS[who]
    with closing(reserve()) as held, listening() as port:
        free = f"c.JupyterHub.port = {held.getsockname()[1]}\n"
        found = live(tmp_path, free + line.format(port), "hub")
    (bad,) = [each for each in found if each["level"] != "ok"]
    assert bad["level"] == "error"
    assert f"port {port} of 127.0.0.1: another program does" in bad["message"]
    assert bad["message"].startswith(who.partition(",")[0])
    assert fix in bad["fix"]
    assert bad["line"] == 2


def test_the_ports_of_a_hub_that_runs_may_be_its_own(tmp_path: Path) -> None:
    with listening() as public, listening() as own:
        lines = f"c.JupyterHub.port = {public}\nc.JupyterHub.hub_port = {own}\n"
        found = live(tmp_path, lines, "hub")
    said = [each["message"] for each in found if each["level"] == "note"]
    assert said == [f"something listens on port {each} of 127.0.0.1" for each in (public, own)]
    assert not [each for each in found if each["level"] == "error"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("hub_ip", "203.0.113.7", "this machine has no such address"),
        ("hub_bind_url", "http://203.0.113.7:8081", "this machine has no such address"),
        ("bind_url", "http://203.0.113.7:8000", "this machine has no such address"),
        ("ip", "203.0.113.7", "this machine has no such address"),
        ("hub_ip", "no-such-host.invalid", "no address is known for"),
    ],
)
def test_an_address_that_this_machine_does_not_have(
    option: str, value: str, said: str, tmp_path: Path
) -> None:
    lines = 'c.GreyHub.auth = "dummy"\n'
    lines += 'c.DummyAuthenticator.password = __import__("secrets").token_hex()\n'
    lines += 'c.GreyHub.accepted_risks = ["plain-http", "shared-password"]\n'
    lines += 'c.Authenticator.allowed_users = {"ada"}\n'
    found = live(tmp_path, f"{lines}c.JupyterHub.{option} = {value!r}", "hub")
    (bad,) = [each for each in found if each["level"] == "error"]
    assert said in bad["message"]
    assert "'ip address' lists them" in bad["fix"]
    assert bad["option"] == f"c.JupyterHub.{option}"
    assert bad["line"] == 5


def test_each_of_several_openid_providers_is_asked_and_named(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_adapter, "EACH", 3.0)
    stuck = socket.create_server(("127.0.0.1", 0))
    config = f"""
c.GreyHub.auth = "oidc"
c.JupyterHub.ip = "127.0.0.1"
own = {{"client_id": "conformance", "client_secret": {provider.client_secret!r}}}
own["allow_all"] = True
good = {{**own, "issuer": {provider.url!r}}}
c.OpenIDConnect.providers = {{
    "good": good,
    "away": {{**own, "issuer": {NOWHERE!r}}},
    "wrong": {{**good, "client_secret": {CANARY!r}}},
    "stuck": {{**own, "issuer": "http://127.0.0.1:{stuck.getsockname()[1]}"}},
}}
"""
    with stuck:
        found = live(tmp_path, config, "auth")
    said = {
        word: [each for each in found if each["message"].startswith(f"{word}: ")]
        for word in ("good", "away", "wrong", "stuck")
    }
    assert sum(map(len, said.values())) == len(found)
    assert {each["level"] for each in said["good"]} == {"ok"}
    assert "hub/oauth_callback/good" in str(said["good"])
    error = only(said["away"], "error")
    assert "nobody can log in" in error["message"]
    assert error["option"] == 'c.OpenIDConnect.providers["away"]["issuer"]'
    [error] = [each for each in said["wrong"] if each["level"] == "error"]
    assert error["option"] == 'c.OpenIDConnect.providers["wrong"]["client_secret"]'
    assert 'compare c.OpenIDConnect.providers["wrong"]["client_id"]' in error["fix"]
    assert "no answer within 3 s" in only(said["stuck"], "error")["message"]


def local_homes(directory: Path, root: object) -> list[dict[str, Any]]:
    return live(directory, f"c.LocalHomespace.root = {str(root)!r}", "homespace")


def test_homes_on_a_mount_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "fstab"
    table.write_text(
        f"# homes\nnfs:/homes {tmp_path}/big\\040disk nfs defaults 0 0\n"
        f"nfs:/away {tmp_path}/away nfs noauto 0 0\n/dev/sda1 / ext4\n/swap none swap sw\n"
    )
    monkeypatch.setattr("greyhub.mounts.FSTAB", table)
    for there in (False, True):
        if there:
            (tmp_path / "big disk/homes").mkdir(parents=True)
        bad = only(local_homes(tmp_path, tmp_path / "big disk/homes"), "error")
        assert bad["message"].startswith(f"{tmp_path}/big disk is in ")
        assert "not mounted" in bad["message"]
        assert bad["fix"] == f"mount '{tmp_path}/big disk'"
        assert bad["option"] == "c.LocalHomespace.root"
    only(local_homes(tmp_path, tmp_path / "away/homes"), "ok")
    (hub,) = [
        each
        for each in live(tmp_path, f"c.GreyHub.state_dir = '{tmp_path}/big disk/state'", "hub")
        if each["level"] == "error"
    ]
    assert "the hub would begin anew beneath it" in hub["message"]


@pytest.mark.root
def test_homes_on_a_disk_that_is_read_only(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    file = write(tmp_path, f"c.LocalHomespace.root = '{disk}/homes'")
    program = str(Path(sys.executable).parent / "greyhub")
    check = [program, "check", "--live", "--json", "-f", str(file)]
    mounted = 'mount -t tmpfs -o ro none "$0" && exec "$@"'
    said = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, str(disk), *check],
        capture_output=True,
        text=True,
        check=False,
    )
    bad = only(json.loads(said.stdout)["live"]["homespace"], "error")
    assert "Read-only file system" in bad["message"]
    assert "remount,rw" in bad["fix"]
    assert said.returncode == 1
