"""DATA-022: opening a catalogue or a dataset runs no code of the catalogue's."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.data.case import DataCase
from greyhub.conformance.testkit.audit import outside

CANARY = "greyhub.conformance.data.import_canary"
"""A module whose import is noticed."""


@clause("DATA-022", MUST, needs="documents", hooks="write", guards="secrets", budget=30)
def catalogues_run_nothing(case: DataCase) -> None:
    """No catalogue runs code: by a tag of YAML, a template, or the name of a class.

    Each that tries is opened and read as far as it goes; no file is made, no
    program begun and no module imported that it names.

    Seen: intake PR#26 https://github.com/intake/intake/pull/26: shell and env, by design
    Seen: intake 2.0.9: allow_import is true by default
    """
    marks = case.directory / "marks"
    marks.mkdir()
    plugins = case.directory / "plugins"
    plugins.mkdir()
    (plugins / "plugin.py").write_text(f"open({str(marks / 'mark')!r}, 'w').close()\n")
    for number, (what, text) in enumerate(_tries(marks).items()):
        sys.modules.pop(CANARY, None)
        case.write(text)
        with outside() as begun:
            _use(case)
        ran = [each for each in begun if not each.startswith("socket")]
        made = [path.name for path in marks.iterdir()]
        case.require(not made, f"{what}: it ran, and made a file")
        case.require(not ran, f"{what}: it began {ran[:1]}")
        case.require(CANARY not in sys.modules, f"{what}: it had a module imported")
        case.said(f"{number + 1}. {what}: nothing")


def _tries(marks: Path) -> dict[str, str]:
    mark = str(marks / "mark")
    tags = {
        f"the tag {tag}": f"sources: {{x: {{driver: csv, args: {{urlpath: {tag} {args}}}}}}}\n"
        for tag, args in (
            ("!!python/object/apply:os.mkdir", f'["{mark}"]'),
            ("!!python/object/new:os.mkdir", f'["{mark}"]'),
            ("!!python/object/apply:os.system", f'["touch {mark}"]'),
            ("!!python/name:greyhub.conformance.data.import_canary.Canary", '""'),
            ("!!python/module:greyhub.conformance.data.import_canary", '""'),
        )
    }
    pickled = "Y29zCm1rZGlyCg=="  # begins as a pickle that names os.mkdir
    templates = (
        f"{{{{ shell(touch {mark}) }}}}", f"{{{{ shell('touch {mark}') }}}}",
        f"{{shell(touch {mark})}}", f"{{{{ client_shell(touch {mark}) }}}}",
        f"{{import({CANARY}:Canary)}}", f"{{{{ import({CANARY}) }}}}",
        f"{{func({CANARY}:Canary)}}", f"{{pickle64({pickled})}}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        f"{{{{ cycler.__init__.__globals__.os.mkdir('{mark}') }}}}",
        "{{ self._TemplateReference__context.__init__.__globals__ }}",
        "{% for x in [1] %}{{ range.__class__ }}{% endfor %}",
        f"open('{mark}', 'w')", f"x.csv; touch {mark}", f"$(touch {mark})", f"`touch {mark}`",
        f"{{{{ lipsum.__globals__['os'].system('touch {mark}') }}}}",
    )  # fmt: skip
    tries = dict(tags)
    for text in templates:
        for where, body in _placed(text).items():
            tries[f"{text} in {where}"] = yaml.safe_dump(body, sort_keys=False)
    from_folder = {"plugins": {"source": [{"dir": str(marks.with_name("plugins"))}]}}
    for what, body in {**_classes(), "plugins of a folder": {**_PLAIN, **from_folder}}.items():
        tries[what] = yaml.safe_dump(body, sort_keys=False)
    return tries


def _placed(text: str) -> dict[str, Any]:
    """A text in each format, where it would be filled in."""
    kwargs = {"url": "x.csv", "metadata": {"a": text}}
    return {
        "an argument": {"sources": {"x": {"driver": "csv", "args": {"urlpath": text}}}},
        "a default": {
            "sources": {
                "x": {
                    "driver": "csv",
                    "args": {"urlpath": "{{ p }}"},
                    "parameters": {"p": {"type": "str", "default": text, "description": ""}},
                }
            }
        },
        "data of Intake 2": _second({"datatype": _CSV, "kwargs": {**kwargs, "url": text}}),
    }


_PLAIN: dict[str, Any] = {"sources": {"x": {"driver": "csv", "args": {"urlpath": "x.csv"}}}}
_CSV, _PANDAS = "intake.readers.datatypes:CSV", "intake.readers.readers:PandasCSV"


def _second(data: Any, entry: Any = None) -> dict[str, Any]:
    entry = entry or {"reader": _PANDAS, "kwargs": {"data": "{data(d)}"}}
    return {"version": 2, "entries": {"x": entry}, "data": {"d": data}}


def _classes() -> dict[str, Any]:
    canary, plain = f"{CANARY}:Canary", {"datatype": _CSV, "kwargs": {"url": "x.csv"}}
    of_data = {"data": "{data(d)}"}
    return {
        "a driver that is a class": {"sources": {"x": {"driver": f"{CANARY}.Canary", "args": {}}}},
        "a driver with a colon": {"sources": {"x": {"driver": canary, "args": {}}}},
        "an entry's cls": {"sources": {"x": {"cls": canary, "driver": "csv", "args": {}}}},
        "plugins of the catalogue": {
            "plugins": {"source": [{"module": CANARY}]},
            "sources": {"x": {"driver": "canary", "args": {}}},
        },
        "a reader": _second(plain, {"reader": canary, "kwargs": of_data}),
        "a reader with a dot": _second(plain, {"reader": f"{CANARY}.Canary", "kwargs": of_data}),
        "a type of data": _second({"datatype": canary, "kwargs": {"url": "x.csv"}}),
        "a cls of Intake 2": _second({"cls": canary, **plain}),
        "a kind of output": _second(
            plain, {"reader": _PANDAS, "kwargs": of_data, "output_instance": canary}
        ),
        "a parameter's cls": _second(
            plain,
            {
                "reader": _PANDAS,
                "kwargs": of_data,
                "user_parameters": {"p": {"cls": canary, "default": 1}},
            },
        ),
        "a reader that converts": _second(
            plain,
            {
                "reader": "intake.readers.convert:Pipeline",
                "kwargs": {"steps": [[f"{{func({canary})}}", [], {}]], **of_data},
            },
        ),
        "a pickle of numpy's": _second(
            {"datatype": "intake.readers.datatypes:NumpyFile", "kwargs": {"url": "x.npy"}},
            {
                "reader": "intake.readers.readers:NumpyReader",
                "kwargs": {**of_data, "allow_pickle": True},
            },
        ),
    }


def _use(case: DataCase) -> None:
    """Use a catalogue as far as it lets itself be used."""
    suite = case.suite
    try:
        catalog = suite.make("ada")
        list(suite.names(catalog))
    except Exception as error:
        case.saw(f"it is refused: {type(error).__name__}")
        return
    for step in (
        lambda: suite.describe(catalog, "x"),
        lambda: suite.read(suite.open(catalog, "x")),
        lambda: repr(catalog),
    ):
        with suppress(Exception):
            step()
