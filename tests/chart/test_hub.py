"""The hub's pod: the config file that runs on a laptop is composed there, and all names fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from greyhub.checks.effective import effective_options
from greyhub.cli.reading import read
from greyhub.presets import VARIABLE
from tests.chart.rendering import SETS, Object, named, rendered
from tests.checks.starting import forget

pytestmark = pytest.mark.usefixtures("helm_is_there")

POD_IP = "10.244.0.7"


def container(name: str) -> Object:
    """The hub's container."""
    pod = named(rendered(name), "Deployment", "hub")["spec"]["template"]
    (found,) = (each for each in pod["spec"]["containers"] if each["name"] == "hub")
    return {**found, "volumes": pod["spec"]["volumes"]}


@pytest.fixture
def composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Composes a set's config file with the variables of the hub's pod."""
    for secret in ("OIDC_SECRET", "GITHUB_SECRET"):
        monkeypatch.setenv(secret, "not that secret")

    def compose(name: str) -> dict[str, Any]:
        for variable in container(name)["env"]:
            if "value" in variable and variable["name"] != "HOME":
                value = variable["value"].replace("$(POD_IP)", POD_IP)
                monkeypatch.setenv(variable["name"], value)
        monkeypatch.setenv("CONFIGPROXY_AUTH_TOKEN", "t")
        file = tmp_path / "greyhub_config.py"
        file.write_text(SETS[name]["config"])
        reading = read(str(file))
        assert [str(each) for each in reading.findings if each.level != "note"] == []
        assert reading.composition is not None
        rows = effective_options(reading.composition.platform, everything=True)
        return {row.option: row for row in rows}

    yield compose
    forget()


@pytest.mark.parametrize("name", SETS)
def test_the_config_file_is_composed_in_the_pod(composed: Any, name: str) -> None:
    options = composed(name)
    objects = rendered(name)
    ports = {
        each["metadata"]["name"]: {port["port"] for port in each["spec"]["ports"]}
        for each in objects
        if each["kind"] == "Service"
    }
    assert options["c.JupyterHub.hub_ip"].value == "0.0.0.0"
    service = options["c.JupyterHub.hub_connect_ip"].value
    assert options["c.JupyterHub.hub_port"].value in ports[service]
    assert options["c.ConfigurableHTTPProxy.should_start"].value is False
    assert options["c.ConfigurableHTTPProxy.api_url"].value == "http://proxy-api:8001"
    assert 8001 in ports["proxy-api"]
    state = options["c.GreyHub.state_dir"]
    assert state.origin == f"the variable {VARIABLE}"
    hub = container(name)
    (mount,) = (each for each in hub["volumeMounts"] if each["name"] == "state")
    assert state.value.startswith(mount["mountPath"] + "/")  # a directory that the hub itself makes
    assert options["c.JupyterHub.db_url"].value.startswith(f"sqlite:///{state.value}/")
    if "c.KubernetesCluster.port" in options:
        assert options["c.KubernetesCluster.port"].value in ports["hub"]
        served = {port["containerPort"] for port in hub["ports"]}
        assert options["c.KubernetesCluster.dashboard_port"].value in served
        (broker,) = options["c.JupyterHub.services"].value
        assert broker["url"] == f"http://{POD_IP}:8087"
        base = options["c.JupyterHub.base_url"].value
        assert f"http://hub:8085{base}services/clusters" in str(broker["environment"])


def test_the_flavour_fills_every_slot(composed: Any) -> None:
    options = composed("as it comes")
    slots = ("spawner", "cluster", "auth", "homespace", "data")
    chosen = [options[f"c.GreyHub.{slot}"] for slot in slots]
    assert [each.value for each in chosen] == ["kubernetes"] * 2 + ["oidc"] + ["kubernetes"] * 2
    assert {each.origin for each in chosen} == {'flavour "kubernetes"'}
    assert options["c.KubeSpawner.image"].value == "registry.example.org/notebook:1"
    assert options["c.PodSpawner.hub_id"].value == "science"


def test_what_the_file_says_stands(composed: Any) -> None:
    options = composed("the sample for Kubernetes")
    assert options["c.PodSpawner.image"].value == "registry.example.org/notebook:2026.11"
    assert "greyhub_config.py:" in options["c.PodSpawner.image"].origin
    assert "greyhub_config.py:" in options["c.JupyterHub.hub_connect_ip"].origin


def test_behind_an_ingress_the_base_url_is_the_address_s_path(composed: Any) -> None:
    options = composed("behind an ingress")
    assert options["c.JupyterHub.base_url"].value == "/science/"
    assert options["c.JupyterHub.public_url"].value == "https://hub.example.org/science/"
    assert options["c.KubernetesData.config_map"].value == ["catalogues"]
    hub = container("behind an ingress")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert hub[probe]["httpGet"] == {"path": "/science/hub/health", "port": "hub"}
    assert named(rendered("behind an ingress"), "ConfigMap", "catalogues")


def test_the_hub_reads_the_file_that_is_mounted() -> None:
    hub = container("as it comes")
    assert hub["args"] == ["jupyterhub", "-f", "/etc/greyhub/greyhub_config.py"]
    (mount,) = (each for each in hub["volumeMounts"] if each["mountPath"] == "/etc/greyhub")
    (volume,) = (each for each in hub["volumes"] if each["name"] == mount["name"])
    config = named(rendered("as it comes"), "ConfigMap", volume["configMap"]["name"])
    assert list(config["data"]) == ["greyhub_config.py"]
    assert hub["envFrom"] == [{"secretRef": {"name": "login"}}]
