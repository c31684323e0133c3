"""AUTH-050 to 054: sessions, from login to logout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jupyterhub.utils import maybe_future

from greyhub.conformance.auth.case import AuthCase
from greyhub.conformance.auth.noop_spawner import failing, running
from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.testkit.hub import Hub

WRITES = ("POST", "PUT", "PATCH", "DELETE")


@clause("AUTH-050", MUST, hooks="account", guards="secrets")
def logout_ends_the_session(case: AuthCase) -> None:
    """After a logout the browser is nobody's, until the next login.

    A copy of the cookie, taken before, should be worthless too: the hub's own
    logout clears the browser's cookies, and forgets nothing itself.

    Seen: GHSA-cw7p-q79f-m2v7 https://github.com/advisories/GHSA-cw7p-q79f-m2v7
    """
    hub, ada, browser = case.logged_in()
    copied = browser.cookies
    case.did("ada logs out")
    browser.get("/hub/logout")
    case.require(browser.who() is None, "ada has logged out, and her browser is still let in")
    home = browser.get("/hub/home")
    case.require(home.is_redirect, f"ada has logged out, and /hub/home answers {home.status_code}")
    thief = case.browser(hub, ada)
    thief.take(copied)
    case.advise(thief.who() is None, "a copy of the cookie lets in after the logout")
    case.let_in(hub, ada, "ada did not come in again after a logout")


@clause("AUTH-051", MUST, hooks="account")
def two_tabs(case: AuthCase) -> None:
    """A login begun in two tabs works in the second, and should in the first as well.

    Seen: jupyterhub#1438 https://github.com/jupyterhub/jupyterhub/issues/1438
    """
    hub, ada = case.open_hub()
    browser = case.browser(hub, ada)
    case.did("ada begins a login in two tabs, and ends that of the second, then of the first")
    if case.claims("oauth2"):
        first, second = (browser.consent(browser.begin()) for _ in range(2))
        answer = browser.come_back(second)
        came = browser.who()
        late = browser.come_back(first).status_code < 400
    else:
        form = case.form(hub, ada)
        browser.get("/hub/login")
        token = browser.cookies.get("_xsrf", "")
        answer = browser.send(form)
        came = browser.who()
        browser.post("/hub/login", {**form, "_xsrf": token}, xsrf=False)
        # The first tab's form is out of date, as the hub's own pages are: its user
        # is in, and a reload shows it.
        late = browser.who() is not None
    case.require(came is not None, f"the second tab's login failed: {answer.status_code}")
    case.advise(late, "the first tab's login failed")


@clause("AUTH-052", SHOULD, needs="slo", hooks="account")
def logout_leads_to_the_provider(case: AuthCase) -> None:
    """A logout leads to the address that is configured, whatever the request says."""
    there = case.provider.names["logout"] if case.claims("oauth2") else "https://idp.example/out"
    hub, ada = case.open_hub(**{case.suite.logout_option: there})
    names = ("next", "redirect", "redirect_uri", "post_logout_redirect_uri", "returnTo")
    for query in ({}, dict.fromkeys(names, "https://evil.example/")):
        browser = case.let_in(hub, ada)
        case.did(f"ada logs out, with {', '.join(query) or 'no parameters'}")
        answer = browser.get("/hub/logout", params=query)
        location = answer.headers.get("Location", "")
        case.require(location.startswith(there), f"the logout leads to {location!r}, not {there}")
        case.require("evil.example" not in location, f"the logout leads on to {location!r}")
        case.require(browser.who() is None, "ada has logged out, and her browser is still let in")


@clause("AUTH-053", MUST, hooks="account")
def hooks_that_raise(case: AuthCase) -> None:
    """When pre_spawn_start() or post_spawn_stop() raises no server is left, nor anything open.

    The suite raises after each of them has had its turn, and lets a start fail.
    The next start works. What the first opens (with ``sessions``) is closed.
    """
    hub, ada = case.open_hub()
    case.let_in(hub, ada)
    path = f"/users/{case.name(ada)}/server"

    def pending() -> bool:
        return bool(hub.api("GET", f"/users/{case.name(ada)}").json()["pending"])

    def nothing_left(when: str) -> None:
        case.until(lambda: not pending(), 3, f"{when}: the server was pending")
        case.until(lambda: not running(hub.url), 3, f"{when}: the server was not gone")
        if case.claims("sessions"):
            case.until(lambda: not case.hook("sessions"), 3, f"{when}: something was left open")

    def start() -> None:
        case.until(lambda: not pending(), 3, "a server was still pending")
        status = hub.api("POST", path, timeout=6 * case.patience).status_code
        case.saw(f"the start answered {status}")

    def stop() -> None:
        case.until(lambda: running(hub.url) and not pending(), 3, "the next start did not work")
        hub.api("DELETE", path, timeout=6 * case.patience)

    with _raising(case, hub, "pre_spawn_start"):
        start()
        nothing_left("pre_spawn_start() raised")
    with failing(hub.url):
        start()
        nothing_left("the start failed")
    start()
    with _raising(case, hub, "post_spawn_stop"):
        stop()
        nothing_left("post_spawn_stop() raised")
    start()
    stop()
    nothing_left("the server was stopped")


@clause("AUTH-054", MUST, hooks="account")
def forms_of_other_sites(case: AuthCase) -> None:
    """What another site makes a browser send, without the hub's XSRF token, is refused with 403.

    At every address of the adapter's own and at the login form, with a session
    and without, even with the right secret.

    Seen: CVE-2026-40864 https://nvd.nist.gov/vuln/detail/CVE-2026-40864
    """
    hub, ada, browser = case.logged_in()
    stranger = case.browser(hub, ada)
    form = {} if case.claims("oauth2") else case.form(hub, ada)
    for path, methods in _addresses(case, hub):
        for method in methods:
            for sender in (stranger, browser):
                if sender is stranger:
                    sender.get("/hub/login")
                answer = sender.ask(method, path, data={**form, "username": case.name(ada)})
                case.did(f"{method} {path} without a token: {answer.status_code}")
                case.require(
                    answer.status_code in (403, 405), f"{method} {path} answered without a token"
                )
    case.require(stranger.who() is None, "a form without a token has logged somebody in")


def _addresses(case: AuthCase, hub: Hub) -> Iterator[tuple[str, list[str]]]:
    """The adapter's own addresses, and the methods that change something there."""
    specs = hub.run(lambda: case.authenticator(hub).get_handlers(hub.app))
    found: dict[str, list[str]] = {"/hub/login": ["POST"]}
    for pattern, handler, *_ in specs:
        path = re.sub(r"\([^)]*\)", "ada", pattern).strip("^$")
        own = [method for method in WRITES if _writes(handler, method)]
        found.setdefault(f"/hub{path}", own)
    yield from found.items()


def _writes(handler: type, method: str) -> bool:
    from tornado.web import RequestHandler

    name = method.lower()
    return getattr(handler, name, None) is not getattr(RequestHandler, name)


@contextmanager
def _raising(case: AuthCase, hub: Hub, name: str) -> Iterator[None]:
    """Let a method of the hub's authenticator raise after it has had its turn."""
    authenticator = case.authenticator(hub)
    original = getattr(authenticator, name)

    async def method(*args: Any, **kwargs: Any) -> None:
        await maybe_future(original(*args, **kwargs))
        raise RuntimeError(f"the suite lets {name}() raise")

    case.did(f"{name}() raises")
    hub.run(setattr, authenticator, name, method)
    try:
        yield
    finally:
        hub.run(delattr, authenticator, name)
