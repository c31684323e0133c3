"""AUTH-010 to 016: how a name in the backend becomes a user name of the hub."""

from __future__ import annotations

from typing import Any

from jupyterhub.utils import maybe_future

from greyhub.conformance.auth.case import AuthCase
from greyhub.conformance.auth.login import UserBrowser
from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.record import shorten
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.provider import Person

BAD: tuple[Any, ...] = (
    "",
    "   ",
    "a/b",
    "..",
    ".",
    "%2e%2e",
    " root",
    "root ",
    "root\n",
    "../root",
)
"""What must not become a name."""

NO_TEXT: tuple[Any, ...] = (17, 0, True, None, ["root"], {"name": "root"})
"""What a provider can say besides, which is no text."""

LIMIT = 255
"""Characters that a user's name may have in the hub's database."""


@clause("AUTH-010", MUST, hooks="account")
def one_spelling(case: AuthCase) -> None:
    """A name is normalised before it is allowed, mapped or stored: ADA, Ada and ada are one user.

    With a login form, the name in other letters needs the same secret as well.

    Seen: CVE-2021-41194 https://nvd.nist.gov/vuln/detail/CVE-2021-41194
    Seen: multiauthenticator#26 https://github.com/idiap/multiauthenticator/issues/26
    """
    ada, eve = case.person("ada"), case.person("eve")
    mapped = case.name(eve)
    hub = case.hub(allowed_users=case.named(ada) | {"visitor"}, username_map={mapped: "visitor"})
    case.let_in(hub, ada)
    before = set(case.rows(hub))
    for name in ("ADA", "Ada"):
        if case.claims("password"):
            # Before ada herself has come by this spelling: its first use is the danger.
            stranger = _spelled(case, hub, ada, name, secret="a secret of eve's own")  # noqa: S106
            case.kept_out(hub, stranger, before, f"{name} came in with another secret than ada's")
        browser = _spelled(case, hub, ada, name)
        case.require(browser.who() is not None, f"ada is allowed, and as {name} was refused")
        new = set(case.rows(hub)) - before
        case.require(not new, f"{name} is ada, and the hub has a new user {shorten(sorted(new))}")
    browser = case.let_in(hub, eve)
    found = (browser.who() or {}).get("name")
    case.require(found == "visitor", f"username_map makes {mapped} visitor, and the hub {found}")


@clause("AUTH-011", MUST, hooks="account")
def names_that_are_none(case: AuthCase) -> None:
    """What is no name is refused, makes no user, and is never taken for another's.

    Empty ones, paths, dots, written plain or as a URL would, names with space
    around them, and from a provider numbers, lists, objects and null.
    """
    admin = case.person("root", admin=True)
    hub = case.hub(allow_all=True, admin_users=case.named(admin))
    eve = case.person("eve")
    before = set(case.rows(hub))
    # A login form is stripped by the hub itself, before the adapter sees it.
    bad = [each for each in BAD if case.claims("oauth2") or each == each.strip()]
    for name in [*bad, *(NO_TEXT if case.claims("oauth2") else ())]:
        browser = _called(case, hub, eve, name)
        case.kept_out(hub, browser, before, f"{name!r} is no name, and somebody came in")


@clause("AUTH-012", MUST, hooks="account")
def no_name_no_login(case: AuthCase) -> None:
    """Without the claim or field that the name is made from the login is refused.

    Whatever else is known of the person: no other claim takes its place.
    """
    hub = case.hub(allow_all=True)
    eve = case.person("eve")
    before = set(case.rows(hub))
    if case.claims("oauth2"):
        case.keep_out(
            hub,
            case.change(eve, without=(case.suite.name_claim,)),
            f"the provider tells no {case.suite.name_claim}, and somebody came in",
        )
        return
    form = case.form(hub, eve)
    form.pop(case.suite.name_claim)
    browser = case.browser(hub, eve)
    case.did("a form without a name is sent")
    browser.send(form)
    case.kept_out(hub, browser, before, "the form had no name, and somebody came in")


@clause("AUTH-013", MUST, needs="oauth2", hooks="account")
def two_people_are_two(case: AuthCase) -> None:
    """Two subjects of the provider never share a user of the hub, unless username_map says so.

    Of two who come with one name, or with names that differ in their letters'
    case or their e-mail's domain alone, the second is refused or gets another name;
    also after the hub has started again.

    Seen: oauthenticator#168 https://github.com/jupyterhub/oauthenticator/issues/168
    Seen: ltiauthenticator#153 https://github.com/jupyterhub/ltiauthenticator/issues/153
    """
    hub = case.hub(allow_all=True, enable_auth_state=True)
    bob = case.person("bob")
    case.let_in(hub, bob)
    case.did("the hub starts again")
    case.call("a hub that starts again", hub.restart)
    same = {"email_verified": True}
    others: list[dict[str, Any]] = [{"name": "bob", "email": bob.email}, {"name": "Bob"}]
    if case.claims("email_names"):
        others.append({"name": "bob", "email": "bob@elsewhere.example"})
    for number, facts in enumerate(others):
        other = case.person(**{**same, **facts, "subject": f"another-{number}"})
        browser = case.browser(hub, other)
        browser.login()
        came = browser.who()
        case.require(
            came is None or came["name"] != case.name(bob),
            f"{other.name} <{other.email}>, who is somebody else, came in as {case.name(bob)}",
        )


