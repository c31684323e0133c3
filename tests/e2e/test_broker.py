"""Clusters by a broker, in a real browser: the dashboard by the hub's login."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.conftest import make_directory
from tests.support.brokers import BrokerHub, no_finalizers  # noqa: F401
from tests.support.browser import shoot
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
