"""DATA-012, 016: nested catalogues, and catalogues of another format."""

from __future__ import annotations

from typing import Any

import yaml

from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.data.case import DataCase
from greyhub.conformance.data.content import RAIN, SUN
from greyhub.conformance.data.datasets import Dataset, table
from greyhub.conformance.data.intake_formats import document
from greyhub.errors import CatalogError

DEEP = 40


def _with(version: int, datasets: dict[str, Dataset], nested: dict[str, str]) -> str:
    """A document that holds catalogues, too: name to file."""
    body = yaml.safe_load(document(version, datasets))
    for name, file in nested.items():
        if version == 1:
            body["sources"][name] = {"driver": "yaml_file_cat", "args": {"path": file}}
        else:
            rest: dict[str, Any] = {"metadata": {}, "user_parameters": {}}
            body["data"][f"{name}-data"] = {
                "datatype": "intake.readers.datatypes:YAMLFile",
                "kwargs": {"url": file},
                **rest,
            }
            body["entries"][name] = {
                "reader": "intake.readers.readers:YAMLCatalogReader",
                "kwargs": {"data": f"{{data({name}-data)}}"},
                "output_instance": "intake.readers.entry:Catalog",
                **rest,
            }
            body["aliases"][name] = name
    return str(yaml.safe_dump(body, sort_keys=False))


@clause("DATA-012", MUST, needs="documents nested", hooks="publish write")
def catalogues_are_followed_once(case: DataCase) -> None:
    """The datasets of a catalogue in a catalogue are ``outer.inner``; a cycle has an end.

    A catalogue that two others name is followed once, one that names itself or the
    first is not followed again, one that is not there hides no other, and one that is
    too deep ends the descent and not the notebook. reload() sees what is new within.
    """
    version = case.suite.version
    rain, sun = table("rain", RAIN), table("sun", SUN)
    case.publish(rain=rain, sun=sun)
    within = {"inner": "inner.yaml", "again": "inner.yaml", "lost": "lost.yaml"}
    case.write(
        _with(version, {"rain": rain}, within),
        inner=_with(version, {"sun": sun}, {"me": "inner.yaml", "first": "catalog.yaml"}),
    )
    catalog = case.catalog()
    names = catalog.names()
    nested = [name for name in names if name.endswith(".sun")]
    case.require("rain" in names, f"the catalogue's own dataset is not among {names}")
    case.require(len(nested) == 1, f"the dataset within is listed as {nested}, of {names}")
    case.require(nested[0] in ("inner.sun", "again.sun"), f"the dataset within is {nested[0]!r}")
    others = [name for name in names if name not in ("rain", nested[0], "lost")]
    case.require(not others, f"there are two datasets, and it lists {others}, too")
    case.same(catalog.read(nested[0]), SUN, nested[0])
    case.write(
        _with(version, {"rain": rain}, within), inner=document(version, {"sky": sun}).decode()
    )
    catalog.reload()
    nested = [name for name in catalog.names() if name.endswith((".sun", ".sky"))]
    case.require(len(nested) == 1, f"after reload() what is within is {nested}")
    case.require(nested[0].endswith(".sky"), f"reload() has not seen what is new in {nested[0]}")
    case.same(catalog.read(nested[0]), SUN, nested[0])
    chain = {
        f"c{number}": _with(version, {}, {f"c{number + 1}": f"c{number + 1}.yaml"})
        for number in range(DEEP)
    }
    chain[f"c{DEEP}"] = document(version, {"sun": sun}).decode()
    case.did(f"catalogues in catalogues, {DEEP} deep")
    case.write(_with(version, {"rain": rain}, {"c0": "c0.yaml"}), **chain)
    deep = case.catalog()
    names = deep.names()
    case.require("rain" in names, f"one that is too deep hides the others: {names}")


OLD = """\
sources:
  rain:
    driver: csv
    description: Written in 2019.
    args:
      urlpath: "{{ CATALOG_DIR }}/data/rain.csv"
"""


@clause("DATA-016", SHOULD, needs="documents", hooks="publish write")
def old_catalogues_are_read_or_refused(case: DataCase) -> None:
    """A catalogue of Intake 1 is read, or refused with what to do about it.

    Seen: intake#826 https://github.com/intake/intake/issues/826
    """
    case.publish(rain=table("rain", RAIN))
    case.write(OLD)
    try:
        catalog = case.catalog()
        names = catalog.names()
    except CatalogError as error:
        told = str(error).lower()
        case.require("version" in told or "intake" in told, f"it is refused without a word: {told}")
        return
    case.require(names == ["rain"], f"it is read as {names}")
    case.same(catalog.read("rain"), RAIN, "rain")
