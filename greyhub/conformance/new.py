"""Write a package for a new adapter: an example under new names, its suite, CI and README."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from greyhub import __version__
from greyhub.conformance.contract import contract
from greyhub.conformance.suite import SuiteError
from greyhub.slots import SLOTS

HERE = Path(__file__).parent

EXAMPLES = next(path for path in (HERE / "examples", HERE.parents[1] / "examples") if path.is_dir())
"""The examples: beside this module where greyhub is installed, else in the repository."""

WHAT = {
    "spawner": "A spawner",
    "cluster": "Dask clusters",
    "auth": "An authenticator",
    "homespace": "Homes",
    "data": "A catalogue",
}
"""What a package of each slot brings, for people."""

ENDINGS = {"homespace": ("homes", "home"), "data": ("catalog",), "cluster": ("clusters",)}
"""What else a package of a slot may be called: ``acme-homes`` is ``acme`` for homes."""


@dataclass(frozen=True)
class Names:
    """What a package and the things in it are called."""

    slot: str
    name: str
    """The distribution: ``acme-spawner``."""

    @property
    def package(self) -> str:
        """What is imported: ``acme_spawner``."""
        return self.name.replace("-", "_")

    @property
    def short(self) -> str:
        """What the administrator writes: ``acme``."""
        endings = "|".join((self.slot, *ENDINGS.get(self.slot, ())))
        return re.sub(f"[-_]?({endings})$", "", self.name) or self.name

    @property
    def title(self) -> str:
        """What the classes begin with: ``Acme``."""
        return "".join(part[:1].upper() + part[1:] for part in re.split("[-_]", self.short))

    def renamed(self, text: str) -> str:
        """The toy's text with these names in it."""
        toy = f"toy{self.slot}"
        text = text.replace(f"examples.{self.slot}.{toy}", self.package)
        text = text.replace(toy, self.package).replace("Toy", self.title)
        return text.replace("~/.toy-token", f"~/.{self.short}-token")


def slots() -> list[str]:
    """The slots that there is a start for."""
    return sorted(path.parent.name for path in EXAMPLES.glob("*/suite.py"))


def write(slot: str, name: str, directory: Path) -> list[Path]:
    """Write the package; the paths that were written.

    Parameters
    ----------
    slot : str
        One of `slots`.
    name : str
        The distribution: small letters, digits and hyphens.
    directory : Path
        Where it goes; it must not be there yet, or be empty.

    Raises
    ------
    greyhub.conformance.suite.SuiteError
        There is no such slot, the name is none, or the directory is taken.
    """
    if slot not in slots():
        raise SuiteError(f"there is no start for {slot!r}: there are {', '.join(slots())}")
    if not re.fullmatch("[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise SuiteError(f"{name!r} is no name for a package: write one like acme-{slot}")
    if name in ("greyhub", "tests") or (directory.exists() and any(directory.iterdir())):
        raise SuiteError(f"{directory} is not empty: choose another name, or remove it")
    written = []
    for path, text in _files(Names(slot, name)):
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        written.append(file)
    return written


def _files(names: Names) -> Iterator[tuple[str, str]]:
    toy = EXAMPLES / names.slot / f"toy{names.slot}"
    for path in sorted(toy.glob("*.py")):
        yield f"{names.package}/{path.name}", names.renamed(path.read_text(encoding="utf-8"))
    author = names.renamed((EXAMPLES / names.slot / "suite.py").read_text(encoding="utf-8"))
    yield "tests/test_conformance.py", author
    yield "tests/__init__.py", ""
    values = _values(names, author)
    for name, place in (
        ("pyproject.toml.txt", "pyproject.toml"),
        ("README.md", "README.md"),
        ("conformance.yml", ".github/workflows/conformance.yml"),
    ):
        template = Template((EXAMPLES / "package" / name).read_text(encoding="utf-8"))
        yield place, template.substitute(values)
    yield ".gitignore", "__pycache__/\n.hypothesis/\n*.egg-info/\ndist/\nreport.*\n"


def _values(names: Names, author: str) -> dict[str, str]:
    suite = re.search(r"^class (Test\w+)", author, re.MULTILINE)
    adapter = re.search(r"^    adapter.*? = (\w+)", author, re.MULTILINE)
    backend = re.search(rf"^from {names.package}\.(\w+) import", author, re.MULTILINE)
    assert suite
    assert adapter
    return {
        "name": names.name,
        "package": names.package,
        "short": names.short,
        "title": names.title,
        "what": WHAT[names.slot],
        "clause": next(iter(contract(names.slot).clauses)),
        "trait": names.slot,
        "group": SLOTS[names.slot].group,
        "entry": f"{names.package}:{adapter[1]}",
        "backend": f"`{names.package}/{backend[1]}.py`" if backend else "the suite's own",
        "target": f"tests.test_conformance:{suite[1]}",
        "version": __version__,
    }
