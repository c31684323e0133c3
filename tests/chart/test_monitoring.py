"""A Prometheus is let in where it is asked for, by a token of its own, and nobody else is."""

from __future__ import annotations

import json
from typing import Any

import kubernetes_validate
import pytest

from tests.chart.peers import allowed
from tests.chart.rendering import CHART, SETS, Object, Values, helm, named, render, rendered
from tests.kubernetes.test_manifests import NEWEST

pytestmark = pytest.mark.usefixtures("helm_is_there")

PROMETHEUS = "10.9.9.9"
VALUES: Values = {
    **SETS["behind an ingress"],
    "monitoring": {
        "enabled": True,
        "from": [{"ipBlock": {"cidr": f"{PROMETHEUS}/32"}}],
        "labels": {"release": "prometheus"},
        "dashboard": {"enabled": True},
    },
}


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    return render(VALUES)


def test_by_default_there_is_none_of_it() -> None:
    for name in SETS:
        kinds = {each["kind"] for each in rendered(name)}
        assert "ServiceMonitor" not in kinds
        assert "GREYHUB_METRICS_TOKEN" not in json.dumps(rendered(name))


def test_what_is_kubernetes_own_is_valid(objects: list[Object]) -> None:
    for each in objects:
        for version in NEWEST:
            if each["kind"] != "ServiceMonitor":
                kubernetes_validate.validate(each, version, strict=True)


def test_the_monitor_finds_the_hub_s_service_and_its_port(objects: list[Object]) -> None:
    monitor = named(objects, "ServiceMonitor", "hub")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    service = named(objects, "Service", "hub")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    found = [
        each
        for each in objects
        if each["kind"] == "Service" and wanted.items() <= each["metadata"]["labels"].items()
    ]
    assert found == [service]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in [each["name"] for each in service["spec"]["ports"]]
    assert endpoint["path"] == "/science/hub/metrics"
    assert service["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "hub"


def test_hub_and_prometheus_have_the_same_token_from_one_secret(objects: list[Object]) -> None:
    (endpoint,) = named(objects, "ServiceMonitor", "hub")["spec"]["endpoints"]
    reference = endpoint["authorization"]["credentials"]
    hub: Any = named(objects, "Deployment", "hub")["spec"]["template"]["spec"]["containers"][0]
    (variable,) = (each for each in hub["env"] if each["name"] == "GREYHUB_METRICS_TOKEN")
    assert variable["valueFrom"]["secretKeyRef"] == reference
    secret = named(objects, "Secret", reference["name"])
    token = secret["data"][reference["key"]]
    assert len(token) >= 64
    assert token not in json.dumps([each for each in objects if each is not secret])


def test_a_secret_that_is_there_is_taken() -> None:
    values = {**VALUES, "monitoring": {**VALUES["monitoring"], "existingSecret": "mine"}}
    objects = render(values)
    assert "metrics-token" not in json.dumps(objects)
    assert json.dumps(objects).count('{"name": "mine", "key": "token"}') == 2


def test_the_prometheus_reaches_the_hub_and_others_do_not(objects: list[Object]) -> None:
    hub = named(objects, "Deployment", "hub")["spec"]["template"]["metadata"]["labels"]
    assert allowed(objects, PROMETHEUS, hub, "hub")
    assert not allowed(objects, PROMETHEUS, hub, "broker")
    assert not allowed(objects, "10.9.9.10", hub, "hub")
    assert not allowed(rendered("behind an ingress"), PROMETHEUS, hub, "hub")


def test_who_the_prometheus_is_must_be_said() -> None:
    values = {**VALUES, "monitoring": {"enabled": True}}
    done = helm("template", "science", CHART, values=values)
    assert done.returncode != 0
    assert "monitoring.from says which pods Prometheus is" in done.stderr
    open_to_all = {**values, "networkPolicy": {"enabled": False}}
    assert helm("template", "science", CHART, values=open_to_all).returncode == 0


def test_the_dashboard_is_the_chart_s_file(objects: list[Object]) -> None:
    found = named(objects, "ConfigMap", "dashboard")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    text = found["data"]["greyhub.json"]
    assert json.loads(text) == json.loads((CHART / "dashboards/greyhub.json").read_text())
