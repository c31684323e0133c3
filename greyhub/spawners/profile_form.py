"""The part of JupyterHub's options form in which users choose a profile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from greyhub.spawners.profiles import Profile

TEMPLATES = Path(__file__).parents[1] / "templates"


def render(profiles: Sequence[Profile], chosen: str) -> str:
    """HTML: one radio button for each profile, of which the one named ``chosen`` is on."""
    from jinja2 import Environment, FileSystemLoader

    templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    return templates.get_template("profiles.html").render(profiles=profiles, chosen=chosen)
