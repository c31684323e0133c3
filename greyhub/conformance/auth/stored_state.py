"""AUTH-030 to 034: what is stored of a login (auth_state), and where secrets must not be."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

from greyhub.conformance.auth.case import MANY_GROUPS, AuthCase
from greyhub.conformance.auth.login import UserBrowser
from greyhub.conformance.case import Broken
from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.record import shorten
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.provider import Person
from greyhub.conformance.testkit.secret_search import contains_secret

STATE = ("users", "encrypted_auth_state")


@clause("AUTH-030", MUST, hooks="account", guards="secrets")
def secrets_are_encrypted(case: AuthCase) -> None:
    """With auth_state what a login brings is encrypted in the hub's database.

    No token, no code and nothing that the user typed as a secret stands in any
    column as it is, or in base64; no token in a file beside the database either.
    """
    hub, ada, browser = case.logged_in(enable_auth_state=True)
    if case.claims("refresh"):
        case.refresh(browser)
    _visit_server(case, hub, ada)
    _nothing_in_the_clear(case, hub, ada)


@clause("AUTH-031", MUST, hooks="account", guards="secrets")
def nothing_is_kept_unasked(case: AuthCase) -> None:
    """Without enable_auth_state nothing of a login is kept: no auth_state, no secret elsewhere.

    Not at the login, nor when a server starts, nor at the next refresh.
    """
    hub, ada, browser = case.logged_in(enable_auth_state=False)
    if case.claims("refresh"):
        case.refresh(browser)
    _visit_server(case, hub, ada)
    kept = [value for place, value in _cells(hub) if place == STATE and value is not None]
    case.require(not kept, "auth_state is off, and was stored")
    _nothing_in_the_clear(case, hub, ada)


@clause("AUTH-032", MUST, hooks="account", guards="secrets")
def secrets_stay_out_of_logs(case: AuthCase) -> None:
    """No client secret, code, token or password is in a log line at any level, or on an error page.

    Whether a login works, is refused, or meets a provider that fails, forgets the
    access token or lies; and whether a refresh works, fails or is refused.
    """
    hub = case.hub(allow_all=True, enable_auth_state=True)
    ada = case.person("ada", **({"groups": MANY_GROUPS} if case.claims("overage") else {}))
    browser = case.let_in(hub, ada)
    _visit_server(case, hub, ada)
    told: list[tuple[str, str]] = []
    if case.claims("refresh"):
        _refreshes(case, browser, ada)
    browser.get("/hub/logout")
    if case.claims("oauth2"):
        hidden = _failed_exchanges(case, hub, ada, told)
    else:
        hidden = case.secrets(hub, ada)
        wrong = f"wrong-{secrets.token_hex(8)}"
        form = case.form(hub, ada)
        typed = {name: wrong for name in form if name != case.suite.name_claim}
        hidden += [wrong] if typed else []
        case.did("ada logs in with a wrong secret")
        told.append(("a wrong secret", browser.send({**form, **typed}).text))
    for secret in hidden:
        # Traitlets itself writes the whole configuration there, where that is wanted.
        lines = [
            line
            for line in case.log.lines
            if contains_secret(line, secret) and "Config changed:" not in line
        ]
        case.require(not lines, f"a secret was logged: {_masked(lines, hidden)}")
        for what, page in told:
            case.require(
                not contains_secret(page, secret), f"{what}: the page of the error shows a secret"
            )


@clause("AUTH-033", MUST, guards="secrets")
def no_key_no_start(case: AuthCase) -> None:
    """With auth_state and without a key to encrypt it by, the hub does not start, and says why."""
    case.crypt_keys("")
    hub = case.make_hub(allow_all=True, enable_auth_state=True)
    try:
        hub.start()
    except Exception as error:
        case.said(f"the hub did not start: {shorten(error)}")
        told = [str(error), *case.log.lines]
        clear = any("auth_state" in line or "crypt" in line.lower() for line in told)
        case.require(clear, f"the hub does not start, and does not say why: {shorten(error)}")
        return
    case.fail("the hub started with auth_state on, and no key to encrypt it by")


@clause("AUTH-034", SHOULD, hooks="account")
def keys_rotate(case: AuthCase) -> None:
    """After a key is put before the old one, what was stored by the old one is still read."""
    word = secrets.token_hex(8)

    def add_word(authenticator: Any, handler: Any, model: dict[str, Any]) -> dict[str, Any]:
        return {**model, "auth_state": {**(model.get("auth_state") or {}), "conformance": word}}

    old, new = secrets.token_hex(32), secrets.token_hex(32)
    case.crypt_keys(old)
    hub, ada = case.open_hub(enable_auth_state=True, post_auth_hook=add_word)
    case.let_in(hub, ada)
    hub.stop()
    case.did("the hub starts again, with a new key before the old one")
    case.crypt_keys(f"{new};{old}")
    case.call("a hub that starts again", hub.start)
    user = case.name(ada)
    state = hub.run(lambda: hub.app.users[user].get_auth_state()) or {}
    case.require(state.get("conformance") == word, "what the old key has encrypted is lost")


def _refreshes(case: AuthCase, browser: UserBrowser, person: Person) -> None:
    """Let refreshes succeed, fail and be refused, as far as the backend can."""
    case.refresh(browser)
    if case.suite.has("outage"):
        with case.outage("error"):
            case.refresh(browser)
    if case.claims("oauth2"):
        case.did(f"the provider revokes {person.name}'s tokens")
        case.provider.revoke(person)
        case.refresh(browser)


def _failed_exchanges(
    case: AuthCase, hub: Hub, ada: Person, told: list[tuple[str, str]]
) -> list[str]:
    """Let logins fail in all ways; the secrets that were at stake."""

    def note(what: str, browser: UserBrowser, url: str) -> None:
        told.append((what, browser.come_back(url).text))

    for endpoint, kind in (
        ("token", "rejected"),
        ("token", "bare"),
        ("token", "nonsense"),
        ("token", "error"),
        ("userinfo", "rejected"),
        ("userinfo", "error"),
        ("userinfo", "nonsense"),
        ("jwks", "error"),
    ):
        browser = case.browser(hub, ada)
        back = browser.consent(browser.begin())
        case.did(f"the {endpoint} endpoint: {kind}")
        with case.provider.fault(endpoint, kind):
            note(f"{endpoint}: {kind}", browser, back)
    browser = case.browser(hub, ada)
    back = browser.consent(browser.begin())
    note("a state of another browser", case.browser(hub, ada), back)
    note("a state that was changed", browser, f"{back}x")
    for facts in (
        {"without": (case.suite.name_claim,)},
        {"claims": {case.suite.name_claim: "a/b"}},
    ):
        browser = case.browser(hub, case.change(ada, **facts))
        note("a name that is none", browser, browser.consent(browser.begin()))
    if case.claims("id_token"):
        browser = case.browser(hub, case.change(ada))
        with case.provider.lying("exp"):
            note("an old ID token", browser, browser.consent(browser.begin()))
    return case.provider.secrets()


def _visit_server(case: AuthCase, hub: Hub, person: Person) -> None:
    """Start a person's server and stop it, as much as the adapter lets."""
    path = f"/users/{case.name(person)}"
    case.did(f"{person.name}'s server starts, and stops")

    def still() -> bool:
        return not hub.api("GET", path).json()["pending"]

    hub.api("POST", f"{path}/server")
    # Or the start would be cancelled before the adapter had its turn.
    case.until(still, 6, "the server was still pending")
    hub.api("DELETE", f"{path}/server")
    with suppress(Broken):  # a stop that never ends is AUTH-053's matter
        case.until(still, 3, "the server was still stopping")


