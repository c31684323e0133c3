"""How Sphinx builds this documentation: ``make docs``."""

from __future__ import annotations

import os
import re
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import greyhub

project = "greyhub"
author = "the greyhub developers"
copyright = author  # noqa: A001
version = release = greyhub.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build"]
default_role = "py:obj"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_google_docstring = False
# Names of others' packages are not links: no build asks the network for where these stand.
OTHERS = (
    "collections|dask|dask_gateway|dataclasses|datetime|distributed|fsspec|jupyterhub|os|pathlib"
    "|traitlets|typing"
)
# Nor are these, which have no page of their own.
INNER = "greyhub.checks.facts.FACTS|(greyhub.data.policy.)?Policy|AbstractFileSystem|Config|Secret"
WORDS = "optional|sequence|mapping"
nitpick_ignore_regex = [
    ("py:.*", rf"({OTHERS})\b.*"),
    ("py:.*", INNER),
    ("py:.*", "GreyHub"),
    ("py:.*", WORDS),
]

html_theme = "pydata_sphinx_theme"
html_title = "greyhub"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "github_url": "https://github.com/greyhub/greyhub",
    "logo": {"text": "greyhub"},
    "navigation_with_keys": False,
    "show_toc_level": 2,
}
html_sidebars = {"index": []}
html_show_sourcelink = False

SOURCE = "https://github.com/greyhub/greyhub/blob/main/"
DOCS = Path(__file__).parent
LINK = re.compile(r"\]\(((?:\.\./)+[^)#]*)")


def link_to_repository(app: Any, name: str, content: list[str]) -> None:
    """Links that leave docs/ go to the repository; there, they work as they are."""

    def target(found: re.Match[str]) -> str:
        path = Path(os.path.normpath(DOCS / Path(name).parent / found[1]))
        if path.is_relative_to(DOCS):
            return found[0]
        return f"]({SOURCE}{path.relative_to(DOCS.parent)}"

    content[0] = LINK.sub(target, content[0])


ATTRIBUTES = ("attribute", "data", "property")


class PlainAttributes:
    """A comment on an attribute stays as it is: to napoleon, what is before a colon is a type."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {}

    def keep(self, app: Any, what: str, name: str, obj: Any, options: Any, lines: Any) -> None:
        """Before napoleon."""
        if what in ATTRIBUTES:
            self.lines[name] = list(lines)

    def bring_back(self, app: Any, what: str, name: str, obj: Any, opts: Any, lines: Any) -> None:
        """After it."""
        lines[:] = self.lines.pop(name, lines)


def no_signature(app: Any, what: str, name: str, obj: Any, *others: Any) -> tuple[str, None] | None:
    """Of classes that others make, adapters and protocols; and of records, whose fields follow."""
    others = hasattr(obj, "class_traits") or getattr(obj, "_is_protocol", False)
    return ("", None) if what == "class" and (others or is_dataclass(obj)) else None


def setup(app: Any) -> None:
    """Tell Sphinx of all this."""
    app.connect("source-read", link_to_repository)
    plain = PlainAttributes()
    app.connect("autodoc-process-docstring", plain.keep, priority=499)
    app.connect("autodoc-process-docstring", plain.bring_back, priority=501)
    app.connect("autodoc-process-signature", no_signature)
