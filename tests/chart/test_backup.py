"""Backups in the chart: the commands of its pods do what they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from greyhub.cli import group
from tests.chart.rendering import SETS, Object, named, render, rendered

pytestmark = pytest.mark.usefixtures("helm_is_there")


def pod(kind: str, name: str, of: str = "much of all") -> Object:
    spec = named(rendered(of), kind, name)["spec"]
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    return dict(spec["template"]["spec"])


def call(pod: Object, claims: dict[str, Path]) -> str:
    """Run a pod's command, with its volumes at directories of this machine."""
    (container,) = pod["containers"]
    volumes = {each["name"]: each.get("persistentVolumeClaim", {}) for each in pod["volumes"]}
    program, *arguments = container["args"]
    assert program == "greyhub"
    for mount in container["volumeMounts"]:
        if claim := volumes[mount["name"]].get("claimName"):
            path = str(claims[claim])
            arguments = [each.replace(mount["mountPath"], path) for each in arguments]
    said = CliRunner().invoke(group, arguments, prog_name="greyhub")
    assert said.exit_code == 0, said.output
    return str(said.output)


def test_what_is_backed_up_comes_back(tmp_path: Path) -> None:
    claims = {name: tmp_path / name for name in ("old-state", "backups")}
    private = claims["old-state"] / "state/hub"
    private.mkdir(parents=True)
    (private / "cookie_secret").write_text("one")
    call(pod("CronJob", "backup"), claims)
    (kept,) = claims["backups"].iterdir()
    (private / "cookie_secret").write_text("two")
    values = SETS["much of all"]
    objects = render({**values, "backup": {**values["backup"], "restore": kept.name}})
    call(named(objects, "Job", "restore")["spec"]["template"]["spec"], claims)
    assert (private / "cookie_secret").read_text() == "one"


def affinity(pod: Object, kind: str) -> Any:
    (term,) = pod["affinity"][kind]["requiredDuringSchedulingIgnoredDuringExecution"]
    return term["labelSelector"]["matchLabels"]["app.kubernetes.io/component"]


def test_it_runs_beside_the_hub_and_reads_only() -> None:
    found = pod("CronJob", "backup")
    assert affinity(found, "podAffinity") == "hub"
    mounts = {each["name"]: each for each in found["containers"][0]["volumeMounts"]}
    assert mounts["state"]["readOnly"] is True
    assert affinity(pod("Job", "restore"), "podAntiAffinity") == "hub"


def test_what_logs_in_at_a_store_is_told_by_reference() -> None:
    (container,) = pod("CronJob", "backup")["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "store"}}]
    (container,) = pod("CronJob", "backup", "behind an ingress")["containers"]
    assert container["args"][:3] == ["greyhub", "backup", "s3://backups/science"]
    assert container["args"][-2:] == ["--keep", "3"]


def test_nothing_is_restored_unless_it_is_asked_for() -> None:
    kinds = [each["kind"] for each in rendered("behind an ingress")]
    assert "CronJob" in kinds
    assert "Job" not in kinds


def test_placeholders_make_way_and_push_nobody_out() -> None:
    objects = rendered("much of all")
    spec = named(objects, "Deployment", "placeholders")["spec"]
    assert spec["replicas"] == 2
    name = spec["template"]["spec"]["priorityClassName"]
    made = named(objects, "PriorityClass", name)
    assert -10 <= made["value"] < 0
    assert made["preemptionPolicy"] == "Never"
    hub = named(objects, "Deployment", "hub")["spec"]["template"]["spec"]
    assert name != hub["priorityClassName"]
    named_one = named(rendered("behind an ingress"), "Deployment", "placeholders")
    assert named_one["spec"]["template"]["spec"]["priorityClassName"] == "low"
