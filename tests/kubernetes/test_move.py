"""A hub of Zero to JupyterHub becomes greyhub's by the how-to's commands, and goes back.

Beside what tests of the chart need, it needs the folder of z2jh's chart, which GREYHUB_TESTS_Z2JH
names. GREYHUB_TESTS_Z2JH_IMAGES, such as ``registry.example.org/z2jh-{}:4.3``, names images for
hub, singleuser and proxy in place of the chart's own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from requests.adapters import HTTPAdapter

from tests.chart.rendering import CHART
from tests.kubernetes.brokers import pods_of
from tests.kubernetes.releases import IMAGES, Helm, images, require
from tests.support.clusters import Cluster
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.kubernetes, pytest.mark.timeout(1200)]

Z2JH = os.environ.get("GREYHUB_TESTS_Z2JH", "")
Z2JH_IMAGES = os.environ.get("GREYHUB_TESTS_Z2JH_IMAGES", "")

URL = "https://hub.example.org/"
PASSWORD = "rain-and-runoff"
ADA = "ada.lovelace@example.org"
GREYHUB = str(Path(sys.executable).with_name("greyhub"))
PAGE = Path(__file__).parents[2] / "docs/how-to/move-from-z2jh.md"
FILE = "/etc/greyhub/greyhub_config.py"

OFF = {"enabled": False}

VALUES: dict[str, Any] = {
    "hub": {
        "config": {
            "JupyterHub": {"authenticator_class": "dummy"},
            "DummyAuthenticator": {"password": PASSWORD},
            "Authenticator": {
                "admin_users": ["grace"],
                "allowed_users": ["Ada.Lovelace@example.org"],
            },
        },
        "db": {"pvc": {"annotations": {"helm.sh/resource-policy": "keep"}}},
        "resources": {"requests": {"cpu": "20m", "memory": "200Mi"}},
    },
    "proxy": {"service": {"type": "ClusterIP"}},
    "singleuser": {
        "cloudMetadata": {"blockWithIptables": False},
        "defaultUrl": "/lab",
        "storage": {"capacity": "1Gi"},
        "memory": {"limit": "1G", "guarantee": "100M"},
        "cpu": {"limit": 1, "guarantee": 0.02},
        "extraEnv": {"COURSE": "rain and runoff"},
        "profileList": [
            {"display_name": "Small", "description": "For most", "default": True},
            {
                "display_name": "Large",
                "description": "With more memory",
                "kubespawner_override": {"mem_limit": "1500M"},
            },
        ],
    },
    "cull": {"enabled": True, "timeout": 3600, "every": 300},
    "prePuller": {"hook": OFF, "continuous": OFF},
    "scheduling": {"userScheduler": OFF},
}

NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def values() -> dict[str, Any]:
    """The values of the installation, with the images that stand in for the chart's own."""
    if not Z2JH_IMAGES:
        return VALUES
    named = {
        name: dict(zip(("name", "tag"), Z2JH_IMAGES.format(name).rsplit(":", 1), strict=True))
        for name in ("hub", "singleuser", "proxy")
    }
    return {
        **VALUES,
        "hub": {**VALUES["hub"], "image": named["hub"]},
        "proxy": {**VALUES["proxy"], "chp": {"image": named["proxy"]}},
        "singleuser": {**VALUES["singleuser"], "image": named["singleuser"]},
    }


