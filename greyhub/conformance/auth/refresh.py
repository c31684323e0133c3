"""AUTH-040 to 045: refresh_user(): what happens to a session when the backend is asked again."""

from __future__ import annotations

import threading
import time
from typing import Any

from greyhub.conformance.auth.case import MANY_GROUPS, AuthCase
from greyhub.conformance.case import Unproven
from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.record import shorten
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.provider import Person

KEPT: dict[str, Any] = {"enable_auth_state": True}
"""Options with which an adapter has what it needs to ask again."""


@clause("AUTH-040", MUST, needs="refresh", hooks="account close_account")
def refresh_says_what_is(case: AuthCase) -> None:
    """refresh_user() answers True or a model while the login is good, and False when it is not.

    An access token that has expired is replaced by the refresh token, and what is
    stored then is good: also when it has expired in its turn. Who is refused a new
    one has to log in again.

    Seen: oauthenticator#579 https://github.com/jupyterhub/oauthenticator/pull/579
    """
    hub, ada, browser = case.logged_in(**KEPT)
    _still_good(case, case.refresh(browser), "the login is good")
    if case.claims("oauth2"):
        for which in ("first", "second"):
            case.did(f"ada's {which} access token expires")
            case.provider.expire(ada)
            model = case.refresh(browser)
            case.require(
                isinstance(model, dict),
                f"the {which} access token had expired: {shorten(model)}, not a model",
            )
            case.require(browser.who() is not None, "ada's session has ended with her access token")
            kept = _state(case, hub, ada).get("access_token", "")
            case.require(not kept or case.provider.is_good(kept), "the token that is stored is old")
            _still_good(case, case.refresh(browser), "the login is good, by its new token")
        case.did("the provider revokes ada's tokens")
        case.provider.revoke(ada)
    else:
        case.did("ada's account is closed")
        case.hook("close_account", ada)
    _is_over(case, case.refresh(browser), "the backend refuses")
    case.require(browser.who() is None, "ada's login is over, and her session goes on")


@clause("AUTH-041", MUST, needs="refresh", hooks="account outage")
def an_outage_is_not_fresh(case: AuthCase) -> None:
    """While the backend is out of order refresh_user() raises or says False: it never says good."""
    _hub, ada, browser = case.logged_in(**KEPT)

    def ask(what: str) -> None:
        said = case.refresh(browser)
        good = said is False or isinstance(said, Exception)
        case.require(good, f"{what}: refresh_user() = {shorten(said)}")

    for kind in ("error", "unavailable", "nonsense", "reset"):
        with case.outage(kind):
            ask(kind)
    if case.claims("oauth2"):
        case.did("ada's access token expires")
        case.provider.expire(ada)
        for kind in ("unavailable", "nonsense", "reset"):
            with case.provider.fault("token", kind):
                case.did(f"the token endpoint: {kind}")
                ask(f"the access token has expired, the token endpoint: {kind}")


@clause("AUTH-042", MUST, needs="refresh groups", hooks="account")
def groups_are_refreshed(case: AuthCase) -> None:
    """A refresh brings the hub's groups up to date: those gained, and those lost to the last.

    Seen: 2i2c#8154 https://github.com/2i2c-org/infrastructure/issues/8154
    """
    hub = case.hub(allow_all=True, manage_groups=True, **KEPT)
    ada = case.person("ada", groups=("staff",))
    browser = case.let_in(hub, ada)
    for groups in (
        MANY_GROUPS if case.claims("overage") else ("staff",),
        ("staff", "wheel"),
        ("wheel",),
        (),
    ):
        ada = case.change(ada, groups=groups)
        case.refresh(browser)
        have = case.rows(hub)[case.name(ada)]["groups"]
        told = f"ada is in {shorten(groups)}, and in the hub in {shorten(have)}"
        case.require(set(have) == set(groups), told)


