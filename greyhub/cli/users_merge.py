"""``greyhub users merge``: all logins of one user are another's."""

from __future__ import annotations

import click

from greyhub.cli.hub_users import HubUsers, begun, dry_option, hub_users, is_now
from greyhub.cli.output import print_json
from greyhub.cli.reading import file_option, json_option
from greyhub.errors import HomeError
from greyhub.identity.moves import Move, carry_out, has_files, plan


@click.command("merge")
@click.argument("user", metavar="USER")
@click.argument("into", metavar="INTO")
@click.option(
    "--home", metavar="NAME", help="Whose home INTO has then, where both have files in theirs."
)
@dry_option
@file_option
@json_option
def command(user: str, into: str, home: str | None, dry: bool, file: str, as_json: bool) -> None:
    """Let all logins of USER be INTO's, for a person who has become two users.

    Nothing is deleted. USER stays a user of JupyterHub, whom nobody can log in as, with its own
    tokens and groups. Where INTO gets the home of USER, USER has the former home of INTO.

    \b
    greyhub users merge ada2 ada --dry-run
    greyhub users merge ada2 ada --home ada
    """  # noqa: D301
    if user == into or home not in (None, user, into):
        raise click.UsageError(f"give two users, and one of the two for --home: not {home or into}")
    with hub_users(file) as hub:
        found = _merge(hub, user, into, home, dry)
    if as_json:
        print_json({"dry": dry, "said": found})
    else:
        for line in found:
            click.echo(line)


def _merge(hub: HubUsers, user: str, into: str, home: str | None, dry: bool) -> list[str]:
    move = begun(hub, f"greyhub users merge {user} {into}")
    if move is None:
        hub.check_is_known(user)
        hub.check_is_known(into)
        rows = [each for each, name in hub.identities.rows().items() if name == user]
        if is_now(hub, user) == into and not rows:
            return [f"{user} is {into} already"]
        if is_now(hub, into) != into:
            raise HomeError(f"{into} is {is_now(hub, into)} now.\n  fix: merge into that user")
        passes = _home_passes(hub, user, into, home)
        move = plan(hub.private, hub.homes, user, into, user_too=False, with_home=passes)
    whose = (user, into) if move.homes else (user,)
    found = _told(hub, move, dry)
    if dry:
        runs = hub.to_be_stopped(*whose)
        return [*found, f"to be stopped before: {runs}"] if runs else found
    hub.check_nothing_runs(*whose)
    hub.check_account()
    carry_out(move, hub.private, hub.identities)
    return found


def _home_passes(hub: HubUsers, user: str, into: str, home: str | None) -> bool:
    """Whether INTO gets the home of USER."""
    if home is not None or hub.homes is None:
        return home == user
    places = {name: hub.homes.home_of(name) for name in (user, into)}
    full = [
        name
        for name, place in places.items()
        if hub.homes.copy_of(name) or has_files(hub.homes, place)
    ]
    if len(full) == 2:
        raise HomeError(
            f"both have files in their homes: {places[user]} and {places[into]}.\n"
            f"  fix: say whose {into} has then, --home {user} or --home {into}; the other stays"
        )
    return full == [user]


def _told(hub: HubUsers, move: Move, dry: bool) -> list[str]:
    would = "would be" if dry else "is"
    rows = [each for each, name in hub.identities.rows().items() if name == move.old]
    found = [f"{each.issuer} {each.subject}: {would} {move.new}" for each in rows]
    for name, place in move.homes.items():
        found.append(f"the home of {name}: {would} {place}")
    if not move.homes:
        for name in (move.old, move.new) if hub.homes else ():
            found.append(f"the home of {name} stays {hub.home_of(name)}")
    found += [f"the uid of {name}: {would} {uid}" for name, uid in move.uids.items()]
    if move.old in hub.database.users():
        found.append(
            f"{move.old} stays a user whom nobody can log in as, with their tokens and groups: "
            "delete the user on the admin page if that is not wanted"
        )
    return found
