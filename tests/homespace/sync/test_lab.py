"""What JupyterLab's status bar says of the home, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from greyhub.homespace.sync import client
from tests.homespace.filesystem.places import Place
from tests.homespace.sync.test_hub import as_owner, config_of, home_of
from tests.support.browser import MINUTE, shoot
from tests.support.faults import always
from tests.support.hubs import Hub


@pytest.mark.slow
@pytest.mark.browser
def test_the_status_bar_tells_how_the_home_is(page: Page, directory: Path, s3: Place) -> None:
    assert s3.proxied
    with s3.proxied() as proxy:
        s3.options = proxy.options
        hub = Hub(directory, config_of(s3, 'c.HomespaceAdapter.quota = "200 kB"'))
        try:
            look(page, hub.start(), s3, proxy)
        finally:
            hub.end()


def look(page: Page, hub: Hub, s3: Place, proxy: Any) -> None:
    hub.spawn(s3.user)
    page.goto(f"{hub.url}hub/login?next=/user/{s3.user}/lab")
    page.fill("#username_input", s3.user)
    page.fill("#password_input", hub.password)
    page.click("#login_submit")
    word = page.locator("#greyhub-home")
    expect(word).to_have_text("Home: saved", timeout=2 * MINUTE)
    assert "is kept in s3://" in str(word.get_attribute("title"))
    shoot(page, "home-saved")
    home = home_of(hub, s3.user)
    proxy.rules.append(always("busy"))
    with as_owner(home):
        (home / "a.txt").write_text("1")
    expect(word).to_contain_text("Home: offline", timeout=MINUTE)
    shoot(page, "home-offline")
    proxy.rules.clear()
    expect(word).to_have_text("Home: saved", timeout=MINUTE)
    with as_owner(home):
        (home / "large.bin").write_bytes(b"x" * 300_000)
    expect(word).to_contain_text("Home: quota used up", timeout=MINUTE)
    expect(page.locator(".Toastify__toast--warning")).to_contain_text("quota is used up")
    shoot(page, "home-quota")
    assert client.status(home.parent / client.STATE)["word"] == "quota"
