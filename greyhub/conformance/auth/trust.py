"""AUTH-027 to 029: what the adapter believes, waits for, and remembers."""

from __future__ import annotations

import threading
import time

from greyhub.conformance.auth.case import AuthCase
from greyhub.conformance.auth.weigh import weigh
from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.means.hurry import hurried
from greyhub.conformance.means.provider import LIES

SIGNED = ("none", "HS256", "foreign")
"""Lies that only a signature shows."""

PACE, WAIT = 20, 60
"""How much faster the hub's clock runs, and how long by that clock a login may wait."""

HELD = 0.5
"""Seconds that the hub's loop may be held."""

ATTEMPTS, KEPT = 120, 45
"""Logins that fail, and how many of them may be remembered."""


@clause(
    "AUTH-027",
    MUST,
    needs="oauth2 id_token",
    guards="secrets",
    seen="ltiauthenticator#134 https://github.com/jupyterhub/ltiauthenticator/pull/134",
)
def false_id_tokens(case: AuthCase) -> None:
    """An ID token for another client, of another issuer, out of date, or falsely signed is refused.

    Signatures need no check where the token came from the token endpoint over TLS:
    then those lies are not told. After the provider has changed its keys, logins
    should work without a restart.
    """
    hub = case.hub(allow_all=True)
    ada = case.person("ada")
    for lie, what in LIES.items():
        if case.suite.tls and lie in SIGNED:
            continue
        case.did(f"a login where {what}")
        with case.provider.lying(lie):
            case.keep_out(hub, ada, f"{what}, and ada came in")
    case.let_in(hub, ada)
    case.did("the provider signs with another key from now on")
    case.provider.rotate()
    visitor = case.browser(hub, ada)
    visitor.login()
    case.advise(visitor.who() is not None, "logins fail after the provider has rotated its keys")


@clause("AUTH-028", MUST, needs="remote", hooks="account outage")
def a_backend_that_hangs(case: AuthCase) -> None:
    """A backend that does not answer holds up one login for a time, and the hub not at all.

    The hub's clock runs 20 times as fast meanwhile: a login may wait 60 seconds by
    it. Others are served, and the event loop is never held for half a second.
    """
    hub = case.hub(allow_all=True)
    ada, bob = case.person("ada"), case.person("bob")
    watcher = case.browser(hub, bob)
    visitor = case.browser(hub, ada)
    last = visitor.consent(visitor.begin()) if case.claims("oauth2") else ""
    if not last:
        case.form(hub, ada)
    ended = threading.Event()

    def wait() -> None:
        try:
            visitor.come_back(last) if last else visitor.login()
        finally:
            ended.set()

    case.did("the backend hangs, and ada logs in")
    with case.outage("hang"), hub.lag.watching() as held, hurried(hub, PACE):
        threading.Thread(target=wait, name="ada", daemon=True).start()
        deadline = time.monotonic() + WAIT / PACE * case.patience
        while not ended.wait(0.1) and time.monotonic() < deadline:
            status = watcher.get("/hub/health").status_code
            case.require(status == 200, f"meanwhile the hub answered others {status}")
        case.require(ended.is_set(), f"the login still waits, after {WAIT} s of the hub's clock")
    case.require(held.seconds < HELD * case.patience, f"the event loop was held for {held}")
    case.require(visitor.who() is None, "the backend told nothing, and ada came in")


@clause(
    "AUTH-029",
    MUST,
    hooks="account",
    seen="CVE-2026-34052: nonces were kept before the signature was looked at "
    "https://nvd.nist.gov/vuln/detail/CVE-2026-34052",
)
def failures_are_forgotten(case: AuthCase) -> None:
    """Logins that fail are not remembered without a bound.

    120 fail, each with words of its own, and what the adapter, its classes and
    their modules hold is counted before and after.
    """
    hub = case.hub()
    eve = case.person("eve")
    visitor = case.browser(hub, eve)
    form = {} if case.claims("oauth2") else case.form(hub, eve)
    visitor.get("/hub/login")

    def fail(number: int) -> None:
        word = f"nobody{number:05}"
        if case.claims("oauth2"):
            visitor.get("/hub/oauth_callback", params={"code": word, "state": word})
        else:
            visitor.post("/hub/login", {**dict.fromkeys(form, word)})

    def weight() -> int:
        return int(hub.run(lambda: weigh(case.authenticator(hub))))

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