@clause("AUTH-043", MUST, needs="refresh", hooks="account close_account")
def who_may_not_come_in_may_not_stay(case: AuthCase) -> None:
    """For a user who would not be let in any more refresh_user() says False.

    One who has lost the group that was allowed, where there are groups; one who is
    blocked; one whose account is closed; and one who is no longer of the domain or tenant that is
    admitted, where there are such: to raise is as good there. The hub itself asks
    check_allowed() at a login only.

    Seen: ldapauthenticator#218 https://github.com/jupyterhub/ldapauthenticator/pull/218
    """
    if case.claims("groups"):
        hub = case.hub("groups", manage_groups=True, allowed_groups={"staff"}, **KEPT)
        ada = case.person("ada", groups=("staff", "guests"))
        browser = case.let_in(hub, ada)
        case.change(ada, groups=("guests",))
        _is_over(case, case.refresh(browser), "ada has lost the group that was allowed")
    hub = case.hub("names", allow_all=True, **KEPT)
    eve = case.person("eve")
    browser = case.let_in(hub, eve)
    case.did("eve is put on the list of blocked users")
    hub.run(lambda: hub.app.authenticator.blocked_users.update(case.named(eve)))
    _is_over(case, case.refresh(browser), "eve is blocked")
    hub = case.hub("accounts", allow_all=True, **KEPT)
    bob = case.person("bob")
    browser = case.let_in(hub, bob)
    case.did("bob's account is closed")
    case.hook("close_account", bob)
    _is_over(case, case.refresh(browser), "bob's account is closed")
    if not case.claims("restricts") or not case.suite.has("restrictions"):
        return
    for each in case.hook("restrictions"):
        if each.deprecated or not each.outside:
            continue
        hub = case.hub("restricted", **{"allow_all": True, **each.options, **KEPT})
        grace = case.change(case.person("grace"), **each.inside)
        browser = case.let_in(hub, grace)
        case.change(grace, **each.outside[0])
        said = case.refresh(browser)
        over = said is False or isinstance(said, Exception)
        case.require(over, f"grace is no longer of {each.word!r}: refresh_user() = {shorten(said)}")
        return


@clause("AUTH-044", MUST, needs="refresh oauth2", hooks="account")
def refresh_keeps_who_it_is(case: AuthCase) -> None:
    """If the backend tells of another subject, or another name, refresh_user() says False.

    The hub keeps the user's name whatever the model says: another's tokens would
    be stored under it.
    """
    hub = case.hub(allow_all=True, **KEPT)
    others = {
        "another person": Person("eve"),
        "somebody else of the same name": Person("ada", subject="somebody-else"),
        "the same person by another name": Person("countess", subject="subject-of-ada"),
    }
    for what, other in others.items():
        ada = case.person("ada")
        browser = case.let_in(hub, ada)
        case.did(f"for ada's token the provider now tells of {what}")
        case.provider.people[ada.subject] = other
        _is_over(case, case.refresh(browser), f"the provider tells of {what}")


@clause("AUTH-045", SHOULD, needs="refresh oauth2", hooks="account")
def one_refresh_at_a_time(case: AuthCase) -> None:
    """Two refreshes at one time use a refresh token, which is good once, once.

    The provider holds the first one's answer until the second has had its time.
    """
    hub, ada, browser = case.logged_in(**KEPT)
    other = case.browser(hub, ada)
    other.take(browser.cookies)
    case.did("ada's access token expires, and two of her tabs ask the hub at one time")
    case.provider.expire(ada)
    case.stale(browser)
    with case.provider.fault("token", "hold") as held:
        tabs = [threading.Thread(target=each.who, daemon=True) for each in (browser, other)]
        for tab in tabs:
            tab.start()
        if not held.hit.wait(3 * case.patience):
            raise Unproven("no refresh token was used: whether two tabs use it once is not seen")
        case.until(lambda: case.record.calling.count("refresh_user()") > 1, 3, "one tab asked")
        deadline = time.monotonic() + 0.3
        while len(_refreshes(case)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    for tab in tabs:
        tab.join(5 * case.patience)
    used = _refreshes(case)
    case.require(len(used) == len(set(used)), f"a refresh token was used {len(used)} times")
    case.require(browser.who() is not None, "ada's session has ended")


def _refreshes(case: AuthCase) -> list[str]:
    asked = case.provider.asked("token")
    return [each.form["refresh_token"] for each in asked if "refresh_token" in each.form]


def _still_good(case: AuthCase, said: object, what: str) -> None:
    good = said is True or isinstance(said, dict)
    case.require(good, f"{what}: refresh_user() = {shorten(said)}")


def _is_over(case: AuthCase, said: object, what: str) -> None:
    case.require(said is False, f"{what}: refresh_user() = {shorten(said)}, not False")


def _state(case: AuthCase, hub: Hub, person: Person) -> dict[str, Any]:
    name = case.name(person)
    return dict(hub.run(lambda: hub.app.users[name].get_auth_state()) or {})
