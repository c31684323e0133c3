"""The generated token is the same after an upgrade: Helm asks the API server for it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from tests.chart.rendering import SETS, named, render, rendered

pytestmark = pytest.mark.usefixtures("helm_is_there")


def discovery() -> dict[str, Any]:
    """What Helm asks first: the version, and the kinds of all that the chart has."""
    found: dict[str, Any] = {
        "/version": {"major": "1", "minor": "35", "gitVersion": "v1.35.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
    }
    groups = []
    for version in sorted({each["apiVersion"] for each in rendered("as it comes")}):
        kinds = {each["kind"] for each in rendered("as it comes") if each["apiVersion"] == version}
        resources = [
            {"name": f"{kind.lower()}s", "kind": kind, "namespaced": True, "verbs": ["get"]}
            for kind in sorted(kinds)
        ]
        place = "/apis" if "/" in version else "/api"
        answer = {"kind": "APIResourceList", "groupVersion": version, "resources": resources}
        found[f"{place}/{version}"] = answer
        if "/" in version:
            known = {"groupVersion": version, "version": version.partition("/")[2]}
            groups.append({"name": version.partition("/")[0], "versions": [known]})
    found["/apis"] = {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    return found


class Cluster(BaseHTTPRequestHandler):
    """An API server that has at most one Secret."""

    discovery: ClassVar[dict[str, Any]]
    secret: dict[str, Any] | None = None

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        found = self.discovery.get(path)
        if path == "/api/v1/namespaces/research/secrets/proxy-token":
            found = self.secret
        status = {"kind": "Status", "apiVersion": "v1", "code": 404, "reason": "NotFound"}
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(found or status).encode())

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[str]]:
    """What tells Helm of that API server."""
    Cluster.discovery, Cluster.secret = discovery(), None
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": {"server": url}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "users": [{"name": "it", "user": {}}],
        "current-context": "it",
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    yield ["--dry-run=server", "--disable-openapi-validation", "--kubeconfig", str(file)]
    server.shutdown()
    server.server_close()


def token(*more: str) -> str:
    """The token of a rendering."""
    data = named(render(SETS["as it comes"], *more), "Secret", "proxy-token")["data"]
    return base64.b64decode(data["token"]).decode()


def test_the_token_is_kept(cluster: list[str]) -> None:
    first = token(*cluster)
    assert first != token(*cluster)  # there is none yet
    kept = base64.b64encode(first.encode()).decode()
    about: dict[str, Any] = {"name": "proxy-token", "namespace": "research"}
    about["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
    about["annotations"] = {
        "meta.helm.sh/release-name": "science",
        "meta.helm.sh/release-namespace": "research",
    }
    Cluster.secret = {"apiVersion": "v1", "kind": "Secret", "metadata": about}
    Cluster.secret["data"] = {"token": kept}
    assert token(*cluster) == first
