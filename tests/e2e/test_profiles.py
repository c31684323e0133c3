"""Profiles: the page on which a user chooses one, and what the hub does with the choice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
import requests
from playwright.sync_api import Page, expect

from tests.conftest import make_directory
from tests.support.browser import MINUTE, shoot
from tests.support.environments import make_environment
from tests.support.hubs import Hub
from tests.support.waiting import MINUTE as SECONDS
from tests.support.waiting import until

CONFIG = """
c.Spawner.consecutive_failure_limit = 100
c.JupyterHub.load_groups = {"gpu-users": {"users": ["grace"]}}
c.SpawnerAdapter.profiles = [
    {"name": "small", "title": "Small", "cores": 1, "memory": "2 GiB", "description": "To write."},
    {"name": "other", "title": "Other libraries", "environment": "other", "default": True},
    {"name": "stuck", "environment": "stuck", "memory": "3 GiB"},
    {"name": "gpu", "title": "Machine learning", "cores": 4, "groups": ["gpu-users"]},
]
c.JupyterHub.load_roles.append({"name": "starters", "services": ["tests"], "scopes": ["groups"]})
"""


@pytest.fixture(scope="module")
def platform() -> Iterator[Hub]:
    hub = Hub(make_directory(), CONFIG)
    make_environment(hub.directory / "other")
    stuck = hub.directory / "stuck/bin/greyhub-singleuser"
    stuck.parent.mkdir(parents=True)
    stuck.write_text("#!/bin/sh\nexec sleep 1000\n")
    stuck.chmod(0o755)
    try:
        yield hub.start()
    finally:
        hub.end()


def ask(hub: Hub, user: str, **options: Any) -> requests.Response:
    """Ask the REST API for a server."""
    return requests.post(
        f"{hub.url}hub/api/users/{user}/servers/",
        json=options or None,
        headers={"Authorization": f"token {hub.token}"},
        timeout=2 * SECONDS,
    )


def interpreter(hub: Hub, user: str) -> str:
    return psutil.Process(hub.pid(user)).cmdline()[0]


def open_form(page: Page, hub: Hub, user: str) -> None:
    page.goto(f"{hub.url}hub/login?next=/hub/spawn")
    page.fill("#username_input", user)
    page.fill("#password_input", hub.password)
    page.click("#login_submit")
    page.wait_for_selector("#profiles")


@pytest.mark.browser
def test_a_profile_is_chosen_on_a_page(page: Page, platform: Hub) -> None:
    open_form(page, platform, "ada")
    radios = page.get_by_role("radio")
    names = [each.get_attribute("value") for each in radios.all()]
    assert names == ["small", "other", "stuck"]
    expect(page.get_by_role("group", name="Choose a profile")).to_be_visible()
    expect(page.get_by_role("radio", name="Other libraries")).to_be_checked()
    small = page.get_by_role("radio", name="Small", exact=True)
    expect(small).to_have_accessible_description("1 core, 2 GiB To write.")
    page.locator("#profiles .card", has_text="To write.").click()  # anywhere on it
    expect(small).to_be_checked()
    small.press("ArrowDown")
    expect(page.get_by_role("radio", name="Other libraries")).to_be_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**/user/ada/**", timeout=2 * MINUTE)
    assert interpreter(platform, "ada") == str(platform.directory / "other/bin/python")
    server = platform.server("ada")
    assert server is not None
    assert server["user_options"] == {"profile": "other"}
    platform.stop_server("ada")
    platform.spawn("ada")  # as last time
    assert interpreter(platform, "ada") == str(platform.directory / "other/bin/python")
    platform.stop_server("ada")
    assert ask(platform, "ada", profile="small").ok
    assert "/other/" not in interpreter(platform, "ada")
    assert platform.environment("ada")["MEM_LIMIT"] == str(2 * 2**30)


@pytest.mark.browser
def test_a_group_s_profile_is_offered_to_its_members(page: Page, platform: Hub) -> None:
    open_form(page, platform, "grace")
    machine_learning = page.get_by_role("radio", name="Machine learning")
    expect(machine_learning).to_have_accessible_description("4 cores")
    page.locator("#profiles .card", has=machine_learning).click()
    expect(machine_learning).to_be_checked()
    page.get_by_role("button", name="Start").focus()
    shoot(page, "profiles")
    platform.api("DELETE", "groups/gpu-users/users", json={"users": ["grace"]})
    page.get_by_role("button", name="Start").click()  # the page is older than the group
    error = page.locator(".spawn-error-msg")
    expect(error).to_contain_text("The profile gpu is not for grace; choose one of: small")
    expect(page.get_by_role("radio")).to_have_count(3)
    assert platform.server("grace") is None


def test_the_api_is_refused_what_a_user_may_not_have(platform: Hub) -> None:
    platform.api("POST", "users/linus")
    for asked, status, said in (
        ({"profile": "gpu"}, 403, "The profile gpu is not for linus"),
        ({"profile": "huge"}, 400, "There is no such profile"),
        ({"profile": ["small"]}, 400, "The name of a profile is a text"),
        ({"profile": {"name": "small"}}, 400, "The name of a profile is a text"),
        ({"profile": "../small"}, 400, "There is no such profile"),
    ):
        answer = ask(platform, "linus", **asked)
        assert answer.status_code == status
        assert said in answer.json()["message"]
        assert platform.server("linus") is None
    # No Spawner has failed: after some failures, JupyterHub ends itself.
    log = platform.log.read_text()
    assert "consecutive spawn" not in log
    assert "huge" not in log  # what was asked for is others' text
    assert ask(platform, "linus", profile="small", cores=99, mem_limit="99G").ok
    assert platform.environment("linus")["CPU_LIMIT"] == "1.0"
    assert platform.environment("linus")["MEM_LIMIT"] == str(2 * 2**30)


def test_a_start_leaves_nothing_of_its_profile_to_the_next(platform: Hub) -> None:
    platform.api("POST", "users/niels")
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(ask, platform, "niels", profile="stuck")
        until(lambda: platform.server("niels") is not None, what="a start")
        platform.stop_server("niels")
        asked.result()
    assert ask(platform, "niels", profile="small").ok
    assert "/stuck/" not in interpreter(platform, "niels")
    assert platform.environment("niels")["MEM_LIMIT"] == str(2 * 2**30)
    platform.stop_server("niels")
    assert ask(platform, "niels", profile="other").ok
    assert interpreter(platform, "niels") == str(platform.directory / "other/bin/python")
    assert "MEM_LIMIT" not in platform.environment("niels")


def test_a_user_who_may_take_none_is_told_why(platform: Hub, directory: Any) -> None:
    config = 'c.SpawnerAdapter.profiles = [{"name": "gpu", "groups": ["gpu-users"]}]'
    hub = Hub(directory, config)
    try:
        hub.start()
        answer = hub.login("ada").get(f"{hub.url}hub/spawn", timeout=SECONDS)
        assert answer.status_code == 403
        assert "No profile is for ada" in answer.text
        assert "No profile is for ada" in ask(hub, "ada").json()["message"]
        assert hub.server("ada") is None
    finally:
        hub.end()
