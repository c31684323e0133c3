"""The mix-up attack in a browser: one of two providers is the attacker's. RFC 9700, 4.4."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from playwright.sync_api import Page, expect

from greyhub.conformance.testkit.provider import Provider, Reply, endpoints
from tests.auth.openid_provider import SECRET, OpenIDProvider, command
from tests.auth.test_oidc_provider import user
from tests.homespace.filesystem.servers import Missing
from tests.support.browser import shoot
from tests.support.hubs import Hub

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def university(directory: Path) -> OpenIDProvider:
    try:
        command()
    except Missing as missing:
        pytest.skip(str(missing))
    made = OpenIDProvider(directory / "university")
    made.say({"ada-1": {"preferred_username": "ada", "groups": ["staff"]}})
    return made


@pytest.fixture
def attacker() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture
def hub(directory: Path, university: OpenIDProvider, attacker: Provider) -> Iterator[Hub]:
    """A hub that both providers log people in at; it does not run yet."""
    made = Hub(
        directory / "hub",
        f"""\
        import greyhub
        c.GreyHub.auth = "oidc"
        c.JupyterHub.ip = "127.0.0.1"
        c.OpenIDConnect.providers = {{
            "university": {{
                "issuer": "{university.issuer}",
                "client_id": "hub",
                "client_secret": "{SECRET}",
                "allowed_groups": {{"staff"}},
            }},
            "club": {{
                "issuer": "{attacker.url}",
                "client_id": "{attacker.client_id}",
                "client_secret": "{attacker.client_secret}",
                "allow_all": True,
            }},
        }}
        """,
    )
    yield made
    made.end()


def mixing(
    university: OpenIDProvider, monkeypatch: pytest.MonkeyPatch, **changes: str
) -> list[dict[str, str]]:
    """Let the attacker send browsers on to the university; the requests that it changed."""
    sent: list[dict[str, str]] = []

    def authorize(provider: Any, seen: Any) -> Reply:
        sent.append({**seen.query, "client_id": "hub", "scope": "openid profile", **changes})
        return Reply(302, headers={"Location": f"{university.issuer}/auth?{urlencode(sent[-1])}"})

    monkeypatch.setattr(endpoints, "authorize", authorize)
    return sent


def log_in_at_the_club(page: Page, hub: Hub, university: OpenIDProvider) -> None:
    """What somebody does who means the club, and knows the university's page well."""
    page.goto(f"{hub.url}hub/login")
    page.get_by_role("link", name="Sign in with Club").click()
    assert page.url.startswith(university.issuer)


def consent(page: Page) -> list[str]:
    """Log in at the university; the answers that arrived at the hub."""
    came: list[str] = []
    page.on("request", lambda asked: came.append(asked.url))
    page.fill("input[name=login]", "ada-1")
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.click("button:has-text('Continue')")
    page.wait_for_url("**/hub/oauth_callback/**")
    return [url for url in came if "/hub/oauth_callback/" in url]


@pytest.mark.parametrize(
    ("at", "said"),
    [
        # The university's own address, as it is registered.
        ("university", "begun at another provider"),
        # The attacker's, which somebody has registered with the university, too: RFC 9207.
        ("club", "Another provider has answered than was asked"),
    ],
)
def test_no_code_of_the_university_reaches_the_attacker(
    page: Page,
    hub: Hub,
    university: OpenIDProvider,
    attacker: Provider,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    said: str,
) -> None:
    there = f"{hub.url}hub/oauth_callback/{at}"
    sent = mixing(university, monkeypatch, redirect_uri=there)
    with university.running(hub.url, word=at):
        hub.start()
        log_in_at_the_club(page, hub, university)
        [answer] = consent(page)
        query = dict(parse_qsl(answer.partition("?")[2]))
        assert answer.startswith(f"{there}?")
        # A code of the university's, and the state of the login at the club.
        assert (bool(query["code"]), query["state"]) == (True, sent[0]["state"])
        expect(page.locator("body")).to_contain_text(said)
        shoot(page, f"oidc-mixed-up-{at}")
        assert attacker.asked("authorize")
        assert not attacker.asked("token")
        assert user(page, hub) is None
        page.goto(answer)  # the state is used up
        assert user(page, hub) is None
        assert not attacker.asked("token")
        assert query["code"] not in hub.log.read_text()


def test_the_university_sends_nobody_to_an_address_that_is_the_clubs(
    page: Page,
    hub: Hub,
    university: OpenIDProvider,
    attacker: Provider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each provider has an address of its own, so one that checks them stops the attack."""
    mixing(university, monkeypatch)
    with university.running(hub.url, word="university"):
        hub.start()
        log_in_at_the_club(page, hub, university)
        expect(page.locator("body")).to_contain_text("redirect_uri")
        assert page.url.startswith(university.issuer)
        assert not attacker.asked("token")
        assert user(page, hub) is None
