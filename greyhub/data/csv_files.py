"""Tables of CSV by the arguments of Intake 1: one file or several, and ``csv_kwargs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intake.readers.readers import DaskCSV
from intake.source.csv import CSVSource


class CSVFiles(CSVSource):  # type: ignore[misc]
    """Several files of one table, which Dask reads. Intake 2's own class reads one."""

    @classmethod
    def made_by(
        cls,
        urlpath: str | list[str],
        csv_kwargs: Mapping[str, Any] | None = None,
        path_as_pattern: bool = True,
        **more: Any,
    ) -> CSVSource:
        """The source for the arguments of an entry; for one file, Intake's own.

        Parameters
        ----------
        urlpath : str or list of str
            One file, several, or a pattern with ``*``.
        csv_kwargs : mapping, optional
            Arguments of ``read_csv``.
        path_as_pattern : bool
            Nothing: the names of files give no columns.
        **more
            Intake's own arguments, and further ones of ``read_csv``.
        """
        if isinstance(urlpath, list) and len(urlpath) == 1:
            [urlpath] = urlpath
        several = isinstance(urlpath, list) or "*" in urlpath
        return (cls if several else CSVSource)(urlpath, **{**(csv_kwargs or {}), **more})

    def discover(self) -> Any:
        """The first rows."""
        return DaskCSV(self.data).discover(**self.kwargs)

    def read(self) -> Any:
        """All rows, as a DataFrame of pandas."""
        return self.to_dask().compute()
