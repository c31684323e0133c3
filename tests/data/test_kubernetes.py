"""Catalogues in ConfigMaps: what pods are given, what notebooks see, what the check says."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubespawner.clients import load_config
from traitlets import TraitError
from traitlets.config import Config

from greyhub.composition import compose, inspecting
from greyhub.data import catalog as catalogs
from greyhub.data import kubernetes
from greyhub.data.kubernetes import KubernetesData
from greyhub.errors import CatalogError
from greyhub.hub import GreyHub
from tests.data.support import FIRST, Server, Write
from tests.data.test_local import opened, said

RAIN = "sources: {rain: {driver: csv, args: {urlpath: rain.csv}}}"
SUN = "sources: {sun: {driver: csv}}"


def config(config_map: Any, spawner: str = "kubernetes", **more: Any) -> Config:
    return Config(
        {
            "GreyHub": {"data": "kubernetes", "spawner": spawner, "cluster": None},
            "KubernetesData": {"config_map": config_map, **more},
            "KubeSpawner": {"namespace": "hub"},
        }
    )


def adapter(directory: Path, config_map: Any, **more: Any) -> KubernetesData:
    given = config(config_map, **more)
    found = GreyHub(directory=directory, config=given).adapters["data"]
    assert isinstance(found, KubernetesData)
    return found


def composed(given: Config) -> Config:
    """What JupyterHub is told, and no error."""
    given.JupyterHub.hub_ip, given.JupyterHub.hub_connect_ip = "0.0.0.0", "hub"
    given.GreyHub.homespace = None
    with inspecting() as seen:
        compose(given)
    assert [str(each) for each in seen[0].errors] == []
    return given


class Kubelet:
    """A folder that changes as that of a mounted ConfigMap does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._version = folder, 0
        folder.mkdir()

    def publish(self, **texts: str) -> None:
        self._version += 1
        version = self.folder / f"..{self._version}"
        version.mkdir()
        for name, text in texts.items():
            (version / f"{name}.yaml").write_text(text)
        (self.folder / "..next").symlink_to(version.name)
        (self.folder / "..next").replace(self.folder / "..data")
        for each in self.folder.glob("*.yaml"):
            if each.stem not in texts:
                each.unlink()
        for name in texts:
            if not (link := self.folder / f"{name}.yaml").is_symlink():
                link.symlink_to(f"..data/{name}.yaml")


@pytest.fixture
def kubelet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubelet:
    """The mounted ConfigMap ``maps``; whoever looks, looks again."""
    (tmp_path / "pod").mkdir()
    monkeypatch.setattr(kubernetes, "PLACE", str(tmp_path / "pod"))
    monkeypatch.setattr(catalogs, "EVERY", 0.0)
    monkeypatch.setattr(catalogs, "AFTER_TROUBLE", 0.0)
    return Kubelet(tmp_path / "pod" / "maps")


# What pods are given


@pytest.mark.parametrize("spawner", ["kubernetes", "kubespawner.KubeSpawner"])
def test_config_maps_are_mounted_read_only_and_may_be_missing(spawner: str) -> None:
    given = composed(config({"sea": "ocean.maps", "sky": "sky"}, spawner))
    volumes, mounts = given.KubeSpawner.volumes, given.KubeSpawner.volume_mounts
    assert [each["configMap"] for each in volumes] == [
        {"name": "ocean.maps", "optional": True},
        {"name": "sky", "optional": True},
    ]
    assert [(each["mountPath"], each["readOnly"]) for each in mounts] == [
        ("/etc/greyhub/catalogs/ocean.maps", True),
        ("/etc/greyhub/catalogs/sky", True),
    ]
    assert [each["name"] for each in volumes] == [each["name"] for each in mounts]
    for each in volumes:
        assert len(each["name"]) < 64
        assert "." not in each["name"]


