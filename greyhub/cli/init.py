"""``greyhub init``: a config file to begin with, with every option in it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from greyhub.checks.classes import brought_class
from greyhub.errors import ConfigError
from greyhub.option_reference import Option, options_of
from greyhub.slots import SLOTS, choose, flavour

_HEAD = """\
# A platform by greyhub: jupyterhub -f {file}
#
# Every option that greyhub adds to JupyterHub is below, with its default or an example.
# Remove the # of a line and change it. JupyterHub's own options are set here, too.
#
#     greyhub check -f {file}     is it right, and who will get in?
#     greyhub show -f {file}      what each option is, and who set it

import greyhub

c = get_config()  # noqa: F821
"""

_TUTORIAL = """
# The tutorial: what a new home begins with, and the data that it opens by name.
import iris_sample_data  # pip install 'greyhub[tutorial]'

c.LocalHomespace.welcome = "welcome"
c.LocalData.catalogs = ["catalog.yaml"]
c.LocalData.parameters = {"IRIS": iris_sample_data.path}
"""

TUTORIAL = Path(__file__).parents[1] / "tutorial"
"""A catalogue, and the notebook that a new home begins with."""

PACKAGES = ("h5netcdf", "h5py", "iris_sample_data", "matplotlib", "netCDF4", "xarray")
"""What the tutorial imports: the extra greyhub[tutorial]."""

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
@click.option(
    "--tutorial",
    is_flag=True,
    help="With a notebook in each new home, and the catalogue of the data that it opens.",
)
@click.option(
    "--from-z2jh",
    "values",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Values of Zero to JupyterHub or a DaskHub, once for each file in the order of helm -f: "
    "the config file, and greyhub_values.yaml for the chart, are made of them.",
)
@click.option(
    "--z2jh-version",
    default="",
    metavar="VERSION",
    help="With --from-z2jh: the version of its chart. Before 4, homes are named in another way.",
)
@click.option(
    "--secrets",
    is_flag=True,
    help="With --from-z2jh: print what is secret in the values, as kubectl apply -f - reads it, "
    "and write nothing.",
)
@click.option("--force", is_flag=True, help="Write over what is there.")
def init(
    flavour_name: str,
    file: str,
    tutorial: bool,
    values: Sequence[Path],
    z2jh_version: str,
    secrets: bool,
    force: bool,
) -> None:
    """Write a commented greyhub_config.py: the one of the flavour "local" runs as it is.

    \b
    greyhub init
    greyhub init --tutorial
    greyhub init kubernetes -f /etc/greyhub/greyhub_config.py
    greyhub init --from-z2jh values.yaml --from-z2jh production.yaml
    """  # noqa: D301
    path = Path(file)
    if values:
        from greyhub.cli.z2jh.command import move_from_z2jh

        if tutorial or flavour_name not in ("local", "kubernetes"):
            raise click.UsageError("--from-z2jh is for the flavour kubernetes, without a tutorial")
        move_from_z2jh(values, path, z2jh_version, force=force, secrets=secrets)
        return
    if secrets or z2jh_version:
        raise click.UsageError("--secrets and --z2jh-version go with --from-z2jh")
    try:
        files = {path: render(flavour_name, path.name, tutorial=tutorial)}
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    if tutorial:
        files |= {
            path.parent / each.relative_to(TUTORIAL): each.read_text()
            for each in sorted(TUTORIAL.rglob("*"))
            if each.is_file()
        }
    if not force and (there := next(filter(Path.exists, files), None)):
        raise click.ClickException(f"{there} is there already; --force writes over it")
    try:
        for each, text in files.items():
            each.parent.mkdir(parents=each.parent != path.parent, exist_ok=True)
            each.write_text(text)
    except OSError as error:
        said = f"{error.filename or path} cannot be written: {error.strerror}"
        raise click.ClickException(said) from error
    _say(path, list(files), flavour_name, tutorial=tutorial)


def _say(path: Path, files: list[Path], flavour_name: str, *, tutorial: bool) -> None:
    names = ", ".join(map(str, files))
    click.echo(f"{names} {'are' if len(files) > 1 else 'is'} written.")
    missing = [each for each in PACKAGES if find_spec(each) is None] if tutorial else []
    if missing:
        click.echo(
            f"The tutorial needs {', '.join(missing)}: pip install 'greyhub[local,tutorial]'"
        )
    if flavour_name != "local":
        click.echo(f"What it must be told yet: greyhub check -f {path}")
    click.echo(f"Start the platform: jupyterhub -f {path}")


def render(flavour_name: str, file: str, *, tutorial: bool = False) -> str:
    """The text of the file."""
    from greyhub.hub import GreyHub

    names = flavour(flavour_name)
    if tutorial and (names["homespace"], names["data"]) != ("local", "local"):
        raise ConfigError(
            f"the tutorial is for local homes and data, and {flavour_name!r} has others",
            fix="greyhub init --tutorial",
        )
    parts = [_HEAD.format(file=file), f'c.GreyHub.flavour = "{flavour_name}"']
    if tutorial:
        parts.append(_TUTORIAL.rstrip())
    parts.append("\n# Each slot can be set alone:")
    parts += [f"# c.GreyHub.{slot} = {value!r}" for slot, value in names.items()]
    own = [option for option in options_of(GreyHub) if option.name not in (*SLOTS, "flavour")]
    parts += ["", "", "# The platform", *_commented(own)]
    for slot, value in names.items():
        adapter, _ = choose(SLOTS[slot], value)
        brought = brought_class(adapter)
        found = [*options_of(adapter), *(options_of(brought) if brought else [])]
        if found:
            parts += ["", "", f"# {slot}: {value}", *_commented(found)]
    return "\n".join(parts) + "\n" + _SECRETS + _END


def _commented(options: list[Option]) -> Iterator[str]:
    for option in options:
        yield ""
        yield from textwrap.wrap(option.help, 96, initial_indent="# ", subsequent_indent="# ")
        yield f"# {option.example}"
