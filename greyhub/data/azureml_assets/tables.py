"""A table in several files, or as an MLTable file describes it: an Intake reader by pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from intake.readers.readers import FileReader


class TableReader(FileReader):  # type: ignore[misc]
    """Reads each file by pandas, and joins the rows in the files' order."""

    imports = frozenset({"pandas"})
    output_instance = "pandas:DataFrame"
    func = "greyhub.data.azureml_assets.tables:read"
    storage_options = True
    url_arg = "urls"


def read(
    urls: Sequence[str],
    function: str,
    columns: Sequence[str] | None = None,
    storage_options: Any = None,
    **how: Any,
) -> Any:
    """One table of all files.

    Parameters
    ----------
    urls : sequence of str
        The files.
    function : str
        The function of pandas that reads one of them.
    columns : sequence of str, optional
        The columns that are kept; all by default.
    storage_options, how
        What the function is given.
    """
    import pandas

    call = getattr(pandas, function)
    frames = [call(each, storage_options=storage_options, **how) for each in urls]
    table = frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)
    return table if columns is None else table[list(columns)]
