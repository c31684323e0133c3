"""Releases of a chart by Helm, in a namespace of the tests' own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chart.helm import NO_HELM
from tests.chart.rendering import HELM
from tests.support.clusters import Cluster

IMAGES = os.environ.get("GREYHUB_TESTS_IMAGES", "")
"""The images of greyhub's chart, such as ``registry.example.org/{}:0.1.0``."""


def require() -> None:
    """Skip the test where there is no Helm, or no images."""
    if not HELM:
        pytest.skip(NO_HELM)
    if "{}" not in IMAGES:
        pytest.skip("needs the images that GREYHUB_TESTS_IMAGES names")


def images() -> dict[str, str]:
    """The chart's values that name them."""
    return {f"{name}.image": IMAGES.format(name) for name in ("hub", "notebook", "proxy")}


@dataclass
class Helm:
    """Helm's program, for one namespace."""

    cluster: Cluster

    def helm(self, *arguments: str) -> str:
        """What Helm says; with ``--wait``, what it made is ready then."""
        call = [HELM, "--namespace", self.cluster.namespace, *arguments]
        done = subprocess.run(call, capture_output=True, text=True, timeout=5 * 60)
        if done.returncode:
            said = self.cluster.kubectl("logs", "deploy/hub", "--tail=20", "--ignore-errors")
            pytest.fail(f"{' '.join(arguments)}: {done.stdout}{done.stderr}{said}")
        return done.stdout

    def address(self) -> str:
        """The public address, without a name."""
        [service] = (
            each
            for each in self.cluster.get("services")
            if each["metadata"]["name"] == "proxy-public"
        )
        return f"http://{service['spec']['clusterIP']}/"

    def claims(self) -> dict[str, dict[str, Any]]:
        """The claims of the namespace, by their names."""
        return {each["metadata"]["name"]: each for each in self.cluster.get("pvc")}