def _cells(hub: Hub) -> Iterator[tuple[tuple[str, str], Any]]:
    """Every value in the hub's database: its table and column, and itself."""
    path = hub.directory / "jupyterhub.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        tables = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            rows = base.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            columns = [column[0] for column in rows.description]
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    yield (table, column), value


def _nothing_in_the_clear(case: AuthCase, hub: Hub, person: Person) -> None:
    hidden = case.secrets(hub, person)
    cells = [(place, _text(value)) for place, value in _cells(hub)]
    known = case.name(person)
    assert any(text == known for _, text in cells), "the database is not the hub's"
    for (table, column), text in cells:
        for secret in hidden:
            case.require(not contains_secret(text, secret), f"a secret stands in {table}.{column}")
    if case.claims("oauth2"):
        tokens = [token for each in case.provider.grants for token in (each.access, each.refresh)]
        for path in sorted(hub.directory.rglob("*")):
            text = path.read_text("latin-1") if path.is_file() else ""
            name = path.relative_to(hub.directory)
            case.require(
                not any(contains_secret(text, each) for each in tokens), f"a token stands in {name}"
            )


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _masked(lines: list[str], secrets: list[str]) -> str:
    line = lines[0] if lines else ""
    for secret in filter(None, secrets):
        line = line.replace(secret, "[a secret]")
    return shorten(line)
