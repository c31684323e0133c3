"""AUTH-001 to 009, 017 and 018: who is let in, and with which rights."""

from __future__ import annotations

import dataclasses
from typing import Any

from greyhub.conformance.auth.case import MANY_GROUPS, AuthCase
from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.record import shorten
from greyhub.conformance.testkit.provider import Person


@clause("AUTH-001", MUST, hooks="account")
def nobody_unless_said(case: AuthCase) -> None:
    """Without an option that allows somebody nobody comes in, and no user is made.

    Not even who is a user already, whom an admin has added: that is for
    allow_existing_users to say.

    Seen: JupyterHub 5: allow_all is False
      https://jupyterhub.readthedocs.io/en/stable/howto/upgrading-v5.html
    """
    hub = case.hub()
    case.keep_out(hub, case.person("ada"), "nobody is allowed, and somebody came in")
    bob = case.person("bob")
    case.did("an admin adds bob")
    hub.api("POST", f"/users/{case.name(bob)}")
    case.keep_out(hub, bob, "nobody is allowed, and bob came in, since an admin has added him")


@clause("AUTH-002", MUST, hooks="account")
def allowed_users_alone(case: AuthCase) -> None:
    """allowed_users admits exactly its members; others are refused with 403.

    Names that hold a member's, or are held by one, are tried as well, and
    check_allowed() must answer a bool: whatever else is true admits by accident.
    """
    ada, grace = case.person("ada"), case.person("grace")
    hub = case.hub(allowed_users=case.named(ada, grace))
    case.let_in(hub, ada)
    case.let_in(hub, grace)
    for name in ("eve", "adam", "ad"):
        person = case.person(name)
        answer = case.keep_out(hub, person, f"{name} is not allowed, and came in")
        case.require(answer.status_code == 403, f"the refusal is {answer.status_code}, not 403")
    for each in case.answers:
        if each.name == "check_allowed" and each.error is None:
            case.require(isinstance(each.value, bool), f"check_allowed() = {shorten(each.value)}")


@clause("AUTH-003", MUST, hooks="account")
def blocked_users_stay_out(case: AuthCase) -> None:
    """blocked_users comes before allow_all and admin_users, in whatever letters the name is."""
    ada, mallory = case.person("ada"), case.person("mallory")
    root = case.person("root", admin=True)
    hub = case.hub(
        allow_all=True, blocked_users=case.named(mallory, root), admin_users=case.named(root)
    )
    case.let_in(hub, ada)
    case.keep_out(hub, root, "root is an admin and blocked, and came in")
    for name in ("mallory", "Mallory", "MALLORY"):
        case.keep_out(hub, case.change(mallory, name=name), f"{name} is blocked, and came in")


@clause("AUTH-004", MUST, hooks="account")
def admin_by_configuration_alone(case: AuthCase) -> None:
    """Admin rights come from the configuration: no claim, field or group named so gives them."""
    grace = case.person("grace", admin=True)
    words = {"admin": True, "is_admin": True, "role": "admin", "roles": ["admin"]}
    nested = {
        "realm_access": {"roles": ["admin"]},
        "resource_access": {"hub": {"roles": ["admin"]}},
    }
    eve = case.person("eve", claims={**words, **nested}, groups=("admin", "admins"))
    managed: dict[str, Any] = {"manage_groups": True} if case.claims("groups") else {}
    hub = case.hub(allow_all=True, admin_users=case.named(grace), **managed)
    if case.claims("oauth2"):
        browser = case.let_in(hub, eve)
    else:
        browser = case.browser(hub, eve)
        case.did("eve logs in, with fields named admin, is_admin and role")
        browser.send({**case.form(hub, eve), **dict.fromkeys(words, "true")})
        if browser.who() is None:
            browser.send(case.form(hub, eve))
    case.let_in(hub, grace)
    rows = case.rows(hub)
    case.require(rows[case.name(grace)]["admin"], "grace is in admin_users, and is no admin")
    row = rows[case.name(eve)]
    case.require(not row["admin"] and "admin" not in row["roles"], "eve made herself an admin")


