"""AUTH-020 to 026: the OAuth redirects: state, PKCE, codes, errors and redirect targets."""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from greyhub.conformance.auth.case import AuthCase
from greyhub.conformance.auth.login import UserBrowser, query_of
from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.record import shorten
from greyhub.conformance.testkit.browser import destination

UNRESERVED = re.compile(r"[A-Za-z0-9._~-]{43,128}")

SAMPLES, BITS = 32, 90
"""States that are compared, and the bits of chance that they must show."""

ELSEWHERE = (
    "//evil.example/hub/home",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "http:evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "\n//evil.example",
    "//127.0.0.1@evil.example/",
)
"""Where a login must not lead to."""

MARK = "<script>alert(1)</script>"


@clause("AUTH-020", MUST, needs="oauth2", guards="secrets")
def state_is_this_browsers(case: AuthCase) -> None:
    """Who comes back from the provider without the state that this browser was given is refused.

    A state that is missing, empty, garbage, not ASCII, base64 of what is no
    object, or another browser's: the hub answers with an error and no session.

    Seen: oauthenticator#78 https://github.com/jupyterhub/oauthenticator/pull/78
    """
    hub, ada = case.open_hub()
    other = case.browser(hub, ada)
    others = query_of(other.begin())["state"]
    no_objects: tuple[Any, ...] = ([1], "text", None, {}, 7)
    coded = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in no_objects]
    for state in (None, "", "garbage", "ünïcödé", *coded, others):
        browser = case.browser(hub, ada)
        url = browser.consent(browser.begin())
        case.did(f"ada comes back with the state {shorten(state)}")
        _refused(case, browser, _with(url, state=state), f"the state {shorten(state)}")
    victim = case.browser(hub, ada)
    case.did("a browser that has begun no login comes back with the address of another")
    _refused(case, victim, other.consent(other.begin()), "a state that another browser was given")


@clause("AUTH-021", MUST, needs="oauth2", guards="secrets")
def state_cannot_be_guessed(case: AuthCase) -> None:
    """State is unpredictable, good once, and forgotten within a day.

    32 states are compared, place by place: together they must show 90 bits of
    chance, as a random UUID (122) does. A state that was used is used again, with a
    fresh code.
    """
    hub, ada = case.open_hub()
    browser = case.browser(hub, ada)
    states = [query_of(browser.begin()).get("state", "") for _ in range(SAMPLES)]
    bits = sum(math.log2(len(set(place))) for place in zip(*states, strict=False))
    case.require(len(set(states)) == SAMPLES, "two logins were given one state")
    case.require(bits >= BITS, f"{SAMPLES} states show {bits:.0f} bits of chance: {states[:2]}")
    for cookie in browser.kept(longer=86400 + 60):
        case.fail(f"the cookie {cookie} is kept for more than a day")
    browser = case.browser(hub, ada)
    asked = browser.begin()
    answer = browser.come_back(browser.consent(asked))
    case.require(browser.who() is not None, f"ada did not come in: {answer.status_code}")
    case.did("the same state comes back with a fresh code")
    again = browser.come_back(browser.consent(asked))
    case.require(again.status_code >= 400, f"a state was good twice: {again.status_code}")


@clause("AUTH-022", MUST, needs="oauth2", guards="secrets")
def codes_are_bound_to_a_verifier(case: AuthCase) -> None:
    """Each login has a PKCE verifier of its own, which only the token endpoint is told.

    43 to 128 characters, announced to the provider by its S256 challenge, and in
    no address that the browser sees.

    Seen: RFC 9700, 2.1.1 https://www.rfc-editor.org/rfc/rfc9700
    """
    hub, ada = case.open_hub()
    verifiers = []
    for _ in range(2):
        browser = case.browser(hub, ada)
        there = browser.begin()
        back = browser.consent(there)
        browser.come_back(back)
        query = query_of(there)
        case.require(query.get("code_challenge"), "the provider was told no code_challenge")
        case.equal(query.get("code_challenge_method"), "S256", "the code_challenge_method is")
        asked = case.provider.asked("token")
        verifier = asked[-1].form.get("code_verifier", "") if asked else ""
        case.require(
            UNRESERVED.fullmatch(verifier), f"the verifier has {len(verifier)} characters: {asked}"
        )
        case.require(browser.who() is not None, "ada did not come in")
        shown = f"{there} {back}"
        decoded = [_unpacked(value) for value in {**query, **query_of(back)}.values()]
        case.require(
            not any(verifier in text for text in (shown, *decoded)),
            "the verifier stands in an address that the browser sees",
        )
        verifiers.append(verifier)
    case.require(len(set(verifiers)) == 2, "two logins had one verifier")


