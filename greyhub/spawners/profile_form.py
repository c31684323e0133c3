"""The part of JupyterHub's options form in which users choose a profile."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from greyhub.spawners.profiles import Profile

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parents[1] / "templates"


def render(profiles: Sequence[Profile], chosen: str) -> str:
    """HTML: one radio button for each profile, of which the one named ``chosen`` is on."""
    return _template().render(profiles=profiles, chosen=chosen)


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader

    templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    return templates.get_template("profiles.html")
