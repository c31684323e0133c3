"""What another user may send to the broker, its proxy and its dashboards: nothing comes of it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import make_directory
from tests.support.brokers import BrokerHub, no_finalizers  # noqa: F401
from tests.support.processes import environment, started_in
from tests.support.waiting import MINUTE

pytestmark = pytest.mark.processes

SEGMENTS = [
    "NAME", "NAME ", "name", "NAME%00", "%2e%2e", "..", ".", "", "api", "v1", "clusters",
    "services", "heartbeat", "workers", "scale", "adapt", "reason", "address", "dashboards",
    "status", "proxy", "hub", "user", "ada", "bob", "options", "health", "routes",
    "individual-task-stream", "oauth_callback",
]  # fmt: skip
PREFIXES = [
    "", "/services/clusters", "/services/clusters/api/v1/clusters/NAME",
    "/services/clusters/clusters/NAME", "/api/v1/clusters", "/user/ada/proxy/clusters/NAME",
]  # fmt: skip
TOKENS = ["BOB", "OTHER", "", "ada", "None", "undefined", "BOB,OTHER"]
BODIES = [
    None, {}, {"count": 0}, {"count": 9}, {"minimum": 0, "maximum": 0},
    {"cluster_options": {"user": "ada", "name": "NAME"}},
    {"scheduler_address": "tls://127.0.0.1:1", "dashboard_address": "", "api_address": "",
     "count": 0, "active_workers": [], "closing_workers": [], "closed_workers": ["NAME"]},
]  # fmt: skip


@dataclass
class Cluster:
    """One of ada's, and what nobody else may read or use."""

    made: Any
    client: Any
    secrets: list[str]
    """Its token, its key, the token of ada's server."""
    words: dict[str, str]
    """What stands for what in the requests."""


@pytest.fixture(scope="module")
def hub() -> Iterator[BrokerHub]:
    lasting = BrokerHub(make_directory(), "c.LocalBrokerCluster.end_with_server = False\n")
    with lasting.running("ada", "bob") as found:
        yield found


@pytest.fixture
def cluster(hub: BrokerHub) -> Iterator[Cluster]:
    with hub.gateway("ada") as gateway, hub.gateway("bob") as others:
        made, other = gateway.new_cluster(), others.new_cluster()
        made.scale(1)
        with made.get_client() as client:
            client.wait_for_workers(1, timeout=MINUTE)
            key = made.security.tls_key.splitlines()[3]
            secrets = [_token(hub, made.name), key, hub.token_of("ada")]
            words = {"BOB": hub.token_of("bob"), "OTHER": _token(hub, other.name)}
            yield Cluster(made, client, secrets, words | {"NAME": made.name})
        made.shutdown()
        other.shutdown()


def _token(hub: BrokerHub, name: str) -> str:
    """The token of a cluster, as its own parts have it."""
    for each in started_in(hub.directory):
        given = dict(part.partition("=")[::2] for part in environment(each).split("\0"))
        if given.get("DASK_GATEWAY_CLUSTER_NAME") == name:
            return given["DASK_GATEWAY_API_TOKEN"]
    raise AssertionError(name)


REQUESTS = {
    "door": st.sampled_from(["hub", "the broker's proxy", "the broker", "dashboards"]),
    "method": st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
    "prefix": st.sampled_from(PREFIXES),
    "segments": st.lists(st.sampled_from(SEGMENTS), max_size=5),
    "query": st.sampled_from(["", "?wait", "?token=BOB", "?user=ada", "?next=/services/clusters"]),
    "scheme": st.sampled_from(["", "token", "jupyterhub", "Bearer", "basic"]),
    "token": st.sampled_from(TOKENS),
    "header": st.sampled_from(["", "X-Forwarded-User", "Cookie", "X-HTTP-Method-Override", "Host"]),
    "body": st.sampled_from(BODIES),
}


def test_what_another_sends_reads_and_changes_nothing(hub: BrokerHub, cluster: Cluster) -> None:
    ports = {
        "hub": hub.port,
        "the broker's proxy": hub.broker_port,
        "the broker": hub.api_port,
        "dashboards": hub.dashboard_port,
    }
    answered = 0

    @settings(max_examples=400, deadline=None)
    @given(st.fixed_dictionaries(REQUESTS))
    def send(request: dict[str, Any]) -> None:
        nonlocal answered
        said = _answer(ports[request["door"]], request, cluster.words)
        answered += bool(said)
        for secret in cluster.secrets:
            assert secret.encode() not in said

    send()
    assert answered > 300
    assert cluster.client.submit(pow, 2, 5).result(MINUTE) == 32
    assert len(cluster.client.scheduler_info()["workers"]) == 1
    own = hub.call("ada", "GET", f"clusters/{cluster.made.name}").json()
    assert own["status"] == "RUNNING"
    assert any(secret in json.dumps(own) for secret in cluster.secrets), "its owner reads its key"


def _answer(port: int, request: dict[str, Any], words: dict[str, str]) -> bytes:
    """All that comes back; nothing where the connection is closed."""

    def filled(text: str) -> str:
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    headers = {}
    if request["scheme"]:
        headers["Authorization"] = filled(f"{request['scheme']} {request['token']}")
    if request["header"]:
        cookie = request["header"] == "Cookie"
        headers[request["header"]] = filled("jupyterhub-session-id=BOB" if cookie else "ada")
    content = None
    if request["body"] is not None:
        content, headers["Content-Type"] = filled(json.dumps(request["body"])), "application/json"
    path = "/".join([request["prefix"], *request["segments"]]) or "/"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=MINUTE)
    try:
        with suppress(http.client.HTTPException, OSError):
            url = filled(path + request["query"]).replace(" ", "%20")
            connection.request(request["method"], url, content, headers)
            answer = connection.getresponse()
            return f"{answer.status} {answer.getheaders()}".encode() + answer.read()
        return b""
    finally:
        connection.close()
