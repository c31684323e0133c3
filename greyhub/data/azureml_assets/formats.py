"""Which reader opens a data asset: by the ends of its files' names."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

TABLE: Final = "greyhub.data.azureml_assets.tables:TableReader"


@dataclass(frozen=True)
class Format:
    """How files of one kind are read."""

    datatype: str
    """Of `intake.readers.datatypes`."""

    reader: str
    """Of `intake.readers.readers`, or an import string."""

    gives: str
    """The type of what reading gives, as Intake writes it."""

    many: str = "each"
    """Several of them in a folder: ``each``, a list of files; ``folder``, the folder itself;
    ``table``, joined to one; ``no``."""

    needs: tuple[str, ...] = ()
    """Packages that it needs besides those that the reader names."""

    how: Mapping[str, Any] = field(default_factory=dict)
    """Options of the reader; ``function`` only for `TABLE`."""


_FRAME: Final = "pandas:DataFrame"


def _table(datatype: str, function: str, **how: Any) -> Format:
    """Files that a function of pandas reads, and Dask."""
    needs = () if function in ("read_csv", "read_json") else ("pyarrow",)
    return Format(datatype, TABLE, _FRAME, "table", needs, {"function": function, **how})


_JSON_LINES: Final = _table("JSONFile", "read_json", lines=True)
_TEXT: Final = Format("Text", "DaskText", "dask.bag.core:Bag")
_PARQUET: Final = replace(_table("Parquet", "read_parquet"), many="folder")
_LAZY: Final[Mapping[str, Any]] = {"chunks": {}}
_HDF: Final = Format(
    "HDF5", "XArrayDatasetReader", "xarray:Dataset", needs=("h5netcdf",), how=_LAZY
)
_ZARR: Final = Format(
    "Zarr", "XArrayDatasetReader", "xarray:Dataset", "folder", ("zarr",), how=_LAZY
)
BYTES: Final = Format("FileData", "FileByteReader", "builtins:bytes", many="no")
"""What is of no known kind."""

FORMATS: Final[Mapping[str, Format]] = {
    ".csv": _table("CSV", "read_csv"),
    ".tsv": _table("CSV", "read_csv", sep="\t"),
    ".jsonl": _JSON_LINES,
    ".ndjson": _JSON_LINES,
    ".parquet": _PARQUET,
    ".pq": _PARQUET,
    ".feather": _table("Feather2", "read_feather"),
    ".orc": _table("ORC", "read_orc"),
    ".xlsx": Format("Excel", "PandasExcel", _FRAME, many="no"),
    ".txt": _TEXT,
    ".log": _TEXT,
    ".nc": _HDF,
    ".nc4": _HDF,
    ".h5": _HDF,
    ".hdf5": _HDF,
    ".zarr": _ZARR,
}
"""By the end of a file's name, in small letters; before it, compression is left away."""

COMPRESSED: Final = (".gz", ".bz2", ".xz", ".zst")

_ZARR_FILES: Final = {".zgroup", ".zarray", ".zmetadata", "zarr.json"}


def suffix(path: str) -> str:
    """The end of a file's name that says what it is."""
    name = posixpath.basename(path).lower()
    stem, end = posixpath.splitext(name)
    return posixpath.splitext(stem)[1] if end in COMPRESSED else end


def of_asset(kind: str, path: str) -> str:
    """What reading an asset gives, as far as its URI tells without a look at the data."""
    if kind == "mltable":
        return _FRAME
    known = FORMATS.get(suffix(path))
    return known.gives if known else BYTES.gives if kind == "uri_file" else ""


def of_files(paths: Sequence[str]) -> Format:
    """How all files below a folder are read.

    Raises
    ------
    ValueError
        They are of several kinds, or of one that no reader is known for.
    """
    if group_of(paths):
        return _ZARR
    kinds = sorted({suffix(each) for each in paths})
    if len(kinds) != 1:
        raise ValueError(f"its files are of several kinds: {', '.join(kinds) or 'it has none'}")
    found = FORMATS.get(kinds[0])
    if found is None or (found.many == "no" and len(paths) > 1):
        raise ValueError(f"it is not known how to read several files {kinds[0] or 'of any name'}")
    return found


def group_of(paths: Sequence[str]) -> str:
    """The folder of Zarr that files below another are of; empty if they are of none.

    Raises
    ------
    ValueError
        They are of several.
    """
    marked = {posixpath.dirname(p) for p in paths if posixpath.basename(p) in _ZARR_FILES}
    top = min(marked, key=len, default="")
    if others := [each for each in marked if not f"{each}/".startswith(f"{top}/")]:
        raise ValueError(f"it has several of Zarr's folders: {top}, {min(others)}")
    return top


def is_data(path: str) -> bool:
    """Whether a file of a folder is data, and no mark of who wrote it."""
    name = posixpath.basename(path)
    return name in _ZARR_FILES or not name.startswith(("_", "."))
