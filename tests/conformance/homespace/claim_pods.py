"""A suite that is run in a pod of a cluster, which has a claim mounted."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Sequence
from typing import Any

from tests.support.clusters import IMAGE, Cluster, missing
from tests.support.waiting import until

CLAIM, PLACE, POD = "homes", "GREYHUB_TESTS_CLAIM", "suite"
"""The claim and the pod, and the variable that tells where the claim is mounted."""

RUN = """
cd "$(python -c 'import greyhub, pathlib; print(pathlib.Path(greyhub.__file__).parents[1])')"
python -m greyhub.conformance run {arguments} --json /tmp/report.json >&2
cat /tmp/report.json
"""
"""The suites are beside the package, which the image has from a clone."""


def hindrance() -> str:
    """Why there can be no such pod, or an empty text."""
    return missing()


def report(arguments: Sequence[str]) -> str:
    """The report of ``greyhub conform run`` with these arguments, from a pod.

    Raises
    ------
    RuntimeError
        There is none.
    """
    cluster = Cluster(f"greyhub-{secrets.token_hex(4)}")
    cluster.kubectl("create", "namespace", cluster.namespace)
    try:
        cluster.apply(_claim())
        cluster.apply(_pod(RUN.format(arguments=shlex.join(arguments))))

        def ended() -> bool:
            return cluster.get("pods")[0]["status"]["phase"] in ("Succeeded", "Failed")

        until(ended, 900, "the end of the suite", every=1)
        said = cluster.kubectl("logs", POD)
        start = said.find("\n{")  # what comes before is the run's own talk
        if start < 0 or not said.rstrip().endswith("}"):
            raise RuntimeError(said[-2000:])
        return said[start:]
    finally:
        cluster.kubectl("delete", "namespace", cluster.namespace, "--wait=false")


def _claim() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def _pod(script: str) -> dict[str, Any]:
    container = {
        "name": "suite",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "env": [
            {"name": PLACE, "value": "/homes"},
            {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
        ],
        "volumeMounts": [{"name": "homes", "mountPath": "/homes"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 100},
            "containers": [container],
            "volumes": [{"name": "homes", "persistentVolumeClaim": {"claimName": CLAIM}}],
        },
    }
