"""The chart installed on a cluster as the how-to says: used, upgraded, rolled back, removed.

Beside what tests on a cluster need, it needs Helm and the images, built from images/:
GREYHUB_TESTS_IMAGES names them, as ``registry.example.org/{}:0.1.0`` for hub, notebook and proxy.
The notebook's must have the extra ``tutorial``; GREYHUB_TESTS_DATA says where its data are, if
the image was not built from images/.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from greyhub.conformance.testkit.certificates import Authority
from tests.auth.openid_provider import SECRET, OpenIDProvider, command
from tests.auth.test_oidc_provider import STAFF, log_in
from tests.chart.rendering import CHART
from tests.homespace.filesystem.servers import Missing
from tests.kubernetes.brokers import pods_of
from tests.kubernetes.releases import Helm, images, require
from tests.support.browser import MINUTE, await_figure, run_notebook, shoot
from tests.support.clusters import HOST, Cluster
from tests.support.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.kubernetes,
    pytest.mark.browser,
    pytest.mark.timeout(1200),
]

SAMPLE = Path(__file__).parents[2] / "config/local"

# The image has Debian's Python.
DATA = os.environ.get(
    "GREYHUB_TESTS_DATA",
    "/opt/greyhub/lib/python3.11/site-packages/iris_sample_data/sample_data",
)

CONFIG = f"""\
import greyhub

c = get_config()

c.GreyHub.flavour = "kubernetes"
c.GreyHub.name = "{{name}}"

c.OIDCAuthenticator.issuer = "{{issuer}}"
c.OIDCAuthenticator.client_id = "hub"
c.OIDCAuthenticator.client_secret = greyhub.secret(env="OIDC_SECRET")
c.OIDCAuthenticator.allowed_groups = {{{{"staff"}}}}

c.KubernetesHomespace.size = "1Gi"
c.KubernetesData.parameters = {{{{"IRIS": {DATA!r}}}}}
c.KubernetesCluster.pods = {{{{
    "worker_cores_guarantee": 0.02, "worker_memory_guarantee": "200 M",
    "scheduler_cores_guarantee": 0.02, "scheduler_memory_guarantee": "200 M",
}}}}

greyhub.compose(c)
"""


@dataclass
class Release(Helm):
    """A release of the chart in a namespace of its own."""

    provider: OpenIDProvider
    directory: Path
    values: dict[str, str] = field(default_factory=dict)

    def put(self, how: str, config: str, **values: str) -> None:
        """``install`` or ``upgrade`` with a config file, and values beside those of before."""
        file = self.directory / "greyhub_config.py"
        file.write_text(config)
        self.values.update(values)
        given = [f"--set={key}={value}" for key, value in self.values.items()]
        files = {
            "config": file,
            "authorities": self.directory / "ca.pem",
            r"catalogues.catalog\.yaml": SAMPLE / "catalog.yaml",
        }
        given += [f"--set-file={key}={path}" for key, path in files.items()]
        self.helm(how, "greyhub", str(CHART), *given, "--wait", "--timeout", "4m")

    def pod(self, component: str) -> dict[str, Any]:
        """The one pod of the chart's hub or proxy."""
        [found] = (
            each
            for each in self.cluster.pods()
            if each["metadata"]["labels"].get("app.kubernetes.io/component") == component
        )
        return found

    def uid(self, component: str) -> str:
        return str(self.pod(component)["metadata"]["uid"])

    def restarts(self, component: str) -> int:
        return sum(
            each["restartCount"] for each in self.pod(component)["status"]["containerStatuses"]
        )

    def named(self, name: str) -> str:
        """The config file of a platform with a name, and with logins at the provider."""
        return CONFIG.format(name=name, issuer=self.provider.issuer)


@pytest.fixture
def empty(cluster: Cluster, directory: Path) -> Release:
    """A namespace into which nothing is installed yet, and a provider that does not run."""
    require()
    try:
        command()
    except Missing as missing:
        pytest.skip(str(missing))
    provider = OpenIDProvider(directory, host=HOST, authority=Authority(directory, HOST))
    provider.say({"sub-of-ada": STAFF})
    made = Release(cluster, provider, directory)
    enforced = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", cluster.namespace, enforced)
    secret = ["secret", "generic", "login"]
    for name in ("OIDC_SECRET", "GITHUB_SECRET"):
        (directory / name).write_text(SECRET)
        secret.append(f"--from-file={directory / name}")
    cluster.kubectl("create", *secret)
    made.values = {**images(), "url": "http://hub.example.org/", "secrets": "{login}"}
    return made


@pytest.fixture
def release(empty: Release) -> Iterator[Release]:
    """Installed by the commands of the how-to, with logins at an OpenID provider."""
    # The Service's address is known once it is there.
    empty.put("install", empty.named("First"))
    with empty.provider.running(empty.address()):
        empty.put("upgrade", empty.named("First"), url=empty.address())
        yield empty


@pytest.fixture
def trusting(browser: Browser) -> Iterator[Page]:
    """A page of a browser that takes the provider's certificate."""
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 860})
    made = context.new_page()
    made.set_default_timeout(MINUTE)
    yield made
    context.close()