@clause("AUTH-005", MUST, needs="groups", hooks="account")
def groups_match_whole(case: AuthCase) -> None:
    """allowed_groups and admin_groups match whole names, and a lost admin group takes the rights.

    An empty list, null, a string instead of a list, other letters, blanks, and names
    that hold a group's or are held by one admit nobody. One group has a name of one
    letter: a string is a sequence of those.

    Seen: CVE-2018-7206 https://nvd.nist.gov/vuln/detail/CVE-2018-7206
    """
    hub = case.hub(manage_groups=True, allowed_groups={"staff", "s"}, admin_groups={"wheel"})
    case.let_in(hub, case.person("ada", groups=("guests", "staff")))
    eve = case.person("eve")
    nothing: tuple[Any, ...] = ((), None, "staff", "guests,staff", ("Staff",), ("staff2",))
    for groups in (
        *nothing,
        ("taf", "my-staff"),
        (" staff", "guests,staff"),
        ("/evil/staff", "evil\\staff", "x:staff"),
    ):
        eve = case.change(eve, groups=groups)
        case.keep_out(hub, eve, f"groups {groups!r} are not staff, and eve came in")
    for wheel in (("Wheel",), ("wheels", "whee"), ("wheel",), ()):
        groups = ("staff", *wheel)
        eve = case.change(eve, groups=groups)
        case.let_in(hub, eve)
        admin = case.rows(hub)[case.name(eve)]["admin"]
        case.require(
            bool(admin) == ("wheel" in groups),
            f"with groups {groups!r} eve is {'an' if admin else 'no'} admin",
        )


@clause("AUTH-006", MUST, needs="groups", hooks="account")
def groups_follow(case: AuthCase) -> None:
    """With manage_groups the hub's groups are the backend's at each login, whatever their number.

    The adapter always answers with a list of strings. 250 groups are seen, and a
    person without groups, or of whom the backend says none, is in none.
    """
    hub = case.hub(manage_groups=True, allow_all=True)
    ada = case.person("ada")
    for groups in (("staff", "wheel"), ("staff",), MANY_GROUPS[: 250 if _roomy(case) else 150], ()):
        ada = case.change(ada, groups=groups)
        case.let_in(hub, ada)
        _same_groups(case, hub, ada, groups)
    ada = case.change(ada, groups=("staff",))
    case.let_in(hub, ada)
    for facts in ({"groups": None}, {"groups": (), "without": ("groups",)}):
        case.browser(hub, case.change(ada, **facts)).login()
        left = case.rows(hub)[case.name(ada)]["groups"]
        case.require(not left, f"the backend tells of no group, and ada is in {left}")


@clause("AUTH-018", MUST, needs="groups overage", hooks="account")
def groups_beyond_a_token(case: AuthCase) -> None:
    """Groups for which a token has no room are asked for where it says: none is lost.

    Entra leaves out the groups of who is in more than 200, and names a place to
    ask instead. To take that for no groups locks people out, or takes rights away.
    """
    hub = case.hub(manage_groups=True, allowed_groups={"group-249"})
    ada = case.person("ada", groups=MANY_GROUPS)
    case.let_in(hub, ada, "ada is in a group that is allowed, the last of 250, and was refused")
    _same_groups(case, hub, ada, MANY_GROUPS)


def _roomy(case: AuthCase) -> bool:
    # With an overage that is another clause.
    return not case.claims("overage")


def _same_groups(case: AuthCase, hub: Any, person: Person, groups: tuple[str, ...]) -> None:
    said = case.last("get_authenticated_user").value["groups"]
    case.require(
        isinstance(said, list) and all(isinstance(name, str) for name in said),
        f"the adapter answered groups {shorten(said)}, which is no list of names",
    )
    have = case.rows(hub)[case.name(person)]["groups"]
    case.require(
        set(have) == set(groups),
        f"the backend tells of {len(groups)} groups, the hub has {len(have)}: {shorten(have, 60)}",
    )


@clause("AUTH-007", MUST, hooks="account")
def old_options_still_restrict(case: AuthCase) -> None:
    """An option under its old name restricts as the new one does, or the hub refuses to start.

    whitelist and blacklist, where the adapter has them, and whatever its
    `restrictions` have that is deprecated.

    Seen: GHSA-384w-5v3f-q499: whitelist was ignored, and everybody came in
      https://github.com/advisories/GHSA-384w-5v3f-q499
    """
    ada, eve = case.person("ada"), case.person("eve")
    old: list[dict[str, Any]] = [
        {"whitelist": case.named(ada)},
        {"allow_all": True, "blacklist": case.named(eve)},
    ]
    old = [options for options in old if hasattr(case.suite.subject(), _last(options))]
    if case.claims("restricts"):
        restrictions = case.hook("restrictions")
        old += [{"allow_all": True, **each.options} for each in restrictions if each.deprecated]
    for number, options in enumerate(old):
        hub = case.make_hub(f"hub-{number}", **options)
        try:
            hub.start()
        except Exception as error:
            case.said(f"the hub did not start: {shorten(error)}")
            continue
        case.keep_out(hub, eve, f"{_last(options)} was ignored, and eve came in")