@pytest.mark.parametrize("section", ["KubeSpawner", "PodSpawner"])
@pytest.mark.parametrize("kind", [list, dict])
def test_they_join_what_the_administrator_mounts(section: str, kind: type) -> None:
    given, mine = config(["maps"]), {"name": "scratch"}
    given[section].volumes = [mine] if kind is list else {"scratch": mine}
    given = composed(given)
    joined = given[section].volumes
    assert isinstance(joined, kind)
    named = [each["name"] for each in (joined if kind is list else joined.values())]
    assert sorted(each.partition("-")[0] for each in named) == ["catalogs", "scratch"]


def test_servers_that_are_no_pods_are_refused() -> None:
    with inspecting() as seen:
        compose(config(["maps"], spawner="local"))
    told = "\n".join(map(str, seen[0].errors))
    assert "KubernetesData cannot work here: ConfigMaps are mounted in the pods of servers" in told
    assert 'set c.GreyHub.spawner = "kubernetes"' in told


@pytest.mark.parametrize("name", ["", "Maps", "a/b", "{username}", "-a", "a" * 254])
def test_what_names_no_config_map_is_refused(name: str) -> None:
    with pytest.raises(TraitError, match="names no ConfigMap"):
        KubernetesData(config_map=[name])


# What notebooks see


async def test_from_the_option_to_the_notebook(
    kubelet: Kubelet, tmp_path: Path, write: Write
) -> None:
    kubelet.publish(b=RAIN, a=SUN, readme="no catalogue")
    (kubelet.folder / "..data" / "readme.yaml").rename(kubelet.folder / "..data" / "readme.md")
    (kubelet.folder / "readme.yaml").unlink()
    found = adapter(tmp_path, ["maps"], catalogs=[write(FIRST.replace("rain:", "snow:"))])
    assert list(await opened(found)) == ["snow", "sun", "rain"]
    catalog = await opened(adapter(tmp_path, {"sky": "maps"}))
    assert list(catalog) == ["sky.sun", "sky.rain"]
    assert catalog.describe("sky.rain")["catalog"] == f"{kubelet.folder}/b.yaml:1"


async def test_a_notebook_sees_it_as_it_changes(kubelet: Kubelet, tmp_path: Path) -> None:
    kubelet.publish(a=RAIN)
    catalog = await opened(adapter(tmp_path, ["maps"]))
    kubelet.publish(a=RAIN, b=SUN)
    assert list(catalog) == ["rain", "sun"]
    kubelet.publish(b=SUN)
    assert list(catalog) == ["sun"]


