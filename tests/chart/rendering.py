"""What Helm makes of the chart, and the sets of values for which the tests look at it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.chart import helm

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/greyhub"
PAGE = ROOT / "docs/how-to/install-on-kubernetes.md"

HELM = helm.find()
"""Helm's program."""

KUBERNETES = "1.35"
"""The version that a rendering is for, of which Helm by itself has its own idea."""

Values = dict[str, Any]
Object = dict[str, Any]


def sample(name: str) -> str:
    """A config file of ``config/``."""
    return (ROOT / "config" / name / "greyhub_config.py").read_text()


CONFIG = """\
import sys

import greyhub

c = get_config()  # noqa: F821

c.GreyHub.flavour = "kubernetes"
c.OIDCAuthenticator.issuer = "https://id.example.org/realms/science"
c.OIDCAuthenticator.client_id = "greyhub"
c.OIDCAuthenticator.client_secret = greyhub.secret(env="OIDC_SECRET")
c.OIDCAuthenticator.allowed_groups = {"staff"}

greyhub.compose(c)
"""

IMAGES: Values = {"hub": {"image": "registry.example.org/hub:1"}}
NOTEBOOK: Values = {"image": "registry.example.org/notebook:1"}

BESIDE: Values = {
    "image": "registry.example.org/git:1",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    "volumeMounts": [{"name": "templates", "mountPath": "/srv"}],
}
"""A container beside the hub's."""

SETS: dict[str, Values] = {
    "as it comes": {
        "config": CONFIG,
        "url": "https://hub.example.org",
        **IMAGES,
        "notebook": NOTEBOOK,
        "secrets": ["login"],
    },
    "the sample for Kubernetes": {"config": sample("kubernetes"), **IMAGES},
    "the sample of a mixture": {"config": sample("mixed"), **IMAGES, "secrets": ["one", "two"]},
    "behind an ingress": {
        "config": CONFIG,
        "url": "https://hub.example.org/science/",
        "uid": 1000680000,
        **IMAGES,
        "notebook": NOTEBOOK,
        "secrets": ["login"],
        "catalogues": {"rain.yaml": "sources: {}\n"},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "tlsSecret": "certificate",
            "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "0"},
        },
        "networkPolicy": {
            "publicFrom": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}],
            "egress": [{"to": [{"podSelector": {"matchLabels": {"app": "minio"}}}]}],
        },
        "prepull": {"enabled": True, "images": ["registry.example.org/gpu:1"]},
        "placeholders": {"replicas": 1, "priorityClass": {"name": "low"}},
        "backup": {"enabled": True, "url": "s3://backups/science", "keep": 3},
    },
    "much of all": {
        "config": CONFIG,
        "url": "https://hub.example.org:8443/",
        "uid": None,
        "imagePullSecrets": ["registry"],
        "hub": {
            **IMAGES["hub"],
            "nodeSelector": {"pool": "core"},
            "tolerations": [{"key": "core", "operator": "Exists"}],
            "state": {"existingClaim": "old-state"},
            "env": [{"name": "REGION", "value": "north"}],
            "volumes": [{"name": "templates", "emptyDir": {}}],
            "volumeMounts": [{"name": "templates", "mountPath": "/srv/templates"}],
            "initContainers": [BESIDE | {"name": "clone"}],
            "extraContainers": [BESIDE | {"name": "pull"}],
        },
        "notebook": NOTEBOOK,
        "proxy": {
            "existingSecret": "token",
            "service": {"type": "LoadBalancer", "annotations": {"example.org/internal": "true"}},
        },
        "prepull": {"enabled": True, "tolerations": [{"operator": "Exists"}]},
        "podDisruptionBudgets": {"enabled": True},
        "priorityClass": {"create": True},
        "placeholders": {"replicas": 2, "priorityClass": {"create": True}},
        "backup": {
            "enabled": True,
            "claim": "backups",
            "secret": "store",
            "restore": "greyhub-20261130T021700Z.tar.gz",
        },
    },
}


def helm(*arguments: str | Path, values: Values) -> subprocess.CompletedProcess[str]:
    """Call Helm with values."""
    return subprocess.run(
        [HELM, *map(str, arguments), "--kube-version", KUBERNETES, "--values", "-"],
        input=yaml.safe_dump(values),
        capture_output=True,
        text=True,
        timeout=120,
    )


def render(values: Values, *more: str) -> list[Object]:
    """The objects of a release ``science`` in the namespace ``research``."""
    command = ("template", "science", CHART, "--namespace", "research", *more)
    done = helm(*command, values=values)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


@cache
def rendered(name: str) -> list[Object]:
    """The objects of one of the sets: made once."""
    return render(SETS[name])


def named(objects: list[Object], kind: str, name: str) -> Object:
    """The one object of a kind and a name."""
    (found,) = (
        each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )
    return found


def pods(objects: list[Object]) -> Iterator[Object]:
    """The pods, and those that Deployments, DaemonSets, Jobs and CronJobs make."""
    for each in objects:
        if each["kind"] == "CronJob":
            each = each["spec"]["jobTemplate"]
        if each.get("kind") == "Pod":
            yield each
        elif "template" in each.get("spec", {}):
            template = each["spec"]["template"]
            yield {"apiVersion": "v1", "kind": "Pod", **template}
