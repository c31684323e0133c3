"""MLTable files: which files a table is made of, and how they are read.

Source: Microsoft's schema, https://azuremlschemas.azureedge.net/latest/MLTable.schema.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from greyhub.data import safe_yaml

FILE: Final = "MLTable"
"""What the file of an asset of the type ``mltable`` is called."""

LARGEST: Final = 2**20
"""Bytes that it may have."""

_OWN: Final = "which only Azure's own library does"


@dataclass(frozen=True)
class Table:
    """What an MLTable file says."""

    paths: Sequence[tuple[str, str]]
    """Of each path its kind, ``file``, ``folder`` or ``pattern``, and where it is."""

    how: Mapping[str, Any]
    """What `greyhub.data.azureml_assets.tables.read` is told."""

    needs: tuple[str, ...] = ()
    """Packages that it needs besides pandas."""


def parse(content: bytes) -> Table:
    """What an MLTable file says.

    Raises
    ------
    ValueError
        It is none, or asks for what only Azure's own library does: says what.
    """
    try:
        said = safe_yaml.values(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        problem = getattr(error, "problem", None) or type(error).__name__
        raise ValueError(f"its MLTable file is no YAML: {problem}") from None
    if not isinstance(said, dict) or not isinstance(said.get("paths"), list) or not said["paths"]:
        raise ValueError("its MLTable file has no paths")
    steps = said.get("transformations") or []
    if not isinstance(steps, list) or not steps:
        raise ValueError("its MLTable file has no transformation that reads, as read_delimited")
    (first, options), *rest = [_step(each) for each in steps]
    if first not in _READERS:
        raise ValueError(f"its MLTable file begins with {first}, {_OWN}")
    if not isinstance(options, Mapping):
        raise ValueError(f"its MLTable file gives {first} no options by name")
    how, needs = _READERS[first](options)
    for name, columns in rest:
        if name != "keep_columns":
            raise ValueError(f"its MLTable file asks for {name}, {_OWN}")
        how["columns"] = _columns(columns)
    return Table([_path(each) for each in said["paths"]], how, needs)


def _step(said: Any) -> tuple[str, Any]:
    """The name and the options of a transformation."""
    if isinstance(said, str):
        return said, {}
    if isinstance(said, dict) and len(said) == 1:
        [(name, options)] = said.items()
        return str(name), {} if options is None else options
    raise ValueError("its MLTable file has a transformation that is none")


def _columns(said: Any) -> list[str]:
    found = [said] if isinstance(said, str) else said
    if isinstance(found, list) and found and all(isinstance(each, str) for each in found):
        return found
    raise ValueError("its MLTable file keeps columns that are no names")


def _path(said: Any) -> tuple[str, str]:
    if isinstance(said, dict) and len(said) == 1:
        [(kind, place)] = said.items()
        if kind in ("file", "folder", "pattern") and isinstance(place, str):
            return kind, place
    raise ValueError("its MLTable file has a path that is no file, folder or pattern")


_ENCODINGS: Final = {
    "utf8": "utf-8",
    "utf8bom": "utf-8-sig",
    "utf16": "utf-16",
    "ascii": "ascii",
    "latin1": "latin-1",
    "iso88591": "latin-1",
    "windows1252": "cp1252",
}
_AS_PANDAS: Final = ("support_multi_line", "partition_size", "path_column")
"""Options of which pandas need not be told."""

_OFF: Final = ("include_path_column", "empty_as_string")
"""Options that pandas keeps where they are false."""

_HEADERS: Final = ("all_files_same_headers", True)


def _delimited(options: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    how: dict[str, Any] = {"function": "read_csv"}
    for name, value in options.items():
        if name == "delimiter" and isinstance(value, str):
            how["sep"] = value
        elif name == "encoding" and str(value) in _ENCODINGS:
            how["encoding"] = _ENCODINGS[str(value)]
        elif name == "header" and value == "no_header":
            how["header"] = None
        elif name == "infer_column_types" and isinstance(value, bool):
            how |= {} if value else {"dtype": "str"}
        elif name not in _AS_PANDAS and not (name == "header" and value in _HEADERS):
            _demand_off(name, value)
    return how, ()


def _json_lines(options: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    how: dict[str, Any] = {"function": "read_json", "lines": True}
    for name, value in options.items():
        if name == "encoding" and str(value) in _ENCODINGS:
            how["encoding"] = _ENCODINGS[str(value)]
        elif (name, value) != ("invalid_lines", "error"):
            _demand_off(name, value)
    return how, ()


def _parquet(options: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    for name, value in options.items():
        _demand_off(name, value)
    return {"function": "read_parquet"}, ("pyarrow",)


def _demand_off(name: str, value: Any) -> None:
    """Refuse an option, unless it is one that is off."""
    if value or name not in _OFF:
        shown = f": {value}" if isinstance(value, str | bool | int | float) else ""
        raise ValueError(f"its MLTable file asks for {name}{shown}, {_OWN}")


_READERS: Final = {
    "read_delimited": _delimited,
    "read_json_lines": _json_lines,
    "read_parquet": _parquet,
}