async def test_what_was_read_outlives_the_config_map(
    kubelet: Kubelet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kubelet.publish(a=RAIN)
    catalog = await opened(adapter(tmp_path, ["maps"]))
    kubelet.publish(a="sources: [")
    assert list(catalog) == ["rain"]
    kubelet.publish()
    assert list(catalog) == ["rain"]
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert len(told) == 2
    assert "is not YAML" in told[0]
    assert "there is no ConfigMap 'maps'" in told[1]


@pytest.mark.parametrize("mounted", [True, False])
async def test_opening_data_says_which_config_map_is_missing(
    kubelet: Kubelet, tmp_path: Path, mounted: bool
) -> None:
    if not mounted:
        kubelet.folder.rmdir()
    with pytest.raises(CatalogError) as caught:
        await opened(adapter(tmp_path, ["maps"]))
    assert "there is no ConfigMap 'maps' in the namespace hub" in str(caught.value)
    assert "fix: " in str(caught.value)
    assert "kubectl -n hub create configmap maps" in str(caught.value)


# What the check says


class Api(ThreadingHTTPServer):
    """The little of an API server that is asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.allowed, self.maps = True, dict[str, Any]()
        self.asked: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        attributes = body["spec"]["resourceAttributes"]
        assert (attributes["verb"], attributes["resource"]) == ("get", "configmaps")
        assert attributes["namespace"] == "hub"
        self.answer(201, {"spec": {}, "status": {"allowed": self.server.allowed}})

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        found = self.server.maps.get(self.path.removeprefix("/api/v1/namespaces/hub/configmaps/"))
        self.answer(404 if found is None else 200, found or {"code": 404})

    def answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with Api() as http:
        cluster = {"server": f"http://127.0.0.1:{http.server_address[1]}"}
        kubeconfig = {
            "clusters": [{"name": "c", "cluster": cluster}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {}}],
            "current-context": "c",
        }
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
        location = "kubernetes_asyncio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
        monkeypatch.setattr(location, str(tmp_path / "kubeconfig"))
        load_config.cache_clear()
        thread = threading.Thread(target=http.serve_forever, args=[0.02])
        thread.start()
        yield http
        load_config.cache_clear()
        http.shutdown()
        thread.join()


async def test_the_check_judges_the_catalogues(api: Api, server: Server, tmp_path: Path) -> None:
    api.maps["maps"] = {
        "data": {"a.yaml": RAIN, "b.yml": "sources:\n  bad: 7\n", "notes.txt": "["},
        "binaryData": {"c.yaml": "c291cmNlczoge30K"},
    }
    found = adapter(tmp_path, {"sky": "maps"}, catalogs={"web": server.url()})
    findings = await found.check()
    assert "ConfigMap maps, a.yaml: 1 dataset" in said(findings, "ok")
    assert "ConfigMap maps, c.yaml: 0 datasets" in said(findings, "ok")
    assert f"{server.url()}: 1 dataset" in said(findings, "ok")
    assert "ConfigMap maps, b.yml:2: 'bad' is no mapping" in said(findings, "error")
    api.maps["maps"]["data"]["b.yml"] = "sources:\n  bad: [\n"
    assert "ConfigMap maps, b.yml:3: is not YAML" in said(await found.check(), "error")
    api.maps["maps"]["data"] = {"a.yaml": RAIN.replace("rain.csv", "'{{STORE}}/rain.csv'")}
    [error] = [each for each in await found.check() if each.level == "error"]
    assert error.fix == "give it: c.KubernetesData.parameters = {'STORE': '/where/it/is'}"


async def test_the_check_looks_into_no_file_of_the_hubs(
    api: Api, tmp_path: Path, write: Write
) -> None:
    nested = f"sources: {{file: {{driver: yaml_file_cat, args: {{path: {write('of the hub')}}}}}}}"
    beside = "sources: {beside: {driver: yaml_file_cat, args: {path: b.yaml}}}"
    api.maps["maps"] = {"data": {"a.yaml": nested, "b.yaml": beside}}
    findings = await adapter(tmp_path, ["maps"]).check()
    assert "of the hub" not in "".join(map(str, findings))
    assert said(findings, "error") == ""
    assert "catalog.yaml: not read by the hub" in said(findings, "note")


@pytest.mark.parametrize("there", [{"data": {"notes.txt": "x"}}, {}, None])
async def test_the_check_says_what_is_missing(api: Api, tmp_path: Path, there: Any) -> None:
    api.maps = {"maps": there} if there is not None else {}
    found = adapter(tmp_path, ["maps"])
    assert "there is no ConfigMap 'maps' in the namespace hub" in said(await found.check(), "error")
    api.allowed, api.asked = False, []
    findings = await found.check()
    assert said(findings, "error") == ""
    assert "may not get configmaps in the namespace hub" in said(findings, "warning")
    assert api.asked == []


async def test_namespaces_of_the_users_have_other_config_maps(api: Api, tmp_path: Path) -> None:
    found = adapter(tmp_path, ["maps"])
    found.parent.config.KubeSpawner.enable_user_namespaces = True
    findings = await found.check()
    assert "each user has a namespace of their own" in said(findings, "warning")
    assert api.asked == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: adapter(path, ["a"]), "1 ConfigMap of catalogues"),
        (lambda path: adapter(path, {"x": "a", "y": "b"}), "2 ConfigMaps of catalogues"),
        (
            lambda path: adapter(path, ["a"], catalogs=["https://example.org/c.yaml"]),
            "1 ConfigMap of catalogues, 1 catalogue",
        ),
    ],
)
def test_its_label(make: Callable[[Path], KubernetesData], words: str, tmp_path: Path) -> None:
    assert make(tmp_path).label() == words
