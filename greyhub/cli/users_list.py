"""``greyhub users list``: who logs in as whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from greyhub.cli.hub_users import HubUsers, hub_users
from greyhub.cli.output import print_json
from greyhub.cli.reading import file_option, json_option


@click.command("list")
@file_option
@json_option
def command(file: str, as_json: bool) -> None:
    """List who logs in as whom: issuers, and what they know of a person.

    A name stays a person's for good, also when the user was deleted.

    \b
    greyhub users list
    greyhub users list --json -f /etc/greyhub/greyhub_config.py
    """  # noqa: D301
    with hub_users(file) as hub:
        found = [_user(hub, name) for name in _names(hub)]
        rules = sorted(hub.identities.same_names())
    if as_json:
        pairs = [{"from": source, "to": target} for source, target in rules]
        print_json({"users": found, "same_names": pairs})
        return
    for each in found:
        click.echo(_line(each))
        for identity in each["identities"]:
            click.echo(f"  {identity['issuer']} {identity['subject']}")
    for source, target in rules:
        click.echo(f"same names: logins of {target} may have the names of {source}")
    if not found:
        click.echo("the hub has no users yet")


def _names(hub: HubUsers) -> list[str]:
    return sorted({*hub.database.users(), *hub.identities.names()})


def _user(hub: HubUsers, name: str) -> dict[str, Any]:
    claimable_by, became = hub.identities.names().get(name, ("", ""))
    rows = [each for each, has in hub.identities.rows().items() if has == name]
    return {
        "name": name,
        "user": name in hub.database.users(),
        "identities": [each._asdict() for each in rows],
        "claimable_by": claimable_by,
        "became": became,
        "home": "" if became else hub.home_of(name),
        "runs": [*hub.servers_of(name), *hub.clusters_of(name)],
    }


def _line(each: Mapping[str, Any]) -> str:
    facts = []
    if each["became"]:
        facts.append(f"is {each['became']} now")
    elif not each["user"]:
        facts.append("no user of the hub now; the name is kept for who had it")
    if each["claimable_by"]:
        facts.append(f"has not logged in since; is for a login by {each['claimable_by']}")
    if each["user"] and not each["identities"] and not each["claimable_by"]:
        facts.append("nobody can log in as this user: greyhub users map")
    facts += [each["home"]] if each["home"] else []
    facts += [f"runs: {', '.join(each['runs'])}"] if each["runs"] else []
    return ": ".join([each["name"], "; ".join(facts)]) if facts else each["name"]
