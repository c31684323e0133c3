"""``greyhub init``: a config file that runs as it is, with every option in it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from greyhub.checks.sections import companion
from greyhub.errors import ConfigError
from greyhub.reference import Option, options_of
from greyhub.slots import SLOTS, choose, flavour

_HEAD = """\
# A platform by greyhub: jupyterhub -f {file}
#
# Every option that greyhub adds to JupyterHub is below, with its default or an example.
# Remove the # of a line and change it. JupyterHub's own options are set here, too.
#
#     greyhub check -f {file}     is it right, and who will get in?
#     greyhub show -f {file}      what is in force, and who said so?

import greyhub

c = get_config()  # noqa: F821
"""

_SECRETS = """
# A secret stands in a variable or a file of the hub's, never here:
# c.GenericOAuthenticator.client_secret = greyhub.secret(env="OIDC_SECRET")
"""

_END = """
# The last line: what is set below it would not be seen.
greyhub.compose(c)
"""


@click.command(
    epilog="Exit codes: 0, the file was written; 1, it was not; 2, the command was called wrongly."
)
@click.argument("flavour_name", metavar="[FLAVOUR]", default="local")
@click.option(
    "-f",
    "--file",
    default="greyhub_config.py",
    show_default=True,
    type=click.Path(dir_okay=False),
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(flavour_name: str, file: str, force: bool) -> None:
    """Write a commented greyhub_config.py that runs as it is.

    \b
    greyhub init
    greyhub init local -f /etc/greyhub/greyhub_config.py
    """  # noqa: D301
    path = Path(file)
    try:
        text = render(flavour_name, path.name)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    try:
        with path.open("w" if force else "x") as opened:
            opened.write(text)
    except FileExistsError:
        raise click.ClickException(f"{path} is there already; --force writes over it") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"{path} is written. Start the platform: jupyterhub -f {path}")


def render(flavour_name: str, file: str) -> str:
    """The text of the file."""
    from greyhub.hub import GreyHub

    names = flavour(flavour_name)
    parts = [_HEAD.format(file=file), f'c.GreyHub.flavour = "{flavour_name}"']
    parts.append("\n# Each slot can be set alone:")
    parts += [f"# c.GreyHub.{slot} = {value!r}" for slot, value in names.items()]
    own = [option for option in options_of(GreyHub) if option.name not in (*SLOTS, "flavour")]
    parts += ["", "", "# The platform", *_commented(own)]
    for slot, value in names.items():
        adapter, _ = choose(SLOTS[slot], value)
        brought = companion(adapter)
        found = [*options_of(adapter), *(options_of(brought) if brought else [])]
        if found:
            parts += ["", "", f"# {slot}: {value}", *_commented(found)]
    return "\n".join(parts) + "\n" + _SECRETS + _END


def _commented(options: list[Option]) -> Iterator[str]:
    for option in options:
        yield ""
        yield from textwrap.wrap(option.help, 96, initial_indent="# ", subsequent_indent="# ")
        yield f"# {option.example}"
