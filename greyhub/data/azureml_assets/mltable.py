"""MLTable files: which files a table is made of, and how they are read.

What is not done as Azure's own library does it is refused by name. Source: Microsoft's schema,
https://azuremlschemas.azureedge.net/latest/MLTable.schema.json, and
https://learn.microsoft.com/azure/machine-learning/reference-yaml-mltable
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from greyhub.data import safe_yaml
from greyhub.data.azureml_assets.steps import TYPES, Convert, Drop, Keep, Number, Rows, Step

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
    listed = said.get("transformations") or []
    if not isinstance(listed, list) or not listed:
        raise ValueError("its MLTable file has no transformation that reads, as read_delimited")
    (first, options), *rest = [_named(each) for each in listed]
    if first not in _READERS:
        raise ValueError(f"its MLTable file begins with {first}, {_OWN}")
    if not isinstance(options, Mapping):
        raise ValueError(f"its MLTable file gives {first} no options by name")
    how = _READERS[first](options)
    steps: list[Step] = [Number()] if how.get("header", 0) is None else []
    for name, asked in rest:
        if name not in _STEPS:
            raise ValueError(f"its MLTable file asks for {name}, {_OWN}")
        steps += _STEPS[name](asked)
    if first == "read_delimited":
        how = _as_written(how, steps)
    needs = ("pyarrow",) if first == "read_parquet" else ()
    return Table([_path(each) for each in said["paths"]], {**how, "steps": tuple(steps)}, needs)


def _named(said: Any) -> tuple[str, Any]:
    """The name and the options of a transformation."""
    if isinstance(said, str):
        return said, {}
    if isinstance(said, dict) and len(said) == 1:
        [(name, options)] = said.items()
        return str(name), {} if options is None else options
    raise ValueError("its MLTable file has a transformation that is none")


def _path(said: Any) -> tuple[str, str]:
    if isinstance(said, dict) and len(said) == 1:
        [(kind, place)] = said.items()
        if kind in ("file", "folder", "pattern") and isinstance(place, str):
            return kind, place
    raise ValueError("its MLTable file has a path that is no file, folder or pattern")


# What reads: the options of pandas' functions.

_ENCODINGS: Final = {
    "utf8": "utf-8",
    "utf8bom": "utf-8-sig",
    "utf16": "utf-16",
    "utf32": "utf-32",
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


def _delimited(options: Mapping[str, Any]) -> dict[str, Any]:
    how: dict[str, Any] = {"function": "read_csv"}
    for name, value in options.items():
        if name == "delimiter" and isinstance(value, str) and len(value) == 1:
            how["sep"] = value
        elif name == "encoding" and str(value) in _ENCODINGS:
            how["encoding"] = _ENCODINGS[str(value)]
        elif name == "header" and value == "no_header":
            how["header"] = None
        elif name == "infer_column_types" and isinstance(value, bool):
            how |= {} if value else {"dtype": "str"}
        elif name not in _AS_PANDAS and not (name == "header" and value in _HEADERS):
            _demand_off(name, value)
    return how


def _as_written(how: dict[str, Any], steps: Sequence[Step]) -> dict[str, Any]:
    """Columns that are converted are read as they are written: ``007``, and empty in one file."""
    names = [name for each in steps if isinstance(each, Convert) for name in each.columns]
    if not names or "dtype" in how or "header" in how:
        return how
    return {**how, "dtype": dict.fromkeys(names, "str")}


def _json_lines(options: Mapping[str, Any]) -> dict[str, Any]:
    how: dict[str, Any] = {"function": "read_json", "lines": True}
    for name, value in options.items():
        if name == "encoding" and str(value) in _ENCODINGS:
            how["encoding"] = _ENCODINGS[str(value)]
        elif (name, value) != ("invalid_lines", "error"):
            _demand_off(name, value)
    return how


def _parquet(options: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in options.items():
        _demand_off(name, value)
    return {"function": "read_parquet"}


def _demand_off(name: str, value: Any) -> None:
    """Refuse an option, unless it is one that is off."""
    if value or name not in _OFF:
        shown = f": {value}" if isinstance(value, str | bool | int | float) else ""
        raise ValueError(f"its MLTable file asks for {name}{shown}, {_OWN}")


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "read_delimited": _delimited,
    "read_json_lines": _json_lines,
    "read_parquet": _parquet,
}


# What is done then.


def _columns(said: Any, what: str = "keeps or drops columns") -> list[str]:
    found = [said] if isinstance(said, str) else said
    if isinstance(found, list) and found and all(isinstance(each, str) for each in found):
        return found
    raise ValueError(f"its MLTable file {what} that are no names")


def _count(name: str, said: Any) -> int:
    if isinstance(said, int) and not isinstance(said, bool) and said >= 0:
        return said
    raise ValueError(f"its MLTable file has {name}: {said}, which is no number of rows")


def _converts(said: Any) -> list[Step]:
    if not isinstance(said, list) or not said:
        raise ValueError("its MLTable file has convert_column_types that name no columns")
    return [_convert(each) for each in said]


def _convert(said: Any) -> Step:
    if not isinstance(said, dict) or said.keys() != {"columns", "column_type"}:
        raise ValueError(
            "its MLTable file has convert_column_types without columns and column_type"
        )
    columns = _columns(said["columns"], "converts columns")
    kind, options = _named(said["column_type"])
    if kind not in TYPES:
        raise ValueError(f"its MLTable file converts columns to {kind}, {_OWN}")
    how: dict[str, Any] = {}
    for name, value in (options if isinstance(options, Mapping) else {kind: options}).items():
        if (kind, name) == ("datetime", "formats"):
            how["formats"] = tuple(_columns(value, "converts to times by formats"))
        elif (kind, name) == ("boolean", "mismatch_as") and value in _MISMATCH:
            how["mismatch"] = _MISMATCH[value]
        elif kind == "boolean" and name in ("true_values", "false_values"):
            texts = dict.fromkeys(_columns(value, f"has {name}"), name == "true_values")
            how["values"] = {**how.get("values", {}), **texts}
        else:
            raise ValueError(f"its MLTable file converts to {kind} with {name}, {_OWN}")
    return Convert(tuple(columns), kind, **how)


_MISMATCH: Final = {"error": None, "true": True, "false": False, True: True, False: False}

_STEPS: Final[Mapping[str, Callable[[Any], list[Step]]]] = {
    "keep_columns": lambda said: [Keep(_columns(said))],
    "drop_columns": lambda said: [Drop(_columns(said))],
    "convert_column_types": _converts,
    "skip": lambda said: [Rows(start=_count("skip", said))],
    "take": lambda said: [Rows(stop=_count("take", said))],
}
