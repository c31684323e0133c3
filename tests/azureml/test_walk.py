"""One walk through a platform of Azure ML in all slots, as a person sees it; the hub is killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.azureml.platforms import (
    MIXES,
    RESULT,
    Azure,
    all_of_azure,
    await_result,
    open_lab,
    place,
    put_tutorial,
    run_tutorial,
)
from tests.support.browser import MINUTE, await_figure, shoot
from tests.support.hubs import Hub
from tests.support.waiting import until

__all__ = ["place"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.browser,
    pytest.mark.timeout(600),
]

ALL = MIXES[0]


@pytest.fixture
def azure() -> Iterator[Azure]:
    with all_of_azure() as found:
        yield found


def test_log_in_start_compute_stop_and_go_on(azure: Azure, place: Path, page: Page) -> None:
    workspace = azure.workspace
    hub = Hub(place, azure.config(ALL))
    try:
        hub.start()
        open_lab(page, hub, azure, ALL)
        [name] = workspace.instances()
        put_tutorial(hub)
        run_tutorial(page, hub)
        until(lambda: len(running(azure)) > 1, 120, "the jobs of a cluster")
        hub.stop(signal.SIGKILL)  # its proxy lives on: the notebook does not notice
        hub.start()
        await_figure(page)
        page.locator(".jp-OutputArea-output img").first.scroll_into_view_if_needed()
        shoot(page, "azureml-tutorial")
        await_result(azure, hub, ALL)
        until(lambda: not running(azure), 120, "the end of all jobs")

        page.goto(f"{hub.url}hub/home", wait_until="networkidle")  # the button works by then
        shoot(page, "azureml-platform")
        page.click("#stop")
        until(lambda: hub.server("ada") is None, 120, "the end of the server")
        assert (workspace.state(name), workspace.instances()[name]) == ("Stopped", [])

        page.goto(f"{hub.url}hub/home")
        page.click("#start")
        page.wait_for_url("**/lab**", timeout=2 * MINUTE)
        page.wait_for_selector(f".jp-DirListing-content >> text={RESULT}", timeout=2 * MINUTE)
        assert list(workspace.instances()) == [name]
        assert not workspace.violations
    finally:
        hub.end()


def running(azure: Azure) -> list[str]:
    return [name for name, pids in azure.workspace.jobs().items() if pids]
