"""``greyhub users list``: who logs in as whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
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
        found = _all(hub)
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


def _all(hub: HubUsers) -> list[dict[str, Any]]:
    """Everybody, with one question for each kind of fact: there may be thousands."""
    users, names = hub.database.users(), hub.identities.names()
    homes, runs, rows = _homes(hub, {*users, *names}), hub.running(), defaultdict(list)
    for identity, name in hub.identities.rows().items():
        rows[name].append(identity._asdict())
    return [
        {
            "name": name,
            "user": name in users,
            "identities": rows[name],
            "claimable_by": names.get(name, ("", ""))[0],
            "became": names.get(name, ("", ""))[1],
            "home": homes.get(name, ""),
            "runs": runs.get(name, []),
        }
        for name in sorted({*users, *names})
    ]


def _homes(hub: HubUsers, names: Iterable[str]) -> dict[str, str]:
    """Where homes are, or would be; of a name that was changed, nowhere."""
    if hub.homes is None:
        return {}
    known = hub.homes.registry.read()
    taken = set(known.values())
    found = {name: hub.homes.home_of(name, remembered=False) for name in names}
    found = {name: place for name, place in found.items() if place not in taken}
    return {**found, **{name: hub.homes.home_of(name) for name in names if name in known}}


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
