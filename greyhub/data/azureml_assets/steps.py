"""What an MLTable file does to a table that is read: columns, their types, and which rows.

Each step does the same to a table of pandas' and to a dataframe of Dask's. Source:
https://learn.microsoft.com/azure/machine-learning/reference-yaml-mltable
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

TYPES: Final = ("int", "float", "string", "boolean", "datetime")
"""To which types a column can be converted."""

_TRUE: Final = ("true", "True", "TRUE", "1")
_FALSE: Final = ("false", "False", "FALSE", "0")


class Step(ABC):
    """One thing that is done to a table."""

    @abstractmethod
    def of_table(self, table: Any) -> Any:
        """Do it to a table of pandas'."""

    def of_dask(self, frame: Any) -> Any:
        """Do it to a dataframe of Dask's: to each partition by itself."""
        return frame.map_partitions(self.of_table, meta=self.of_table(frame._meta))


@dataclass(frozen=True)
class Number(Step):
    """Name the columns of files without a header ``Column1``, ``Column2``, and so on."""

    def of_table(self, table: Any) -> Any:
        """Name them."""
        return table.set_axis([f"Column{n}" for n in range(1, len(table.columns) + 1)], axis=1)


@dataclass(frozen=True)
class Keep(Step):
    """Keep these columns, in this order."""

    columns: Sequence[str]

    def of_table(self, table: Any) -> Any:
        """Of pandas' table, or of Dask's: these columns; KeyError names one that is not there."""
        return table[list(self.columns)]

    def of_dask(self, frame: Any) -> Any:
        """As of pandas' table."""
        return self.of_table(frame)


@dataclass(frozen=True)
class Drop(Step):
    """Leave these columns away."""

    columns: Sequence[str]

    def of_table(self, table: Any) -> Any:
        """Of pandas' table, or of Dask's: the others."""
        return table.drop(columns=list(self.columns))

    def of_dask(self, frame: Any) -> Any:
        """As of pandas' table."""
        return self.of_table(frame)


@dataclass(frozen=True)
class Convert(Step):
    """Convert columns; what is empty stays empty.

    Parameters
    ----------
    columns : sequence of str
        Their names.
    kind : str
        One of `TYPES`.
    formats : sequence of str
        Of times, as ``strptime`` takes them, tried in this order; ISO 8601 by default. A time
        with an offset becomes UTC's.
    values : mapping
        What texts mean, of booleans.
    mismatch : bool, optional
        What any other text means; by default it is an error.
    """

    columns: Sequence[str]
    kind: str
    formats: Sequence[str] = ()
    values: Mapping[str, bool] = field(default_factory=dict)
    mismatch: bool | None = None

    def of_table(self, table: Any) -> Any:
        """Convert them.

        Raises
        ------
        ValueError
            There is no such column, or a value that is nothing of the type: names both.
        """
        made = {}
        for name in self.columns:
            if name not in table.columns:
                raise ValueError(f"there is no column {name!r} to convert to {self.kind}")
            try:
                made[name] = self._converted(table[name])
            except (ValueError, TypeError) as error:
                raise ValueError(f"column {name!r} is not all {self.kind}: {error}") from error
        return table.assign(**made)

    def _converted(self, column: Any) -> Any:
        import pandas

        if self.kind == "int":
            return pandas.to_numeric(column).astype("Int64")
        if self.kind == "float":
            return pandas.to_numeric(column).astype("float64")
        if self.kind == "string":
            return column.astype("str")
        return self._booleans(column) if self.kind == "boolean" else self._times(column)

    def _booleans(self, column: Any) -> Any:
        values = self.values or {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}
        found = column.astype("str").map(values)
        if (wrong := column[found.isna() & column.notna()]).size:
            if self.mismatch is None:
                raise ValueError(f"{wrong.iloc[0]!r} is neither true nor false")
            found = found.mask(found.isna() & column.notna(), self.mismatch)
        return found.astype("boolean")

    def _times(self, column: Any) -> Any:
        import pandas

        found: Any = None
        for each in self.formats or ("ISO8601",):
            some = pandas.to_datetime(column, format=each, utc=True, errors="coerce")
            found = some if found is None else found.fillna(some)
        if (wrong := column[found.isna() & column.notna()]).size:
            raise ValueError(f"{wrong.iloc[0]!r} is no time of the format")
        return found.dt.tz_localize(None).astype("datetime64[us]")


@dataclass(frozen=True)
class Rows(Step):
    """Some rows of the whole table, from ``start`` to before ``stop``, counted from 0."""

    start: int = 0
    stop: int | None = None

    def of_table(self, table: Any) -> Any:
        """These rows, counted anew."""
        return table.iloc[self.start : self.stop].reset_index(drop=True)

    def of_dask(self, frame: Any) -> Any:
        """The same of Dask's, where each partition waits for how many rows are before it."""
        from dask import delayed
        from dask.dataframe import from_delayed

        before, parts, length, rows = 0, [], delayed(len), delayed(_rows)
        for part in frame.to_delayed():
            parts.append(rows(part, before, self.start, self.stop))
            before = delayed(sum)([before, length(part)])
        return from_delayed(parts, meta=frame._meta, verify_meta=False)


def _rows(part: Any, before: int, start: int, stop: int | None) -> Any:
    """The rows of one partition that are wanted of the whole."""
    return part.iloc[max(start - before, 0) : None if stop is None else max(stop - before, 0)]
