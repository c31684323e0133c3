"""A table in one or more files: an Intake reader, by pandas or by Dask."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from intake.readers.readers import FileReader

from greyhub.data.azureml_assets.formats import COMPRESSED
from greyhub.data.azureml_assets.steps import Step

BLOCK: Final = 2**26
"""Bytes of JSON lines in one partition of Dask's, at most."""


class TableReader(FileReader):  # type: ignore[misc]
    """`read` gives all rows as pandas', in the files' order; `to_dask` gives Dask's dataframe.

    Dask reads a file as it computes, each as one partition or more: Parquet as Dask does, by
    row groups; JSON lines in blocks; delimited text as a whole, where a line break may be quoted.
    """

    imports = frozenset({"pandas"})
    output_instance = "pandas:DataFrame"
    func = "greyhub.data.azureml_assets.tables:read"
    storage_options = True
    url_arg = "urls"

    def to_dask(self, **options: Any) -> Any:
        """The table as a dataframe of Dask's: of the data, its first file alone is looked at.

        Parameters
        ----------
        options
            Of Dask's function that reads it, such as ``assume_missing=True``.
        """
        given = {**self.kwargs, **options}
        [data] = given.pop("args", None) or [given.pop("data")]
        return scan(data.url, storage_options=data.storage_options, **given)


def read(
    urls: Sequence[str],
    function: str,
    steps: Sequence[Step] = (),
    storage_options: Any = None,
    **how: Any,
) -> Any:
    """One table of all files, by pandas.

    Parameters
    ----------
    urls : sequence of str
        The files; of Parquet also folders.
    function : str
        The function of pandas that reads one of them.
    steps : sequence of Step
        What is done to the rows then, in this order.
    storage_options, how
        What the function is given.
    """
    import pandas

    if function == "read_orc":  # which alone of them takes no storage_options
        frames = [_orc_file(each, storage_options) for each in urls]
    else:
        call = getattr(pandas, function)
        frames = [call(each, storage_options=storage_options, **how) for each in urls]
    table = frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)
    for step in steps:
        table = step.of_table(table)
    return table


def _orc_file(url: str, storage_options: Any) -> Any:
    import fsspec
    import pandas

    with fsspec.open(url, **(storage_options or {})) as file:
        return pandas.read_orc(file)


def scan(
    urls: Sequence[str],
    function: str,
    steps: Sequence[Step] = (),
    storage_options: Any = None,
    **how: Any,
) -> Any:
    """The same table, by Dask; parameters as of `read`."""
    frame = _SCANS[function](list(urls), {"storage_options": storage_options, **how})
    for step in steps:
        frame = step.of_dask(frame)
    return frame


def _csv(urls: list[str], how: Mapping[str, Any]) -> Any:
    from dask.dataframe import read_csv

    return read_csv(urls, blocksize=None, **how)


def _json(urls: list[str], how: Mapping[str, Any]) -> Any:
    from dask.dataframe import read_json

    whole = any(posixpath.splitext(each)[1] in COMPRESSED for each in urls)
    return read_json(urls, blocksize=None if whole else BLOCK, **how)


def _parquet(urls: list[str], how: Mapping[str, Any]) -> Any:
    from dask.dataframe import read_parquet

    return read_parquet(urls if len(urls) > 1 else urls[0], **how)


def _orc(urls: list[str], how: Mapping[str, Any]) -> Any:
    from dask.dataframe import read_orc

    return read_orc(urls, **how)


def _feather(urls: list[str], how: Mapping[str, Any]) -> Any:
    import fsspec
    from dask.dataframe import from_map
    from pandas import read_feather
    from pyarrow import ipc

    with fsspec.open(urls[0], **(how["storage_options"] or {})) as file:
        meta = ipc.open_file(file).schema.empty_table().to_pandas()
    return from_map(read_feather, urls, meta=meta, **how)


_SCANS: Final[Mapping[str, Callable[[list[str], Mapping[str, Any]], Any]]] = {
    "read_csv": _csv,
    "read_json": _json,
    "read_parquet": _parquet,
    "read_orc": _orc,
    "read_feather": _feather,
}
"""By Dask, for each function of pandas'."""
