"""``greyhub users map``: a login is a certain user's from now on."""

from __future__ import annotations

from dataclasses import dataclass

import click

from greyhub.cli.hub_users import HubUsers, dry_option, hub_users
from greyhub.cli.output import print_json
from greyhub.cli.reading import file_option, json_option
from greyhub.errors import HomeError
from greyhub.identity.rules import Identity, checked


@dataclass(frozen=True)
class Rule:
    """Logins of one issuer may have the names of another."""

    source: str
    target: str


@click.command("map")
@click.argument("user", metavar="[USER]", required=False)
@click.option("--issuer", help="Of a login: as the hub's log and greyhub users list show it.")
@click.option("--subject", help="What the issuer knows of the person, as shown there.")
@click.option("--from", "source", help="With --same-names: the issuer whose names there are.")
@click.option("--to", "target", help="With --same-names: the issuer whose logins may have them.")
@click.option(
    "--same-names",
    is_flag=True,
    help="Whoever logs in by --to is the user of --from who has the name that they ask for.",
)
@click.option("--remove", is_flag=True, help="With --same-names: no longer.")
@dry_option
@file_option
@json_option
def command(
    user: str | None,
    issuer: str | None,
    subject: str | None,
    source: str | None,
    target: str | None,
    same_names: bool,
    remove: bool,
    dry: bool,
    file: str,
    as_json: bool,
) -> None:
    """Say that a login is USER's, or that two issuers give the same names to the same people.

    It counts from the next login on; the hub may run, and servers go on. USER may have several
    logins. With --same-names, each name goes to the first login that asks for it: say it only
    where nobody can choose their name at --to, and remove it when all have come.

    \b
    greyhub users map ada --issuer https://login.example.org --subject 7f3a
    greyhub users map --from local --to https://login.example.org --same-names --dry-run
    greyhub users map --from local --to https://login.example.org --same-names --remove
    """  # noqa: D301
    one = bool(user and issuer and subject)
    many = bool(source and target and same_names)
    if one == many or (one and (source or target or same_names or remove)):
        raise click.UsageError(
            "give USER with --issuer and --subject, or --from and --to with --same-names"
        )
    if many and (user or issuer or subject):
        raise click.UsageError("--same-names is for all users: give no USER, issuer or subject")
    with hub_users(file) as hub:
        if many:
            found = _same_names(hub, Rule(source or "", target or ""), not remove, dry)
        else:
            found = _map(hub, user or "", Identity(issuer or "", subject or ""), dry)
    if as_json:
        print_json({"dry": dry, "said": found})
    else:
        for line in found:
            click.echo(line)


def _map(hub: HubUsers, user: str, identity: Identity, dry: bool) -> list[str]:
    try:
        checked(identity)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    hub.check_is_known(user)
    became = hub.identities.names().get(user, ("", ""))[1]
    if became:
        raise HomeError(f"{user} is {became} now.\n  fix: map {became}")
    before = hub.identities.find(identity)
    name = f"{identity.issuer} {identity.subject}"
    if before == user:
        return [f"{name} is {user} already"]
    found = [f"{name} {'would be' if dry else 'is'} {user} from the next login on"]
    if before:
        home = hub.home_of(before)
        found.append(f"  it was {before}, whose home stays{f': {home}' if home else ''}")
        running = hub.running().get(before)
        found += [f"  still run: {', '.join(running)}"] if running else []
    if not dry:
        hub.identities.map(identity, user)
    return found


def _same_names(hub: HubUsers, rule: Rule, allowed: bool, dry: bool) -> list[str]:
    rows, names = hub.identities.rows(), hub.identities.names()
    theirs = {name for identity, name in rows.items() if identity.issuer == rule.source}
    theirs |= {name for name, (claimable_by, _) in names.items() if claimable_by == rule.source}
    if allowed and not theirs:
        known = {identity.issuer for identity in rows} | {each for each, _ in names.values()}
        raise HomeError(
            f"nobody is known by {rule.source}.\n"
            f"  fix: give one of: {', '.join(sorted(filter(None, known)))}"
        )
    theirs -= {name for identity, name in rows.items() if identity.issuer == rule.target}
    verb = "could" if dry else "can"
    if not allowed:
        verb += " no longer"
    what = f"logins of {rule.target} {verb} have the same names of {rule.source}"
    if not dry:
        hub.identities.allow_same_names(rule.source, rule.target, allowed=allowed)
    return [what, *(f"  {name}" for name in sorted(theirs))] if allowed else [what]
