"""Values with the keys of public installations: what is written passes, and tells no secret."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
import yaml

from greyhub.reference import chart
from tests.chart.rendering import HELM, named, render
from tests.checks.starting import NAME, forget
from tests.cli.z2jh.moves import SAMPLES, run, secrets

VALUES = "greyhub_values.yaml"
CHART = (Path(__file__).parents[3] / "charts/greyhub/values.yaml").read_text()
RANDOM = "5f" * 32
NEVER = ("never-", "for-every-user", "0123456789abcdef", "00112233445566778899")
"""What is secret in the samples."""

ALL = ["university", "basehub", "daskhub"]


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Move a sample, with its secrets in this process' variables."""
    monkeypatch.chdir(tmp_path)

    def move(name: str) -> str:
        file = SAMPLES / f"{name}.yaml"
        said = run("init", "--from-z2jh", file)
        assert said.exit_code == 0, said.output
        for key in secrets(file).get("from-z2jh", {}):
            monkeypatch.setenv(key, RANDOM)
        monkeypatch.setenv("JUPYTERHUB_CRYPT_KEY", RANDOM)
        monkeypatch.setenv("GROUPS_EXPORTER_API_TOKEN", RANDOM)
        return said.output

    yield move
    forget()


@pytest.mark.parametrize("name", ALL)
def test_what_is_written_passes_the_checks(moved: Any, name: str) -> None:
    said = moved(name)
    checked = run("check")
    assert checked.exit_code == 0, checked.output
    values = yaml.safe_load(Path(VALUES).read_text())
    jsonschema.validate(values, chart.schema(CHART))
    written = Path(NAME).read_text() + Path(VALUES).read_text() + said
    assert not [each for each in NEVER if each in written]


@pytest.mark.skipif(not HELM, reason="there is no helm")
@pytest.mark.parametrize("name", ALL)
def test_the_chart_is_rendered_with_it(moved: Any, name: str) -> None:
    moved(name)
    values = yaml.safe_load(Path(VALUES).read_text())
    values["config"] = Path(NAME).read_text()
    values["hub"] = {**values.get("hub", {}), "image": "registry.example.org/hub:1"}
    hub = named(render(values), "Deployment", "hub")["spec"]["template"]["spec"]
    if name == "university":
        assert [each["name"] for each in hub["initContainers"]] == ["templates-clone"]


def test_what_the_university_has(moved: Any) -> None:
    said = moved("university")
    config = Path(NAME).read_text()
    for line in (
        'c.KubernetesHomespace.shared_claim = "home-nfs-v3"',
        'c.KubernetesHomespace.directory = "{username}"',
        'c.GreyHub.auth = "google"',
        "c.GreyHub.cluster = None",
        'c.GoogleOAuthenticator.client_secret = greyhub.secret(env="GOOGLE',
        'c.Authenticator.admin_users = ["ada", "grace"]',
        'c.KubeSpawner.image_pull_secrets = ["registry"]',
    ):
        assert line in config
    values = yaml.safe_load(Path(VALUES).read_text())
    assert values["notebook"]["image"] == "registry.example.edu/user-image:2024-09-24"
    assert values["url"] == "https://hub.example.edu/"
    assert values["ingress"]["tlsSecret"] == "tls-cert"
    assert values["secrets"] == ["from-z2jh"]
    found = secrets(SAMPLES / "university.yaml")
    assert found["from-z2jh"]["GOOGLEOAUTHENTICATOR_CLIENT_SECRET"] == "never-in-a-file"
    assert "1800" in found["from-z2jh-singleuser-files"]["culling-config"]
    left = said[said.index("Not taken over") : said.index("To review")]
    for path in ("nfsPVC", "scheduling.podPriority.enabled"):
        assert f"  {path}\n" in left
    assert "custom.unused" not in left
    assert values["placeholders"]["replicas"] == 5
    assert values["placeholders"]["priorityClass"] == {"create": True}


def test_what_the_basehub_has(moved: Any) -> None:
    said = moved("basehub")
    config = Path(NAME).read_text()
    scope: dict[str, Any] = {}
    exec(config[config.index("PROFILES = ") : config.index("c.KubeSpawner.profile_list")], scope)
    for groups, names, choices in (
        (set(), ["Small"], ["python"]),
        ({"example:gpu"}, ["Small", "One GPU"], ["python"]),
        ({"example:staff"}, ["Small"], ["python", "staff"]),
    ):
        user = SimpleNamespace(groups=[SimpleNamespace(name=name) for name in groups])
        found = scope["profile_list"](SimpleNamespace(user=user))
        assert [each["display_name"] for each in found] == names
        assert list(found[0]["profile_options"]["image"]["choices"]) == choices
    assert "access:services!service=clusters" in config
    assert "service=dask-gateway" not in config
    assert '"runAsNonRoot": False' in config
    assert 'volumes["home"]' not in config
    assert '"home": {"name": "home", "persistentVolumeClaim": {"claimName": "home-nfs"}}' in config
    assert "c.KubernetesCluster.idle_timeout = 1800" in config
    assert '"secretKeyRef": {"name": "from-z2jh", "key": "SINGLEUSER_STATION_TOKEN"}' in config
    assert 'GROUPS_EXPORTER_API_TOKEN: .data["hub.services.groups-exporter.apiToken"]' in said
    values = yaml.safe_load(Path(VALUES).read_text())
    assert values["secrets"] == ["from-z2jh", "z2jh-kept"]
    assert values["hub"]["nodeSelector"] == {"hub.jupyter.org/node-purpose": "core"}


def test_what_the_daskhub_has(moved: Any) -> None:
    moved("daskhub")
    config = Path(NAME).read_text()
    assert 'c.KubernetesCluster.cluster_limits = {"cores": 100, "memory": "600 GiB"}' in config
    assert '"title": "Large (16 GB)"' in config
    assert '"memory": "16 GiB"' in config
    assert 'client_secret = os.environ.get("EXTRACONFIG_LOGIN_CLIENT_SECRET", "")' in config
    found = secrets(SAMPLES / "daskhub.yaml")["from-z2jh"]
    assert found["PGPASSWORD"] == "never-either"
    assert "postgresql+psycopg2://hub:never-in-a-file@db/hub" in found.values()
    assert len(found["JPY_COOKIE_SECRET"]) == 64
    values = yaml.safe_load(Path(VALUES).read_text())
    assert "proxy" not in values or "service" not in values["proxy"]
    assert values["url"] == "https://dask.example.org/"
