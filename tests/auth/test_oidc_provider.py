"""Logins in a browser at a certified provider, by a hub as it is started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.auth.openid_provider import SECRET, OpenIDProvider, command
from tests.homespace.filesystem.servers import Missing
from tests.support.browser import MINUTE, shoot
from tests.support.hubs import Hub
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STAFF = {"preferred_username": "ada", "groups": ["staff"]}


@contextmanager
def a_hub(directory: Path, provider: OpenIDProvider) -> Iterator[Hub]:
    """A hub that is not started, for `OpenIDProvider.running` to know its address."""
    hub = Hub(
        directory / "hub",
        f"""\
        import greyhub
        c.GreyHub.auth = "oidc"
        c.JupyterHub.ip = "127.0.0.1"
        c.OIDCAuthenticator.issuer = "{provider.issuer}"
        c.OIDCAuthenticator.client_id = "hub"
        c.OIDCAuthenticator.client_secret = "{SECRET}"
        c.OIDCAuthenticator.allowed_groups = {{"staff"}}
        c.OIDCAuthenticator.admin_groups = {{"wheel"}}
        c.OIDCAuthenticator.auth_refresh_age = 1
        c.OIDCAuthenticator.logout_at_provider = True
        c.OIDCAuthenticator.logout_redirect_url = f"http://127.0.0.1:{{c.JupyterHub.port}}/hub/login"
        """,
    )
    try:
        yield hub
    finally:
        hub.end()


@pytest.fixture
def provider(directory: Path) -> OpenIDProvider:
    try:
        command()
    except Missing as missing:
        pytest.skip(str(missing))
    made = OpenIDProvider(directory)
    made.say({"sub-of-ada": STAFF})
    return made


def log_in(page: Page, url: str, login: str = "sub-of-ada", picture: str = "") -> None:
    """From the hub's page to the provider's, and back."""
    page.goto(url)
    if picture:
        shoot(page, picture)
    page.get_by_role("link", name="OpenID Connect").or_(
        page.get_by_role("button", name="OpenID Connect")
    ).first.click()
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.click("button:has-text('Continue')")


def user(page: Page, hub: Hub) -> dict[str, Any] | None:
    """Whom the hub takes the browser's owner for."""
    answer = page.request.get(f"{hub.url}hub/api/user")
    return answer.json() if answer.ok else None


def test_login_groups_rotation_and_logout(
    page: Page, directory: Path, provider: OpenIDProvider
) -> None:
    with a_hub(directory, provider) as hub, provider.running(hub.url):
        hub.start()
        log_in(page, hub.url, picture="oidc-login")
        page.wait_for_selector("#platform", timeout=MINUTE)
        key = hub.state / "hub/crypt-key"
        assert key.stat().st_mode & 0o777 == 0o600
        said = user(page, hub) or {}
        assert (said["name"], said["groups"], said["admin"]) == ("ada", ["staff"], False)
        provider.say({"sub-of-ada": {**STAFF, "groups": ["staff", "wheel"]}})
        until(lambda: (user(page, hub) or {}).get("admin"), what="the rights of the new group")
        provider.say({"sub-of-ada": {**STAFF, "groups": ["staff", "round-3"]}})
        until(
            lambda: {"staff", "round-3"} == set((user(page, hub) or {}).get("groups", ())),
            what="the next group",
        )
        assert not (user(page, hub) or {})["admin"]
        page.goto(f"{hub.url}hub/logout")
        page.click("button:has-text('Yes')")
        page.wait_for_url(f"{hub.url}hub/login**")
        assert user(page, hub) is None
        page.goto(hub.url)
        page.get_by_text("OpenID Connect").first.click()
        expect(page.locator("input[name=login]")).to_be_visible()  # it has forgotten her, too
        assert SECRET not in hub.log.read_text()


def test_an_account_that_is_gone_and_one_without_the_group(
    page: Page, directory: Path, provider: OpenIDProvider
) -> None:
    with a_hub(directory, provider) as hub, provider.running(hub.url):
        hub.start()
        log_in(page, hub.url)
        page.wait_for_selector("#platform", timeout=MINUTE)
        provider.say({})
        until(lambda: user(page, hub) is None, what="the end of the login")
        page.goto(hub.url)
        expect(page.get_by_role("status")).to_contain_text("Your login by OpenID Connect has ended")
        shoot(page, "oidc-one-login-ended")
        provider.say({"sub-of-eve": {"preferred_username": "eve", "groups": "staff"}})
        page.context.clear_cookies()
        log_in(page, hub.url, "sub-of-eve")
        expect(page.locator("body")).to_contain_text("403")
        shoot(page, "oidc-refused")
        assert user(page, hub) is None


def test_new_keys_and_clocks_that_differ(
    page: Page, directory: Path, provider: OpenIDProvider
) -> None:
    with a_hub(directory, provider) as hub:
        with provider.running(hub.url):
            hub.start()
            log_in(page, hub.url)
            page.wait_for_selector("#platform", timeout=MINUTE)
        for ahead, admitted in ((40, True), (-40, True), (400, False)):
            page.context.clear_cookies()
            with provider.running(hub.url, ahead=ahead):
                log_in(page, hub.url)
                if admitted:
                    page.wait_for_selector("#platform", timeout=MINUTE)
                else:
                    expect(page.locator("body")).to_contain_text("not to be believed")
        assert "its time has not begun: compare the clocks" in hub.log.read_text()
