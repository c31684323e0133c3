"""Helm: the one that this machine has, or one that Go builds once."""

from __future__ import annotations

import os
import shutil
import subprocess

from tests.homespace.filesystem.servers import CACHE, Missing
from tests.support.waiting import MINUTE

VERSION = "v3.18.6"

VARIABLE = "GREYHUB_TESTS_HELM"

BUILT = CACHE / f"helm-{VERSION}" / "helm"

NO_HELM = f"there is no helm: neither on PATH, nor named by {VARIABLE}, nor Go to build it"


def find() -> str:
    """Helm's program; an empty text if there is none."""
    built = str(BUILT) if BUILT.exists() else ""
    return os.environ.get(VARIABLE) or shutil.which("helm") or built


def build() -> None:
    """Have Go build it, unless there is one; raises Missing where that cannot be."""
    if find():
        return
    go = shutil.which("go")
    if not go:
        raise Missing(NO_HELM)
    print(f"building helm {VERSION}, once…", flush=True)
    place = BUILT.parent.with_suffix(".new")
    command = [go, "install", f"helm.sh/helm/v3/cmd/helm@{VERSION}"]
    environ = {**os.environ, "GOBIN": str(place), "CGO_ENABLED": "0"}
    try:
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=15 * MINUTE
        )
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{' '.join(command)} did not end") from error
    if done.returncode:
        raise Missing(f"{' '.join(command)}: {done.stderr[-500:]}")
    place.rename(BUILT.parent)