def _last(options: dict[str, Any]) -> str:
    return list(options)[-1]


@clause("AUTH-008", MUST, needs="restricts", hooks="account restrictions")
def restrictions_by_verified_statements(case: AuthCase) -> None:
    """Who is of a domain, tenant or organisation is told by what the provider vouches for alone.

    An outsider writes the word that the option names wherever a person may write
    what they like: their names, their web site, an e-mail that nobody has verified.

    Seen: CVE-2022-31027 https://osv.dev/vulnerability/GHSA-r7v4-jwx9-wx43
    Seen: GHSA-55m3-44xf-hg4h: hosted_domain https://github.com/advisories/GHSA-55m3-44xf-hg4h
    Seen: GHSA-gprj-3p75-f996 https://github.com/advisories/GHSA-gprj-3p75-f996
    """
    for number, each in enumerate(case.hook("restrictions")):
        if each.deprecated:
            continue
        hub = case.hub(f"hub-{number}", **{"allow_all": True, **each.options})
        ada = case.change(case.person(f"ada{number}"), **each.inside)
        case.let_in(hub, ada)
        written = dict.fromkeys(("name", "nickname", "website", "profile", "zoneinfo"), each.word)
        written.pop(case.suite.name_claim, None)
        eve = case.person(f"eve{number}")
        settable: dict[str, Any] = {"claims": written}
        if not case.claims("email_names"):
            settable |= {"email": f"eve@{each.word}", "email_verified": False}
        for facts in (settable, *each.outside):
            changed = dataclasses.replace(eve, **facts)
            case.did(f"eve says of herself {shorten(facts)}")
            case.provider.enrol(changed)
            case.keep_out(hub, changed, f"eve is not of {each.word!r}, and came in")
        for facts in each.outside[:1]:
            case.did(f"ada{number}, who has been in, leaves {each.word!r}")
            left = case.change(dataclasses.replace(ada, **facts))
            case.keep_out(hub, left, f"ada{number} is no longer of {each.word!r}, and came in")


@clause("AUTH-009", MUST, needs="email_names", hooks="account")
def unverified_mail_is_no_name(case: AuthCase) -> None:
    """Where the name comes from an e-mail, one that the provider has not verified is refused.

    As is one of which it says nothing, or says no in a word.

    Seen: CVE-2026-33175 https://github.com/advisories/GHSA-rrvg-cxh4-qhrv
    """
    hub = case.hub(allow_all=True)
    case.let_in(hub, case.person("ada"))
    for verified in (False, None, "false", "False", "0", "no"):
        eve = case.person("eve", email_verified=verified)
        case.keep_out(hub, eve, f"email_verified is {verified!r}, and eve came in")


@clause("AUTH-017", MUST, needs="password", hooks="account", guards="secrets")
def wrong_secrets(case: AuthCase) -> None:
    """A secret that is wrong, empty, missing or only half right admits nobody."""
    ada = case.person("ada")
    hub = case.hub(allow_all=True)
    case.let_in(hub, ada)
    form = case.form(hub, ada)
    name = case.suite.name_claim
    [field, *_] = [each for each in form if each != name and form[each]]
    right = form[field]
    wrongs: list[str | None] = ["", None, "wrong", right[:-1], right + "x", right.swapcase()]
    others = case.form(hub, case.person("bob"))[field]
    if others != right:
        wrongs.append(others)
    for wrong in wrongs:
        sent = {**form, field: wrong}
        browser = case.browser(hub, ada)
        case.did(f"ada logs in with {field} {_blurred(wrong, right)}")
        browser.send({each: text for each, text in sent.items() if text is not None})
        case.kept_out(hub, browser, case.rows(hub), "a wrong secret was accepted")


def _blurred(wrong: str | None, right: str) -> str:
    if wrong is None:
        return "left out"
    return "changed" if wrong[:4] == right[:4] or wrong == right.swapcase() else repr(wrong)
