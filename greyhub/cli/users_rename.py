"""``greyhub users rename``: another name for a user."""

from __future__ import annotations

import click

from greyhub.cli.hub_users import HubUsers, begun, dry_option, hub_users, is_now
from greyhub.cli.output import print_json
from greyhub.cli.reading import file_option, json_option
from greyhub.errors import HomeError
from greyhub.identity.moves import Move, carry_out, has_files, plan


@click.command("rename")
@click.argument("user", metavar="USER")
@click.argument("new", metavar="NEW")
@click.option(
    "--without-home",
    is_flag=True,
    help="Also where the home cannot follow: it stays as it is, under the former name.",
)
@click.option(
    "--stopped",
    is_flag=True,
    help="The hub is stopped: needed where that cannot be told from here.",
)
@dry_option
@file_option
@json_option
def command(
    user: str,
    new: str,
    without_home: bool,
    stopped: bool,
    dry: bool,
    file: str,
    as_json: bool,
) -> None:
    """Give USER the name NEW: to JupyterHub, in the table of identities, and for the home.

    The hub is stopped meanwhile, and USER has no servers; those of others go on. The home stays
    where it is, and is remembered as NEW's. Nobody gets the name USER again, unless an
    administrator adds them.

    \b
    greyhub users rename ada countess --dry-run
    greyhub users rename ada countess
    """  # noqa: D301
    if user == new:
        raise click.UsageError("the two names are the same")
    with hub_users(file) as hub:
        found = _rename(hub, user, new, without_home, stopped, dry)
    if as_json:
        print_json({"dry": dry, "said": found})
    else:
        for line in found:
            click.echo(line)


def _rename(
    hub: HubUsers, user: str, new: str, without_home: bool, stopped: bool, dry: bool
) -> list[str]:
    move = begun(hub, f"greyhub users rename {user} {new}")
    if move is None:
        hub.check_is_known(user)
        if user not in hub.database.users():
            if is_now(hub, user) == new:
                return [f"{user} is {new} already"]
            raise HomeError(f"{user} is no user of JupyterHub.\n  fix: greyhub users list")
        _check_free(hub, user, new)
        _check_keeps_homes(hub, user, without_home)
        with_home = not without_home
        move = plan(hub.private, hub.homes, user, new, user_too=True, with_home=with_home)
    found = _told(hub, move, dry)
    if dry:
        runs = hub.to_be_stopped(user, new)
        return [*found, f"to be stopped before: {', '.join(filter(None, ['the hub', runs]))}"]
    hub.check_nothing_runs(user, new)
    if not stopped:
        hub.check_stopped()
    hub.check_account()
    carry_out(move, hub.private, hub.identities)
    return found


def _check_free(hub: HubUsers, user: str, new: str) -> None:
    """Raise where the new name is, or was, somebody else's, or would be none."""
    if not hub.is_valid(new):
        raise HomeError(f"{new!r} is no name that this hub's authenticator lets users have")
    known = {*hub.database.users(), *hub.identities.names()}
    before = is_now(hub, new) == user  # the name is given back
    if new in known and not before:
        raise HomeError(
            f"{new} is, or was, another user.\n"
            f"  fix: take another name, or let both be one: greyhub users merge {user} {new}"
        )
    if hub.homes is not None:
        url, own = hub.homes.home_of(new, remembered=False), hub.homes.home_of(user)
        if url != own and has_files(hub.homes, url):
            raise HomeError(
                f"there are files at {url}, which is the place for a home of {new}.\n"
                "  fix: take another name, or see whose they are, and move them away"
            )


def _check_keeps_homes(hub: HubUsers, user: str, without_home: bool) -> None:
    """Raise where something else than greyhub's registry keeps the home by the user's name."""
    if without_home:
        return
    kept = "" if hub.homes else "c.GreyHub.homespace is None"
    if hub.accounts:
        kept = f"servers run as the account of this machine that is called {user}"
    if kept:
        raise HomeError(
            f"the home of {user} would be left behind: {kept}.\n"
            "  fix: see to it by hand, and say --without-home"
        )


def _told(hub: HubUsers, move: Move, dry: bool) -> list[str]:
    would = "would be" if dry else "is"
    rows = [each for each, name in hub.identities.rows().items() if name == move.old]
    found = [f"the user {move.old} {would} {move.new}"]
    found += [f"  {each.issuer} {each.subject}: {would} {move.new}" for each in rows]
    for name, place in move.homes.items():
        found += [f"  the home of {name}: {would} {place}, where it is now"] if place else []
    if not move.homes and hub.homes:
        found.append(f"  the home of {move.old} stays {hub.home_of(move.old)}, and is left")
    found += [f"  the uid of {name}: {would} {uid}" for name, uid in move.uids.items() if uid]
    if not rows:
        found.append(f"  nobody has logged in as {move.old}: who may, says greyhub users map")
    found.append(f"  where {hub.file} names {move.old}, write {move.new}")
    return found
