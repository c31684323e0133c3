"""The policy for catalogues: which classes, variables and places an entry may name.

A catalogue is written by one person and opened by all others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAME = re.compile(r"[A-Z][A-Z0-9_]*")
"""The form of a platform's parameter: capitals, so that no pattern in a path looks like one."""

HUB_VARIABLES = ("JUPYTERHUB_", "JPY_", "GREYHUB_", "CONFIGPROXY_")
"""Variables that begin so hold the hub's tokens and tickets: no catalogue reads them."""

_READERS = """
    Awkward AwkwardAVRO AwkwardJSON AwkwardParquet ASDFReader DaskAwkwardJSON DaskAwkwardParquet
    DaskCSV DaskCSVPattern DaskDeltaLake DaskGeoParquet DaskJSON DaskNPYStack DaskParquet DaskText
    DaskZarr DeltaReader DicomReader FITSReader FileByteReader FileSizeReader FileTextReader
    GeoPandasReader GeoPandasTabular NibabelNiftiReader NumpyReader NumpyText NumpyZarr PandasCSV
    PandasExcel PandasFeather PandasORC PandasParquet PolarsAvro PolarsCSV PolarsDeltaLake
    PolarsExcel PolarsFeather PolarsJSON PolarsParquet RasterIOXarrayReader SKImageReader
    ScipyMatlabReader ScipyMatrixMarketReader TileDBDaskReader TileDBReader XArrayDatasetReader
    XArrayPatternReader YAMLCatalogReader
"""
READERS = frozenset(f"intake.readers.readers:{name}" for name in _READERS.split())
"""The readers of Intake 2 that read data and do nothing else: none runs SQL, a program, a
model's code or a pickle."""

DATATYPES = "intake.readers.datatypes"
"""The module whose classes describe data; they do nothing by themselves."""


@dataclass(frozen=True)
class Policy:
    """What the administrator gives to catalogues.

    Parameters
    ----------
    parameters : Mapping[str, str]
        Values for ``{NAME}``.
    environment : tuple of str
        The variables that ``env(NAME)`` may read.
    readers : tuple of str
        Import strings of readers that may be named beside those of `READERS`.
    section : str
        The section of the config file that says all this.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    environment: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    section: str = "LocalData"

    @classmethod
    def of_ticket(cls, ticket: Mapping[str, Any], section: str) -> Policy:
        """What a server was told of it."""
        environment, readers = tuple(ticket["environment"]), tuple(ticket["readers"])
        return cls(ticket["parameters"], environment, readers, section)

    def allows_reader(self, name: str) -> bool:
        """May a catalogue of Intake 2 name this reader?"""
        return name in READERS or name in {import_string(each) for each in self.readers}

    def allows_datatype(self, name: str) -> bool:
        """May a catalogue of Intake 2 name this type of data?"""
        module, _, _ = name.partition(":")
        return module == DATATYPES or name in {import_string(each) for each in self.readers}

    def forbids_variable(self, name: str) -> tuple[str, str] | None:
        """Why ``env(name)`` is refused, and the fix; None if it is not."""
        if is_hub_variable(name):
            return f"env({name}) would read what belongs to the hub, which no catalogue may", ""
        if name not in self.environment:
            return (
                f"env({name}) reads a variable that catalogues are not given",
                f"if they may, add it: c.{self.section}.environment = [{name!r}]",
            )
        return None


def is_hub_variable(name: str) -> bool:
    """Does the environment variable belong to the hub?"""
    return name.startswith(HUB_VARIABLES)


def import_string(name: str) -> str:
    """``package.module:Class``, also from ``package.module.Class``."""
    return name if ":" in name else ":".join(name.rsplit(".", 1))
