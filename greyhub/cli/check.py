"""``greyhub check``: check the configuration and, with ``--live``, its backends."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from collections.abc import Iterator, Sequence

import click

from greyhub.adapter import Finding
from greyhub.checks import access, listening
from greyhub.cli.output import as_mapping, counted, print_findings, print_json
from greyhub.cli.reading import Reading, file_option, json_option, like_jupyterhub, read
from greyhub.composition import Composition
from greyhub.mounts import FSTAB, unmounted
from greyhub.page import check as ask

LIMIT = 30.0
"""Seconds that the backend of one adapter has to answer."""


@click.command(
    context_settings=like_jupyterhub,
    epilog="Exit codes: 0, a hub would start; 1, it would not, or with --live a backend does not "
    "work; 2, the command was called wrongly.",
)
@file_option
@click.option("--live", is_flag=True, help="Ask the backend of every adapter, too.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--limit", default=LIMIT, show_default=True, help="With --live: seconds for each backend."
)
@json_option
@click.argument("jupyterhub", nargs=-1, type=click.UNPROCESSED, metavar="[--Section.option=value]…")
def check(
    file: str, live: bool, strict: bool, limit: float, as_json: bool, jupyterhub: Sequence[str]
) -> None:
    """Check a configuration without starting anything.

    Everything that is wrong is said at once: each with its place, and how to fix it.

    \b
    greyhub check
    greyhub check -f /etc/greyhub/greyhub_config.py --live
    greyhub check --JupyterHub.port=8001
    greyhub check --strict --json
    """  # noqa: D301
    reading = read(file, jupyterhub)
    composition = reading.composition
    answers = asyncio.run(_ask_all(composition, limit)) if live and composition else {}
    lived = [finding for found in answers.values() for finding in found]
    bad = {"error", "warning"} if strict else {"error"}
    failed = any(finding.level in bad for finding in [*reading.findings, *lived])
    who = access.describe(composition.platform) if composition else None
    if as_json:
        print_json(
            {
                "file": file,
                "ok": not failed,
                "findings": [as_mapping(finding) for finding in reading.findings],
                "access": {"users": who.users, "admins": who.admins} if who else None,
                "live": {
                    name: [as_mapping(finding) for finding in found]
                    for name, found in answers.items()
                },
            }
        )
    else:
        _print(reading, answers, str(who or ""))
    raise SystemExit(1 if failed else 0)


def _print(reading: Reading, answers: dict[str, Sequence[Finding]], who: str) -> None:
    print_findings(reading.findings)
    for name, found in answers.items():
        print_findings(found or [Finding("ok", "nothing to ask")], name)
    said = counted([*reading.findings, *(each for found in answers.values() for each in found)])
    click.echo(f"{reading.file}: {said or 'all is well'}")
    if who:
        click.echo(f"{reading.file}: {who}")


async def _ask_all(composition: Composition, limit: float) -> dict[str, Sequence[Finding]]:
    """The adapters' own checks, side by side, and the hub's own needs."""
    greyhub = composition.greyhub
    answers = await asyncio.gather(*(ask(adapter, limit) for adapter in greyhub.adapters.values()))
    named = dict(zip(greyhub.adapters, answers, strict=True))
    return {"hub": list(_of_the_hub(composition)), **named}


def _of_the_hub(composition: Composition) -> Iterator[Finding]:
    """Can the hub itself start here: its state, its port, its proxy?"""
    greyhub = composition.greyhub
    state = greyhub.state
    while not state.exists():
        state = state.parent
    if mount := unmounted(greyhub.state):
        yield Finding(
            "error",
            f"{mount} is in {FSTAB} and not mounted: the hub would begin anew beneath it",
            f"mount {shlex.quote(str(mount))}, or set c.GreyHub.state_dir elsewhere",
        )
    elif not os.access(state, os.W_OK | os.X_OK):
        yield Finding("error", f"no right to write in {state}", "set c.GreyHub.state_dir elsewhere")
    else:
        free = shutil.disk_usage(state).free
        said = f"{free / 1e9:.1f} GB free for the hub's state in {greyhub.state}"
        if free < 100e6:
            yield Finding("error", said, "make room, or set c.GreyHub.state_dir elsewhere")
        else:
            yield Finding("ok", said)
    yield from listening.check(composition.platform)
