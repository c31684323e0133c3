"""What ``greyhub check --live`` says of a KubeCluster: whether servers may make one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greyhub.clusters.operator_check import GROUP
from tests.checks.starting import write
from tests.support.clusters import ApiProxy, Cluster
from tests.support.waiting import MINUTE

pytestmark = [pytest.mark.slow, pytest.mark.kubernetes]

Check = Callable[..., dict[str, str]]


CONFIG = """
c.GreyHub.spawner = "kubernetes"
c.GreyHub.cluster = "dask_kubernetes.operator.KubeCluster"
c.GreyHub.homespace = None
c.KubeSpawner.namespace = {namespace!r}
c.KubeSpawner.service_account = {account!r}
c.JupyterHub.hub_ip = "0.0.0.0"
"""

OTHERS = ("is not installed here", "no operator")
"""What is said by the way, on one machine and not on another."""


@pytest.fixture
def check(
    cluster: Cluster, api: ApiProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Check:
    """What is said of the rights where servers have a service account, or none."""
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))

    def ask(account: str | None = None) -> dict[str, str]:
        file = write(tmp_path, CONFIG.format(namespace=cluster.namespace, account=account))
        command = [sys.executable, "-m", "greyhub.cli", "check", "--live", "--json", "-f", file]
        done = subprocess.run(command, capture_output=True, text=True, timeout=3 * MINUTE)
        found: list[dict[str, str]] = json.loads(done.stdout)["live"]["cluster"]
        [told] = [each for each in found if not any(word in each["message"] for word in OTHERS)]
        return told

    return ask


def test_servers_need_a_service_account_that_may(check: Check, cluster: Cluster) -> None:
    none = check()
    assert none["level"] == "error"
    assert "servers have no service account" in none["message"]
    cluster.kubectl("create", "serviceaccount", "people")
    refused = check("people")
    assert refused["level"] == "error"
    for right in ("create daskclusters", "patch daskworkergroups/scale", "get pods/log"):
        assert right in refused["message"]
    makes = ["daskclusters", "daskworkergroups", "daskworkergroups/scale", "daskautoscalers"]
    looks = ["pods", "pods/log", "services"]
    verbs = ["get", "list", "create", "patch", "delete"]
    rules = [
        {"apiGroups": [GROUP], "resources": makes, "verbs": verbs},
        {"apiGroups": [""], "resources": looks, "verbs": verbs[:2]},
    ]
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    cluster.apply({**kind, "metadata": {"name": "makes"}, "rules": rules})
    account = f"--serviceaccount={cluster.namespace}:people"
    cluster.kubectl("create", "rolebinding", "makes", "--role=makes", account)
    allowed = check("people")
    assert allowed["level"] == "ok"


def test_a_hub_that_may_not_ask_says_what_is_needed(
    check: Check, cluster: Cluster, api: ApiProxy
) -> None:
    def refuse(request: Any) -> str | None:
        return "403" if request.path.endswith("/subjectaccessreviews") else None

    api.rules = [refuse]
    told = check("people")
    assert told["level"] == "note"
    assert "daskworkergroups/scale" in told["fix"]
