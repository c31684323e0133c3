"""What a person sees: the local sample, in a real browser."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect

from tests.conftest import make_directory
from tests.support.browser import MINUTE, run_notebook, shoot, wait_idle
from tests.support.hubs import SampleHub

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "config/local/greyhub_config.py"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def platform() -> Iterator[SampleHub]:
    hub = SampleHub(make_directory(), SAMPLE)
    try:
        yield hub.start()
    finally:
        hub.end()


def log_in(page: Page, hub: SampleHub, user: str) -> None:
    page.goto(hub.url)
    page.fill("#username_input", user)
    page.fill("#password_input", hub.password)
    page.click("#login_submit")
    page.wait_for_selector("#platform")


def open_lab(page: Page, hub: SampleHub, user: str, path: str = "") -> None:
    """Log in, start the server if need be, and open JupyterLab."""
    log_in(page, hub, user)
    page.click("#start")
    page.wait_for_url("**/lab**", timeout=2 * MINUTE)
    page.wait_for_selector(".jp-DirListing-content", timeout=2 * MINUTE)
    if path:
        page.goto(f"{hub.url}user/{user}/lab/tree/{path}?reset")
        page.wait_for_selector(".jp-Notebook", timeout=2 * MINUTE)


def make_notebook(hub: SampleHub, user: str, name: str) -> None:
    """Put an empty notebook into a home."""
    home = hub.state / "homes" / user
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "source": ""}
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}}
    path = home / name
    path.write_text(json.dumps({**notebook, "cells": [{**cell, "execution_count": None}]}))
    owner = home.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


def run_cell(page: Page, code: str) -> None:
    """Type into the last cell and run it."""
    wait_idle(page)
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").last.click()
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")


def test_after_login_a_person_sees_what_the_platform_is_made_of(
    page: Page, platform: SampleHub
) -> None:
    log_in(page, platform, "ada")
    rows = page.locator("#platform tbody tr")
    slots = ["spawner", "cluster", "auth", "homespace", "data"]
    assert rows.locator("th").all_inner_texts() == slots
    for slot in slots:
        level = page.locator(f"#platform tr[data-slot={slot}]").get_attribute("data-level")
        assert level in ("ok", "note"), slot
    shoot(page, "platform")


@pytest.mark.timeout(600)
def test_the_tutorial_runs_and_its_results_are_in_the_home(page: Page, platform: SampleHub) -> None:
    (tutorial,) = (SAMPLE.parent / "welcome").glob("*.ipynb")
    open_lab(page, platform, "ada")
    expect(page.locator(".jp-DirListing-content")).to_contain_text(tutorial.stem)
    home = platform.state / "homes/ada"
    before = set(home.iterdir())
    run_notebook(page, f"{platform.url}user/ada/lab/tree/{tutorial.name}?reset")
    figure = page.locator(".jp-OutputArea-output img")
    figure.first.wait_for(timeout=4 * MINUTE)
    page.wait_for_function(
        "() => ![...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
        ".some(each => each.textContent.includes('*'))",
        timeout=4 * MINUTE,
    )
    for kind in ("error", "stderr"):
        output = f".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.{kind}']"
        assert page.locator(output).all_text_contents() == []
    figure.first.scroll_into_view_if_needed()
    shoot(page, "tutorial")
    made = {path.suffix for path in set(home.rglob("*")) - before}
    assert ".png" in made
    assert made & {".csv", ".nc"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_notebook_goes_on_while_the_hub_restarts(page: Page, platform: SampleHub) -> None:
    open_lab(page, platform, "bob")
    make_notebook(platform, "bob", "restart.ipynb")
    page.goto(f"{platform.url}user/bob/lab/tree/restart.ipynb?reset")
    page.wait_for_selector(".jp-Notebook")
    run_cell(page, "kept = 6 * 7")
    page.wait_for_function(
        "() => document.querySelector('.jp-InputPrompt').textContent.includes('[1]')"
    )
    platform.stop()
    platform.start()
    # Where JupyterLab has noticed that the proxy was away, it offers to start a server.
    dismiss = page.locator(".jp-Dialog button:has-text('Dismiss')")
    with suppress(Error):
        dismiss.click(timeout=MINUTE / 4)
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").last.click()
    page.keyboard.insert_text("print('still', kept)")
    page.keyboard.press("Shift+Enter")
    page.locator("text=still 42").first.wait_for(timeout=2 * MINUTE)
    shoot(page, "restarted")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_dask_panel_starts_a_cluster_and_shows_its_dashboard(
    page: Page, platform: SampleHub
) -> None:
    open_lab(page, platform, "carol")
    page.click("[data-id='dask-dashboard-launcher']")
    page.click("[data-command='dask:launch-cluster']")
    page.wait_for_selector(".dask-ClusterListingItem", timeout=MINUTE)
    expect(page.locator(".dask-ClusterListingItem")).to_contain_text("tls://127.0.0.1")
    page.click("text=Task Stream")
    frame = page.frame_locator(".jp-IFrame iframe")
    frame.locator("canvas").first.wait_for(timeout=MINUTE)
    shoot(page, "dask")


def test_another_user_is_kept_out(page: Page, platform: SampleHub) -> None:
    open_lab(page, platform, "ada")
    page.context.clear_cookies()
    log_in(page, platform, "mallory")
    answer = page.goto(f"{platform.url}user/ada/lab")
    assert answer is not None
    assert answer.status in (403, 404)
    shoot(page, "kept-out")
