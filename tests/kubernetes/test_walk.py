"""One walk through a platform on a cluster, as a person sees it; the hub is killed meanwhile.

Servers are pods, and so are the workers of their Dask clusters.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import iris_sample_data
import pytest
from playwright.sync_api import Page, expect

from greyhub.kubernetes.objects import USER
from tests.kubernetes.brokers import none_left, pods_of
from tests.support.browser import MINUTE, await_figure, run_notebook, shoot
from tests.support.clusters import IMAGE, Cluster
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.kubernetes,
    pytest.mark.browser,
    pytest.mark.timeout(900),
]

SAMPLE = Path(__file__).parents[2] / "config/local"

PLATFORM = f"""
c.GreyHub.homespace = "kubernetes"
c.KubernetesHomespace.size = "100Mi"
c.KubernetesHomespace.owner_image = {IMAGE!r}
c.GreyHub.cluster = "kubernetes"
c.KubernetesCluster.port = {free_port()}
c.KubernetesCluster.api_port = {free_port()}
c.KubernetesCluster.dashboard_port = {free_port()}
c.KubernetesCluster.server_grace = 0
c.KubernetesCluster.pods = {{
    "worker_cores_guarantee": 0.02, "worker_memory_guarantee": "200 M",
    "scheduler_cores_guarantee": 0.02, "scheduler_memory_guarantee": "200 M",
}}
c.GreyHub.data = "kubernetes"
c.KubernetesData.config_map = ["catalogues"]
c.KubernetesData.parameters = {{"IRIS": {iris_sample_data.path!r}}}
c.GreyHub.name = "A platform on Kubernetes"
c.SpawnerAdapter.profiles = [
    {{"name": "small", "title": "Small", "description": "For writing and small tables.",
      "cores": 0.5, "memory": "1 GiB"}},
    {{"name": "medium", "title": "Medium", "description": "For the tutorial, with its cluster.",
      "cores": 1, "memory": "3 GiB", "default": True}},
    {{"name": "gpu", "title": "Machine learning", "cores": 4, "memory": "16 GiB", "gpus": 1,
      "groups": ["gpu-users"]}},
]
"""


def test_log_in_start_compute_and_stop(
    pods_hub: Callable[..., Hub], cluster: Cluster, page: Page
) -> None:
    cluster.kubectl("create", "configmap", "catalogues", f"--from-file={SAMPLE / 'catalog.yaml'}")
    hub = pods_hub(PLATFORM)
    page.goto(hub.url)
    page.fill("#username_input", "ada")
    page.fill("#password_input", hub.password)
    page.click("#login_submit")
    page.wait_for_selector("#platform")
    shoot(page, "kubernetes-platform")
    page.click("#start")
    page.wait_for_selector("text=For the tutorial")
    assert page.locator("text=Machine learning").count() == 0  # she is not of that group
    shoot(page, "kubernetes-profiles")
    page.click("[type=submit]")
    page.wait_for_selector("#progress-message")
    page.click("#progress-details summary")
    expect(page.locator("#progress-log")).to_contain_text("There is room for the server.")
    shoot(page, "kubernetes-progress")
    page.wait_for_url("**/lab**", timeout=2 * MINUTE)
    page.wait_for_selector(".jp-DirListing-content", timeout=2 * MINUTE)

    [pod] = cluster.pods()
    name = pod["metadata"]["name"]
    limits = pod["spec"]["containers"][0]["resources"]["limits"]
    assert (limits["cpu"], limits["memory"]) == ("1", str(3 * 2**30))
    notebook = next((SAMPLE / "welcome").glob("*.ipynb"))
    inside = ["exec", "-i", name, "-c", "notebook", "--"]
    cluster.kubectl(*inside, "sh", "-c", "cat > ~/first.ipynb", given=notebook.read_text())
    run_notebook(page, f"{hub.url}user/ada/lab/tree/first.ipynb?reset")
    until(lambda: pods_of(cluster, "dask-worker"), 120, "workers")
    hub.stop(signal.SIGKILL)  # and its proxy lives on: the notebook does not notice
    hub.start()
    await_figure(page)
    page.locator(".jp-OutputArea-output img").first.scroll_into_view_if_needed()
    shoot(page, "kubernetes-tutorial")

    def saved() -> bool:
        return "Warming of North America.csv" in cluster.kubectl(*inside, "sh", "-c", "ls ~")

    until(saved, 120, "the results in the home")
    assert pod["metadata"]["uid"] in cluster.uids(), "the hub was killed, and this is another one"

    page.goto(f"{hub.url}hub/home", wait_until="networkidle")  # the button works by then
    page.click("#stop")
    until(lambda: hub.server("ada") is None, 120, "the end of the server")
    page.reload()
    shoot(page, "kubernetes-stopped")
    none_left(cluster)
    assert cluster.get("pods") == []
    assert cluster.get("secrets") == []
    [claim] = cluster.get("pvc")
    assert claim["metadata"]["annotations"][USER] == "ada"

    hub.api("POST", "users/ada/server", json={"profile": "small"})
    until(lambda: (hub.server("ada") or {}).get("ready"), 120, "the next server")
    [pod] = cluster.pods()
    shown = cluster.kubectl("exec", pod["metadata"]["name"], "-c", "notebook", "--", "ls", "-A")
    assert "Warming of North America.csv" in shown