@clause("AUTH-014", SHOULD, hooks="account")
def names_are_bounded(case: AuthCase) -> None:
    """A name of more than 255 characters is refused before it is logged or stored.

    Seen: CVE-2026-54338: names without a bound in the log
      https://nvd.nist.gov/vuln/detail/CVE-2026-54338
    """
    hub = case.hub(allow_all=True)
    for length in (LIMIT + 45, 5000):
        name = "m" * length
        _called(case, hub, case.person("eve"), name)
        longest = max(map(len, case.rows(hub)), default=0)
        case.require(longest <= LIMIT, f"a user with a name of {longest} characters was stored")
        case.require(
            not case.log.holding("m" * (LIMIT + 1)), f"a name of {length} characters was logged"
        )


@clause("AUTH-015", MUST, hooks="account")
def the_pattern_holds(case: AuthCase) -> None:
    """username_pattern and validate_username() are asked for every name, after normalising it.

    The hub matches the pattern from the start of the name, and not to its end.
    """
    ada = case.person("ada")
    pattern = r"[a-z]{3,8}(@[a-z.]+)?$"
    hub = case.hub(allow_all=True, username_pattern=pattern)
    case.let_in(hub, ada)
    case.let_in(hub, case.change(ada, name="Ada"), "Ada is normalised to ada, and was refused")
    for name in ("ad", "ada9", "9ada", "ada-lovelace", "theodora-augusta"):
        case.keep_out(hub, case.person(name), f"{name} is not of the pattern, and came in")


@clause("AUTH-016", MUST, hooks="account")
def users_come_and_go(case: AuthCase) -> None:
    """add_user() and delete_user() keep allowed_users in step, and may be called again.

    With allow_existing_users a user that an admin adds may come in, one that is
    deleted may not, and each start of the hub calls add_user() for every user.
    """
    ada, bob = case.person("ada"), case.person("bob")
    hub = case.hub(allow_existing_users=True)
    for person in (ada, bob):
        case.did(f"an admin adds {person.name}")
        status = hub.api("POST", f"/users/{case.name(person)}").status_code
        case.require(status == 201, f"{person.name} could not be added: {status}")
    case.let_in(hub, ada, "ada was added, and was refused")
    case.did("delete_user() for bob; then an admin deletes him")
    name = case.name(bob)

    async def delete() -> None:
        await maybe_future(case.authenticator(hub).delete_user(hub.app.users[name]))

    case.call("delete_user()", hub.run, delete)
    status = hub.api("DELETE", f"/users/{case.name(bob)}").status_code
    case.require(status == 204, f"bob could not be deleted: {status}")
    case.keep_out(hub, bob, "bob was deleted, and came in")
    case.did("the hub starts again")
    case.call("a hub that starts again", hub.restart)
    failed = case.log.holding("Error adding user")
    case.require(not failed, f"add_user() failed for a user that is there: {shorten(failed[:1])}")
    case.let_in(hub, ada, "ada was refused after a restart")
    case.keep_out(hub, bob, "bob was deleted, and came in after a restart")


def _called(case: AuthCase, hub: Hub, person: Person, name: Any) -> UserBrowser:
    """A person logs in under whatever name."""
    claim = case.suite.name_claim
    browser = case.browser(hub, person)
    if case.claims("oauth2"):
        case.change(person, claims={**person.claims, claim: name})
        browser.login()
    else:
        case.did(f"somebody logs in as {shorten(name)}")
        browser.send({**case.form(hub, person), claim: name})
    return browser


def _spelled(
    case: AuthCase, hub: Hub, person: Person, name: str, *, secret: str | None = None
) -> UserBrowser:
    """A person logs in with their name in other letters, perhaps with another secret."""
    if case.claims("oauth2"):
        browser = case.browser(hub, case.change(person, name=name))
        browser.login()
        return browser
    case.did(f"{person.name} logs in as {name}")
    form = case.form(hub, person)
    claim = case.suite.name_claim
    other = {field: secret for field in form if field != claim} if secret else {}
    browser = case.browser(hub, person)
    browser.send({**form, claim: name, **other})
    return browser
