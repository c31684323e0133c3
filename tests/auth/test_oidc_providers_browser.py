"""One login page for two certified providers, in a browser, by a hub as it is started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.auth.openid_provider import SECRET, OpenIDProvider, command
from tests.auth.test_oidc_provider import user
from tests.homespace.filesystem.servers import Missing
from tests.support.browser import MINUTE, shoot
from tests.support.hubs import Hub
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLES = {"university": "University of Example", "club": "Observers' Club of the North"}


@pytest.fixture
def providers(directory: Path) -> dict[str, OpenIDProvider]:
    try:
        command()
    except Missing as missing:
        pytest.skip(str(missing))
    made = {word: OpenIDProvider(directory / word) for word in TITLES}
    made["university"].say({"ada-1": {"preferred_username": "ada", "groups": ["staff"]}})
    made["club"].say({"ada-2": {"preferred_username": "ada", "groups": ["staff"]}})
    return made


@contextmanager
def a_hub(directory: Path, providers: dict[str, OpenIDProvider]) -> Iterator[Hub]:
    """A hub that runs, and its providers."""
    hub = Hub(
        directory / "hub",
        f"""\
        import greyhub
        c.GreyHub.auth = "oidc"
        c.GreyHub.name = "Example Lab"
        c.JupyterHub.ip = "127.0.0.1"
        c.OIDCAuthenticator.client_id = "hub"
        c.OIDCAuthenticator.client_secret = "{SECRET}"
        c.OIDCAuthenticator.auth_refresh_age = 1
        c.OIDCAuthenticator.logout_at_provider = True
        c.OIDCAuthenticator.logout_redirect_url = f"http://127.0.0.1:{{c.JupyterHub.port}}/hub/login"
        university = {{
            "issuer": "{providers["university"].issuer}",
            "login_service": "{TITLES["university"]}",
            "allowed_groups": {{"staff"}},
            "admin_groups": {{"wheel"}},
        }}
        club = {{
            "issuer": "{providers["club"].issuer}",
            "login_service": "{TITLES["club"]}",
            "allowed_groups": {{"staff"}},
            "username_prefix": "club-",
            "groups_prefix": "club:",
        }}
        c.OpenIDConnect.providers = {{"university": university, "club": club}}
        """,
    )
    try:
        with ExitStack() as running:
            for word, provider in providers.items():
                running.enter_context(provider.running(hub.url, word=word))
            yield hub.start()
    finally:
        hub.end()


def choose(page: Page, at: str) -> None:
    """From the login page to a provider, by the keyboard alone."""
    link = page.get_by_role("link", name=f"Sign in with {TITLES[at]}")
    for _ in range(20):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    expect(link).to_be_focused()
    if at == "club":
        shoot(page, "oidc-providers-focus")
    page.keyboard.press("Enter")


def consent(page: Page, login: str) -> None:
    """Log in at the provider."""
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.click("button:has-text('Continue')")


def log_out(page: Page, hub: Hub) -> None:
    page.goto(f"{hub.url}hub/logout")
    page.click("button:has-text('Yes')")
    page.wait_for_url(f"{hub.url}hub/login**")
    assert user(page, hub) is None


def test_the_page_is_readable_on_a_desk_and_on_a_phone(
    page: Page, directory: Path, providers: dict[str, OpenIDProvider]
) -> None:
    with a_hub(directory, providers) as hub:
        for name, width, height in (("desk", 1280, 860), ("phone", 360, 700)):
            page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                page.goto(f"{hub.url}hub/login")
                expect(page.get_by_role("heading", name="Sign in to Example Lab")).to_be_visible()
                shoot(page, f"oidc-providers-{name}-{scheme}")
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                for title in TITLES.values():
                    box = page.get_by_role("link", name=title).bounding_box()
                    assert box is not None
                    assert box["height"] >= 44
                    assert box["width"] >= 280


def test_login_refresh_and_logout_by_each(
    page: Page, directory: Path, providers: dict[str, OpenIDProvider]
) -> None:
    with a_hub(directory, providers) as hub:
        for at, login, name, groups in (
            ("university", "ada-1", "ada", {"staff", "new"}),
            ("club", "ada-2", "club-ada", {"club:staff", "club:new"}),
        ):
            page.goto(f"{hub.url}hub/token")
            choose(page, at)
            consent(page, login)
            page.wait_for_url(f"{hub.url}hub/token", timeout=MINUTE)
            assert (user(page, hub) or {})["name"] == name
            more = {"preferred_username": "ada", "groups": ["staff", "new"]}
            providers[at].say({login: more})
            until(
                lambda groups=groups: set((user(page, hub) or {}).get("groups", ())) == groups,
                what="the new group",
            )
            log_out(page, hub)
        providers["club"].say({})
        choose(page, "club")
        page.fill("input[name=login]", "ada-2")  # the provider has forgotten her, too
        assert SECRET not in hub.log.read_text()


def test_the_logins_of_a_provider_that_is_removed_end(
    page: Page, directory: Path, providers: dict[str, OpenIDProvider]
) -> None:
    with a_hub(directory, providers) as hub:
        page.goto(hub.url)
        choose(page, "club")
        consent(page, "ada-2")
        page.wait_for_selector("#platform", timeout=MINUTE)
        hub.stop()
        both = '{"university": university, "club": club}'
        text = hub.file.read_text()
        assert both in text
        hub.file.write_text(text.replace(both, '{"university": university}'))
        hub.start()
        until(lambda: user(page, hub) is None, what="the end of the login")
        page.goto(hub.url)
        expect(page.get_by_role("status")).to_contain_text("takes no logins any more")
        shoot(page, "oidc-login-ended")
        expect(page.get_by_role("link", name=TITLES["university"])).to_be_visible()
        expect(page.get_by_role("link", name=TITLES["club"])).to_have_count(0)
        assert "which is no provider of this hub any more" in hub.log.read_text()