class Ingress(HTTPAdapter):
    """Where TLS ends: what is for the public address goes to the Service."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        inner = request.copy()
        inner.url = str(request.url).replace(URL, self.address)
        inner.headers.update({"Host": URL.split("/")[2], "X-Forwarded-Proto": "https"})
        answer = super().send(inner, *args, **more)
        answer.url, answer.request = str(request.url), request
        return answer


class Person:
    """Somebody with a browser, which keeps no more than its cookies."""

    def __init__(self, address: str, name: str, login: str = "") -> None:
        self.url, self.name = URL, name
        self.session = requests.Session()
        self.session.mount(URL, Ingress(address))
        page = self.session.get(f"{URL}hub/login", timeout=MINUTE)
        form = {"username": login or name, "password": PASSWORD, "_xsrf": _token(page.text)}
        self.answer = self.session.post(f"{URL}hub/login", data=form, timeout=MINUTE)

    @property
    def is_in(self) -> bool:
        """Whether the hub let them in."""
        return self.get("hub/home").url.endswith("/hub/home")

    @property
    def is_admin(self) -> bool:
        return self.get("hub/admin").ok

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=MINUTE)

    def start(self, profile: str) -> None:
        """Choose a profile on the page, and wait for JupyterLab."""
        assert "profile" in self.get("hub/spawn").text
        token = {"_xsrf": self.session.cookies.get("_xsrf", path="/hub/")}
        form = {"profile": profile}
        self.session.post(f"{self.url}hub/spawn", params=token, data=form, timeout=MINUTE)
        until(lambda: self.get(f"user/{self.name}/api/status").ok or self._enter(), 180, self.name)

    def _enter(self) -> None:
        """What the page of the server does: it lets the hub say who asks."""
        self.get(f"user/{self.name}/lab")

    def read(self, path: str) -> Any:
        """A file of the home, as JupyterLab has it."""
        answer = self.get(f"user/{self.name}/api/contents/{path}")
        assert answer.ok, answer.text
        return answer.json()["content"]


def _token(page: str) -> str:
    found = re.search(r'name="_xsrf"\s+value="([^"]+)"', page)
    assert found, page
    return found[1]


def container(pod: dict[str, Any]) -> dict[str, Any]:
    [found] = (each for each in pod["spec"]["containers"] if each["name"] == "notebook")
    return dict(found)


def server(cluster: Cluster, user: str) -> dict[str, Any]:
    """The pod of a user."""
    [found] = (
        each
        for each in pods_of(cluster, "singleuser-server")
        if each["metadata"]["annotations"]["hub.jupyter.org/username"] == user
    )
    return found


def claim(pod: dict[str, Any]) -> str:
    """The claim that a pod mounts."""
    [found] = (
        each["persistentVolumeClaim"]["claimName"]
        for each in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in each
    )
    return str(found)


def write(cluster: Cluster, user: str, path: str, text: str) -> None:
    name = server(cluster, user)["metadata"]["name"]
    into = ("exec", "-i", name, "-c", "notebook", "--", "sh", "-c", f"cat > ~/{path}")
    cluster.kubectl(*into, given=text)


@pytest.fixture
def science(cluster: Cluster, directory: Path) -> Helm:
    """An installation of z2jh, with a release ``jhub``."""
    require()
    if not Z2JH:
        pytest.skip("needs z2jh's chart, whose folder GREYHUB_TESTS_Z2JH names")
    (directory / "values.yaml").write_text(yaml.safe_dump(values()))
    made = Helm(cluster)
    install(made, directory)
    return made


def install(science: Helm, directory: Path) -> None:
    """z2jh, as its documentation installs it."""
    file = str(directory / "values.yaml")
    science.helm("install", "jhub", Z2JH, "-f", file, "--wait", "--timeout", "4m")


def init(directory: Path, *more: str) -> str:
    """What ``greyhub init`` says of the values."""
    call = [GREYHUB, "init", "--from-z2jh", "values.yaml", *more]
    done = subprocess.run(call, cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def move(science: Helm, directory: Path) -> None:
    """What the how-to says, from the files to a hub that takes logins."""
    cluster = science.cluster
    said = init(directory)
    meant = "c.GreyHub.accepted_risks = ['shared-password']"
    assert meant in said
    config = directory / "greyhub_config.py"
    text = config.read_text()
    assert '# c.GreyHub.accepted_risks = ["shared-password"]' in text
    config.write_text(text.replace("# c.GreyHub.accepted", "c.GreyHub.accepted"))
    cluster.kubectl("apply", "--server-side", "-f", "-", given=init(directory, "--secrets"))
    science.helm("uninstall", "jhub", "--wait")
    cluster.kubectl("delete", "pod", "-l", "component=singleuser-server")
    science.helm(
        *("install", "greyhub", str(CHART), "-f", str(directory / "greyhub_values.yaml")),
        f"--set-file=config={config}",
        *(f"--set={key}={each}" for key, each in images().items()),
        f"--set=url={URL}",
        *("--wait", "--timeout", "4m"),
    )
    assert "Succeeded" in science.helm("test", "greyhub")
    said = cluster.kubectl("exec", "deploy/hub", "--", "greyhub", "check", "--live", "-f", FILE)
    assert "error" not in said


def copy_users(cluster: Cluster) -> None:
    """The commands of the how-to that keep the database."""
    page = PAGE.read_text()
    manifest = page.partition("<<END\n")[2].partition("END\n")[0]
    manifest = manifest.replace("registry.example.org/hub:0.1.0", IMAGES.format("hub"))
    cluster.kubectl("scale", "deployment/hub", "--replicas=0")
    cluster.kubectl("wait", "--for=delete", "pod", "-l", "app.kubernetes.io/component=hub")
    cluster.kubectl("apply", "-f", "-", given=manifest)
    succeeded = "--for=jsonpath={.status.phase}=Succeeded"
    cluster.kubectl("wait", succeeded, "pod/copy-users", "--timeout=120s")
    cluster.kubectl("delete", "pod", "copy-users")
    cluster.kubectl("scale", "deployment/hub", "--replicas=1")
    cluster.kubectl("rollout", "status", "deployment/hub", "--timeout=3m")


def add(admin: Person, user: str, *, as_admin: bool = False) -> None:
    """What the page of admins does when it adds a user."""
    token = {"_xsrf": admin.session.cookies.get("_xsrf", path="/hub/")}
    new = {"usernames": [user], "admin": as_admin}
    to = f"{admin.url}hub/api/users"
    answer = admin.session.post(to, params=token, json=new, timeout=MINUTE)
    assert answer.ok, answer.text


def test_homes_users_and_admins_are_there_after_the_move_and_back(
    science: Helm, directory: Path
) -> None:
    cluster, url = science.cluster, science.address()
    ada, grace = Person(url, ADA, "Ada.Lovelace@example.org"), Person(url, "grace")
    ada.start("large")
    grace.start("small")
    write(cluster, ADA, "notes.txt", "of the engine\n")
    write(cluster, ADA, "first.ipynb", NOTEBOOK)
    write(cluster, "grace", "notes.txt", "of the compiler\n")
    homes = {user: claim(server(cluster, user)) for user in (ADA, "grace")}
    limits = container(server(cluster, ADA))["resources"]["limits"]
    # These two are let in, and one an admin, by the database alone.
    add(grace, "emmy")
    add(grace, "kurt", as_admin=True)
    assert Person(url, "emmy").is_in

    move(science, directory)
    url = science.address()
    assert not Person(url, "emmy").is_in
    copy_users(cluster)
    assert Person(url, "emmy").is_in
    assert not Person(url, "zeno").is_in
    assert Person(url, "kurt").is_admin
    grace = Person(url, "grace")
    assert grace.is_admin
    ada = Person(url, ADA, "Ada.Lovelace@example.org")
    assert not ada.is_admin
    ada.start("large")
    assert ada.read("notes.txt") == "of the engine\n"
    assert ada.read("first.ipynb")["nbformat"] == 4
    pod = server(cluster, ADA)
    assert claim(pod) == homes[ADA]
    assert container(pod)["resources"]["limits"] == limits
    said = cluster.kubectl("logs", "deploy/hub")
    assert re.search(r"200 GET /hub/api/users\S* \(jupyterhub-idle-culler@", said)
    name = pod["metadata"]["name"]
    inside = ("exec", name, "-c", "notebook", "--", "sh", "-c")
    assert cluster.kubectl(*inside, "echo $COURSE") == "rain and runoff\n"
    write(cluster, ADA, "later.txt", "of greyhub\n")
    grace.start("small")
    assert grace.read("notes.txt") == "of the compiler\n"
    assert set(science.claims()) == {*homes.values(), "hub-db-dir", "hub-state"}

    science.helm("uninstall", "greyhub", "--wait")
    cluster.kubectl("delete", "pod", "-l", "component=singleuser-server")
    install(science, directory)
    url = science.address()
    assert Person(url, "emmy").is_in
    ada = Person(url, ADA, "Ada.Lovelace@example.org")
    ada.start("small")
    assert claim(server(cluster, ADA)) == homes[ADA]
    assert ada.read("notes.txt") == "of the engine\n"
    assert ada.read("later.txt") == "of greyhub\n"
