"""Write a catalogue in the YAML format of Intake 1 or Intake 2."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from greyhub.conformance.data.datasets import SECRET, Dataset, Parameter

DRIVERS = {"table": "csv", "lines": "textfiles"}
READERS = {
    "table": ("datatypes:CSV", "readers:PandasCSV", "pandas:DataFrame"),
    "lines": ("datatypes:Text", "readers:DaskText", "dask.bag.core:Bag"),
}
"""For each kind the type of data, the reader, and what that gives."""

_INTAKE = "intake.readers."


def document(version: int, datasets: Mapping[str, Dataset], *, relative: bool = False) -> bytes:
    """A catalogue of these datasets in Intake's first or second format.

    Their places are relative to it, or to what it calls CATALOG_DIR.
    """
    body = {1: first, 2: second}[version](datasets, relative=relative)
    # JSON is YAML, and is written a hundred times as quickly.
    return json.dumps(body, indent=1, ensure_ascii=False).encode()


def first(datasets: Mapping[str, Dataset], *, relative: bool = False) -> dict[str, Any]:
    """As Intake 1 has it: a driver and its arguments."""
    sources = {}
    for name, each in datasets.items():
        place = each.place
        for parameter in each.parameters:
            place = place.replace(f"{{{parameter.name}}}", f"{{{{ {parameter.name} }}}}")
        args: dict[str, Any] = {"urlpath": place if relative else f"{{{{ CATALOG_DIR }}}}/{place}"}
        if password := _password(each, "{{{{ env({}) }}}}"):
            args["storage_options"] = {"password": password}
        sources[name] = {
            "driver": DRIVERS[each.kind],
            "description": each.description,
            "args": args,
            "metadata": dict(each.metadata),
            "parameters": {
                parameter.name: _first_parameter(parameter) for parameter in each.parameters
            },
        }
    return {"sources": sources}


def _first_parameter(parameter: Parameter) -> dict[str, Any]:
    return _filled(
        type=parameter.kind,
        description="",
        default=parameter.default,
        allowed=list(parameter.allowed) if parameter.allowed is not None else None,
        min=parameter.minimum,
        max=parameter.maximum,
    )


def second(datasets: Mapping[str, Dataset], *, relative: bool = False) -> dict[str, Any]:
    """As Intake 2 has it: a reader that refers to data."""
    entries, data = {}, {}
    for name, each in datasets.items():
        datatype, reader, gives = READERS[each.kind]
        kwargs: dict[str, Any] = {"url": each.place if relative else "{CATALOG_DIR}/" + each.place}
        if password := _password(each, "{{env({})}}"):
            kwargs["storage_options"] = {"password": password}
        description: dict[str, Any] = {"metadata": {}, "user_parameters": {}}
        data[f"{name}-data"] = {"datatype": _INTAKE + datatype, "kwargs": kwargs, **description}
        entries[name] = {
            "reader": _INTAKE + reader,
            "output_instance": gives,
            "kwargs": {"data": f"{{data({name}-data)}}"},
            "metadata": {**each.metadata, "description": each.description},
            "user_parameters": {
                parameter.name: _second_parameter(parameter) for parameter in each.parameters
            },
        }
    rest = {"aliases": {name: name for name in datasets}, "metadata": {}, "user_parameters": {}}
    return {"version": 2, "entries": entries, "data": data, **rest}


def _second_parameter(parameter: Parameter) -> dict[str, Any]:
    cls = (
        "OptionsUserParameter"
        if parameter.allowed is not None
        else "BoundedNumberUserParameter"
        if parameter.minimum is not None
        else "SimpleUserParameter"
    )
    return _filled(
        cls=f"{_INTAKE}user_parameters:{cls}",
        dtype=parameter.kind,
        default=parameter.default,
        options=list(parameter.allowed) if parameter.allowed is not None else None,
        min=parameter.minimum,
        max=parameter.maximum,
    )


def _password(each: Dataset, reference: str) -> str:
    return {"reference": reference.format(SECRET), "plain": each.written}.get(each.secret, "")


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
