"""The two files: a config file for the hub, and values for greyhub's chart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from greyhub.cli.z2jh import code
from greyhub.cli.z2jh.move import GROUPS
from greyhub.cli.z2jh.moving import Moving, Outcome
from greyhub.cli.z2jh.text import comment

_HEAD: Final = """\
# A platform by greyhub, made by "greyhub init --from-z2jh" of {files}.
#
# What "review:" stands before needs somebody's eyes, and so does what was not taken over.
{imports}
import greyhub

c = get_config()  # noqa: F821

c.GreyHub.flavour = "kubernetes"
# The chart says these, too; with them, greyhub check works where there is none.
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_ip = "hub"
"""

_END: Final = """
# The last line: what is set below it would not be seen.
greyhub.compose(c)
"""

_VALUES: Final = """\
# Values of greyhub's chart, made by "greyhub init --from-z2jh" of {files}.
# The config file is given beside them: --set-file config={config}
"""


def config(moving: Moving, files: Sequence[str]) -> str:
    """The text of the config file."""
    parts = []
    for group in GROUPS:
        lines = moving.lines.get(group.section, [])
        about = [] if group.chart else list(_comments(_of(moving, group.section)))
        if lines or about:
            parts.append("\n".join(["", f"# {group.section}", "", *about, *lines]))
    body = "\n".join(parts)
    used = [name for name in ("os", "sys") if re.search(rf"\b{name}\.", body)]
    used += ["types"] if "\nimport types\n" in body else []
    body = body.replace("\nimport types\n", "\n")
    imports = "\n" + "".join(f"import {name}\n" for name in used) if used else ""
    head = _HEAD.format(files=", ".join(files), imports=imports)
    if url := moving.chart.get("url"):
        path = urlsplit(url).path
        head += f'c.JupyterHub.public_url = "{url}"\n'
        head += f'c.JupyterHub.base_url = "{path}"\n' if path != "/" else ""
    return f"{head}{body}\n{_END}"


def values(moving: Moving, files: Sequence[str], config: str) -> str:
    """The text of the chart's values."""
    import yaml

    about: list[Outcome] = []
    for group in GROUPS:
        about += _of(moving, group.section) if group.chart else []
    about += _of(moving, "Other charts") + _of(moving, "")

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]
        """Each value is written out where it stands."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    chart: str = yaml.dump(moving.chart, Dumper=Dumper, sort_keys=False, allow_unicode=True)
    comments = "\n".join([*_comments(about), ""]) if about else ""
    return _VALUES.format(files=", ".join(files), config=config) + comments + chart


def _of(moving: Moving, section: str) -> list[Outcome]:
    """What somebody must know of a section."""
    return [
        each
        for each in moving.outcomes
        if each.section == section and (each.kind == "left" or each.review) and each.given
    ]


def _comments(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for each in outcomes:
        if each.kind == "left":
            yield from comment(f"not taken over: {each.path}: {each.said}")
        if each.review and each.section != code.GROUP.section:  # there, it stands at the code
            yield from comment(f"review: {each.path}: {each.review}")
