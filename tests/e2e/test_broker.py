"""Clusters by a broker, in a real browser: the dashboard by the hub's login."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.conftest import make_directory
from tests.e2e.test_browser import open_lab
from tests.support.brokers import BrokerHub, no_finalizers  # noqa: F401
from tests.support.browser import MINUTE, shoot
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

DRAWN = "() => window.Bokeh && Bokeh.documents.some(each => each.is_idle && each.roots().length)"


@pytest.fixture
def hub() -> Iterator[BrokerHub]:
    made = BrokerHub(make_directory())
    try:
        yield made.start()
    finally:
        made.end()
        shutil.rmtree(made.directory, ignore_errors=True)


def test_the_dashboard_draws_for_its_owner(hub: BrokerHub, page: Page) -> None:
    hub.spawn("ada")
    failed: list[str] = []
    told: list[int] = []
    page.on("response", lambda answer: answer.status >= 400 and failed.append(answer.url))
    page.on("websocket", lambda opened: opened.on("framereceived", lambda _: told.append(1)))
    page.goto(f"{hub.url}hub/login")
    page.fill("#username_input", "ada")
    page.fill("#password_input", hub.password)
    page.click("#login_submit")
    with hub.gateway("ada") as gateway:
        cluster = gateway.new_cluster()
        failed.clear()
        page.goto(cluster.dashboard_link)
        page.wait_for_function(DRAWN)  # by a websocket through hub, broker and scheduler
        before = len(told)
        cluster.scale(1)
        until(lambda: page.title() and len(told) > before + 3, 60, "what the scheduler draws")
        styles = "() => getComputedStyle(document.querySelector('ul')).listStyleType"
        assert page.evaluate(styles) == "none"
        assert [url for url in failed if "/clusters/" in url] == []
        shoot(page, "cluster-dashboard")
        cluster.shutdown()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_dask_panel_starts_scales_and_ends_a_cluster(hub: BrokerHub, page: Page) -> None:
    open_lab(page, hub, "ada")
    page.click("[data-id='dask-dashboard-launcher']")
    page.click("[data-command='dask:launch-cluster']")
    item = page.locator(".dask-ClusterListingItem")
    item.wait_for(timeout=MINUTE)
    with hub.gateway("ada") as gateway:
        (report,) = gateway.list_clusters()
        page.click("text=Task Stream")
        frame = page.frame_locator(".jp-IFrame iframe")
        frame.locator("canvas").first.wait_for(timeout=MINUTE)
        item.locator("text=Scale").click()
        page.locator(".jp-Dialog input[type=number]").first.fill("2")
        page.locator(".jp-Dialog button.jp-mod-accept").click()
        until(lambda: len(hub.kinds(report.name)) == 3, 60, "two workers")
        shoot(page, "cluster-panel")
        item.locator("text=Shutdown").click()
        if (dialog := page.locator(".jp-Dialog button.jp-mod-warn")).count():
            dialog.click()
        until(lambda: not hub.parts(report.name), 60, "the end of the cluster")