def answers(page: Page, url: str) -> bool:
    """Whether the browser's owner reaches her server."""
    try:
        answer = page.request.get(f"{url}user/ada/api/status")
    except Error:  # the proxy is away
        return False
    return answer.ok and "started" in answer.text()


def test_install_use_upgrade_roll_back_break_and_uninstall(
    release: Release, trusting: Page
) -> None:
    cluster, page, url = release.cluster, trusting, release.address()
    assert "Succeeded" in release.helm("test", "greyhub")
    file = "/etc/greyhub/greyhub_config.py"
    said = cluster.kubectl("exec", "deploy/hub", "--", "greyhub", "check", "--live", "-f", file)
    assert "error" not in said
    assert "whether pods are reached" not in said  # it is in one

    log_in(page, url, picture="chart-login")
    page.wait_for_selector("#platform")
    shoot(page, "chart-platform")
    page.click("#start")
    page.wait_for_selector("#progress-message")
    shoot(page, "chart-progress")
    page.wait_for_url("**/lab**", timeout=3 * MINUTE)
    page.wait_for_selector(".jp-DirListing-content", timeout=2 * MINUTE)

    said = cluster.kubectl("exec", "deploy/hub", "--", "greyhub", "status", "-f", file)
    assert ": 1 started" in said
    assert "image " in said

    [server] = pods_of(cluster, "singleuser-server")
    name, uid = server["metadata"]["name"], server["metadata"]["uid"]
    inside = ["exec", "-i", name, "-c", "notebook", "--", "sh", "-c"]
    notebook = next((SAMPLE / "welcome").glob("*.ipynb"))
    cluster.kubectl(*inside, "cat > ~/first.ipynb", given=notebook.read_text())
    run_notebook(page, f"{url}user/ada/lab/tree/first.ipynb?reset")
    until(lambda: pods_of(cluster, "dask-worker"), 180, "workers")

    # An upgrade while it computes: a new hub, the same proxy, server and notebook.
    proxy, hub = release.uid("proxy"), release.uid("hub")
    release.put("upgrade", release.named("Second"))
    assert release.uid("hub") != hub
    await_figure(page)
    page.locator(".jp-OutputArea-output img").first.scroll_into_view_if_needed()
    shoot(page, "chart-tutorial")
    assert answers(page, url)

    hub = release.uid("hub")
    release.helm("rollback", "greyhub", "--wait", "--timeout", "4m")
    assert release.uid("hub") != hub
    until(lambda: answers(page, url), 120, "the server after a rollback")
    assert "First" in cluster.kubectl("exec", "deploy/hub", "--", "cat", file)
    assert release.uid("proxy") == proxy
    assert release.restarts("proxy") == 0

    # Hub and proxy are killed, and with the proxy its routes.
    for component in ("hub", "proxy"):
        killed = release.pod(component)["metadata"]
        cluster.kubectl("delete", "pod", killed["name"], "--grace-period=0", "--force")
        until(lambda: answers(page, url), 180, f"the server without its {component}")
        cluster.kubectl("rollout", "status", f"deployment/{component}", "--timeout=2m")
        until(lambda: answers(page, url), 180, f"the server with another {component}")
    assert [each["metadata"]["uid"] for each in pods_of(cluster, "singleuser-server")] == [uid]

    until(
        lambda: "Warming of North America.csv" in cluster.kubectl(*inside, "ls ~"),
        120,
        "the results in the home",
    )
    page.goto(f"{url}hub/home", wait_until="networkidle")  # the button works by then
    page.click("#stop")
    until(lambda: not pods_of(cluster, "singleuser-server"), 120, "the end of the server")
    until(lambda: not pods_of(cluster, "dask-worker"), 180, "the end of the workers")

    release.helm("uninstall", "greyhub", "--wait")
    until(lambda: not cluster.get("pods"), 120, "the end of all pods")
    kinds = "deployments,daemonsets,services,configmaps,secrets,ingresses,networkpolicies,"
    kinds += "roles,rolebindings,serviceaccounts,poddisruptionbudgets"
    left = {f"{each['kind']}/{each['metadata']['name']}" for each in cluster.get(kinds)}
    assert left == {"ConfigMap/kube-root-ca.crt", "Secret/login", "ServiceAccount/default"}
    claims = {each["metadata"]["name"] for each in cluster.get("pvc")}
    assert "hub-state" in claims
    assert len(claims) == 2, claims


@pytest.mark.parametrize(("sample", "login"), [("kubernetes", "OAuth 2.0"), ("mixed", "GitHub")])
def test_a_config_of_the_repository_runs_as_it_is(
    empty: Release, page: Page, sample: str, login: str
) -> None:
    empty.put("install", (SAMPLE.parent / sample / "greyhub_config.py").read_text())
    assert "Succeeded" in empty.helm("test", "greyhub")
    page.goto(f"{empty.address()}hub/login")
    page.wait_for_selector(f"text=Sign in with {login}")
    shoot(page, f"chart-{sample}")
    empty.helm("uninstall", "greyhub", "--wait")
