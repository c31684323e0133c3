"""AUTH-027 to 029: forged ID tokens, a slow provider, and memory over many logins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from greyhub.conformance.auth.case import AuthCase
from greyhub.conformance.auth.login import UserBrowser, query_of
from greyhub.conformance.auth.memory_growth import count_objects
from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.testkit.fast_clock import fast_clock
from greyhub.conformance.testkit.provider import LIES

SIGNED = ("none", "HS256", "foreign")
"""Lies that only a signature shows."""

PACE, WAIT = 20, 60
"""How much faster the hub's clock runs, and how long by that clock a login may wait."""

HELD = 0.5
"""Seconds that the hub's loop may be held."""

ATTEMPTS, KEPT = 120, 45
"""Logins that fail, and how many of them may be remembered."""


@clause("AUTH-027", MUST, needs="oauth2 id_token", guards="secrets")
def false_id_tokens(case: AuthCase) -> None:
    """An ID token for another client, of another issuer, out of date, or falsely signed is refused.

    Signatures need no check where the token came from the token endpoint over TLS:
    then those lies are not told. After the provider has changed its keys, logins
    should work without a restart.

    Seen: ltiauthenticator#134 https://github.com/jupyterhub/ltiauthenticator/pull/134
    """
    hub, ada = case.open_hub()
    for lie, what in LIES.items():
        if case.suite.tls and lie in SIGNED:
            continue
        case.did(f"a login where {what}")
        with case.provider.lying(lie):
            case.keep_out(hub, ada, f"{what}, and ada came in")
    case.let_in(hub, ada)
    case.did("the provider signs with another key from now on")
    case.provider.rotate()
    browser = case.browser(hub, ada)
    browser.login()
    case.advise(browser.who() is not None, "logins fail after the provider has rotated its keys")


@clause("AUTH-028", MUST, needs="remote", hooks="account outage")
def a_backend_that_hangs(case: AuthCase) -> None:
    """A backend that does not answer holds up one login for a time, and the hub not at all.

    The hub's clock runs 20 times as fast meanwhile: a login may wait 60 seconds by
    it. Others are served, and the event loop is never held for half a second. Where
    it is a provider, a second login has its tokens, and waits for whatever else is asked.
    """
    hub = case.hub(allow_all=True)
    ada, bob, grace = case.person("ada"), case.person("bob"), case.person("grace")
    watcher = case.browser(hub, bob)
    people = (ada, grace) if case.claims("oauth2") else (ada,)
    visitors = [case.browser(hub, person) for person in people]

    def begun(browser: UserBrowser) -> threading.Thread:
        """All of a login but what asks the backend, which the thread does."""
        asks: Callable[[], Any] = browser.login
        if case.claims("oauth2"):
            asks = partial(browser.come_back, browser.consent(browser.begin()))
        else:
            case.form(hub, browser.person)
        return threading.Thread(target=asks, name=browser.person.name, daemon=True)

    waiting = [begun(browser) for browser in visitors]
    with ExitStack() as stack:
        held = stack.enter_context(hub.lag.watching())
        if case.claims("oauth2"):
            # Of two faults at one endpoint the first is used up first.
            token = stack.enter_context(case.provider.fault("token", "hang", times=1))
            for endpoint in ("userinfo", "jwks"):
                stack.enter_context(case.provider.fault(endpoint, "hang"))
            case.did("the token endpoint hangs, and ada logs in; all others, and grace does")
        else:
            stack.enter_context(case.outage("hang"))
            case.did("the backend hangs, and ada logs in")
        stack.enter_context(fast_clock(hub, PACE))
        waiting[0].start()
        if len(waiting) > 1:
            token.hit.wait(3 * case.patience)
            waiting[1].start()
        deadline = time.monotonic() + WAIT / PACE * case.patience
        while any(each.is_alive() for each in waiting) and time.monotonic() < deadline:
            status = watcher.get("/hub/health").status_code
            case.require(status == 200, f"meanwhile the hub answered others {status}")
            time.sleep(0.1)
        late = [each.name for each in waiting if each.is_alive()]
        case.require(not late, f"the login of {late} still waits, after {WAIT} s of its clock")
    case.within(held.seconds, HELD, f"the event loop was held for {held}:")
    case.require(visitors[0].who() is None, "the backend told nothing, and ada came in")


@clause("AUTH-029", MUST, hooks="account")
def failures_are_forgotten(case: AuthCase) -> None:
    """Logins that fail are not remembered without a bound.

    120 fail, each with words of its own, most of them with a state that is good, and
    what the adapter, its classes and their modules hold is counted before and after.

    Seen: CVE-2026-34052: nonces were kept before the signature was looked at
      https://nvd.nist.gov/vuln/detail/CVE-2026-34052
    """
    hub = case.hub()
    eve = case.person("eve")
    browser = case.browser(hub, eve)
    form = {} if case.claims("oauth2") else case.form(hub, eve)
    browser.get("/hub/login")

    def fail(number: int) -> None:
        word = f"nobody{number:05}"
        if case.claims("oauth2"):
            state = query_of(browser.begin()).get("state", word) if number % 3 else word
            browser.get("/hub/oauth_callback", params={"code": word, "state": state})
        else:
            browser.post("/hub/login", {**dict.fromkeys(form, word)})

    def weight() -> int:
        return int(hub.run(lambda: count_objects(case.authenticator(hub))))

    began = time.monotonic()
    for number in range(30):
        fail(number)
    before = weight()
    done = 30
    # A hash of passwords is slow on purpose: the time counts, too.
    while done < ATTEMPTS and time.monotonic() < began + 3.0 * case.patience:
        fail(done)
        done += 1
    case.did(f"{done} logins fail")
    grown = weight() - before
    case.saw(f"the adapter holds {grown} things more after {done - 30} failures")
    bound = min(KEPT, (done - 30) // 2)
    case.require(grown <= bound, f"{done - 30} failed logins left {grown} things in memory")