@clause("AUTH-023", MUST, needs="oauth2", guards="secrets")
def one_address_to_come_back_to(case: AuthCase) -> None:
    """The redirect_uri is the one that is configured, whatever host a request names, both times."""
    hub = case.hub(allow_all=True)
    callback = f"{hub.url}/hub/oauth_callback"
    ada = case.person("ada")
    forged = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "443",
        "Forwarded": "host=evil.example;proto=https",
    }
    case.did(f"a login begins, with the headers {', '.join(forged)}")
    said = query_of(case.browser(hub, ada).begin(headers=forged)).get("redirect_uri")
    case.require(said == callback, f"the provider was told to send the browser to {said}")
    browser = case.browser(hub, ada)
    there = browser.begin()
    back = browser.consent(there)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    case.did("the browser comes back, with the same headers")
    browser.come_back(back, headers={**forged, "Cookie": cookies})
    for asked in case.provider.asked("token"):
        told = asked.form.get("redirect_uri")
        case.require(told == callback, f"the token endpoint was told the redirect_uri {told}")
    legs = [query_of(there).get("redirect_uri")]
    case.let_in(hub, ada)
    legs += [each.form.get("redirect_uri") for each in case.provider.asked("token")[-1:]]
    case.require(legs == [callback, callback], f"the redirect_uri was {legs}, not {callback}")


@clause("AUTH-024", MUST, hooks="account")
def next_stays_here(case: AuthCase) -> None:
    r"""After a login the browser stays at this hub, whatever `next` says.

    Locations are read as browsers read them: ``//host``, ``/\host``,
    ``https:host``, tabs and newlines inside. A path of this hub is kept.

    Seen: CVE-2019-10255 https://nvd.nist.gov/vuln/detail/CVE-2019-10255
    Seen: CVE-2026-33709 https://nvd.nist.gov/vuln/detail/CVE-2026-33709
    """
    hub, ada = case.open_hub()
    for target in ("/hub/token", *ELSEWHERE, f"{hub.url}@evil.example/"):
        browser = case.browser(hub, ada)
        answer = browser.login(target)
        location = answer.headers.get("Location", "")
        case.said(f"with next={target!r} the hub leads to {location!r}")
        if target == "/hub/token":
            kept = urlsplit(location).path == target
            case.require(kept, f"next={target} led to {location!r}")
            continue
        there = destination(f"{hub.url}/hub/login", location)
        case.require(there == hub.url, f"next={target!r} led the browser to {there}")


@clause("AUTH-025", MUST, needs="oauth2")
def the_provider_fails(case: AuthCase) -> None:
    """When the provider refuses, fails or answers nonsense, there is an error page and no session.

    The page shows no secret and no markup of the provider's, and the next login
    works as soon as the provider does. An endpoint that is not asked is not judged.
    """
    hub, ada = case.open_hub()
    before = set(case.rows(hub))
    browser = case.browser(hub, ada)
    url = browser.consent(browser.begin())
    case.did("the provider sends the browser back with an error")
    refusal = _with(url, code=None, error="access_denied", error_description=MARK)
    answer = browser.come_back(refusal)
    _is_error_page(case, browser, answer.status_code, answer.text, "the provider's refusal")
    for endpoint in ("token", "userinfo", "jwks"):
        for kind in ("error", "rejected", "nonsense", "empty"):
            with case.provider.fault(endpoint, kind) as fault:
                case.did(f"the {endpoint} endpoint: {kind}")
                browser = case.browser(hub, ada)
                answer = browser.login()
            if not fault.hit.is_set():
                before |= case.named(ada)
                break
            what = f"{endpoint}: {kind}"
            _is_error_page(case, browser, answer.status_code, answer.text, what)
            case.kept_out(hub, browser, before, what)
    case.let_in(hub, ada, "the provider works again, and ada did not come in")


@clause("AUTH-026", MUST, needs="oauth2", guards="secrets")
def a_code_works_once(case: AuthCase) -> None:
    """A code that was used is good for nothing: not again, nor in another browser."""
    hub, ada = case.open_hub()
    first = case.browser(hub, ada)
    back = first.consent(first.begin())
    first.come_back(back)
    case.require(first.who() is not None, "ada did not come in")
    thief = case.browser(hub, case.person("eve"))
    case.did("eve begins a login, and comes back with ada's used code")
    fresh = thief.consent(thief.begin())
    _refused(case, thief, _with(fresh, code=query_of(back)["code"]), "a used code")
    case.did("ada logs out, and opens the address with the used code again")
    first.get("/hub/logout")
    if first.who() is None:  # whether a logout is one is AUTH-050's matter
        _refused(case, first, back, "an address with a used code")


def _refused(case: AuthCase, browser: UserBrowser, url: str, what: str) -> None:
    answer = browser.come_back(url)
    came = browser.who()
    case.require(came is None, f"{what} was accepted: the browser has a session")
    case.require(answer.status_code >= 400, f"{what} was answered with {answer.status_code}")


def _is_error_page(case: AuthCase, browser: UserBrowser, status: int, text: str, what: str) -> None:
    case.require(browser.who() is None, f"{what}: the browser has a session")
    case.require(status >= 400, f"{what}: the hub answered {status}")
    case.require("<script>alert" not in text, f"{what}: the page holds the provider's markup")
    shown = [secret for secret in case.provider.secrets() if secret in text]
    case.require(not shown, f"{what}: the page shows {shorten(shown)}")


def _with(url: str, **changes: str | None) -> str:
    """An address with other parameters; None leaves one out."""
    query = {**query_of(url), **changes}
    kept = {name: value for name, value in query.items() if value is not None}
    return urlsplit(url)._replace(query=urlencode(kept)).geturl()


def _unpacked(value: str) -> str:
    """What is written in base64, if it is."""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("utf-8", "replace")
    except ValueError:
        return ""
