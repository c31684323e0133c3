"""What the tests of the data slot share."""

from __future__ import annotations

from collections.abc import Callable

from greyhub.data.catalog import Catalog, open_catalogs

Write = Callable[..., str]


def opened(*paths: str, **options: object) -> Catalog:
    """The catalogues of a list."""
    given = {"parameters": {}, **options}
    return open_catalogs([("", path) for path in paths], **given)  # type: ignore[arg-type]


FIRST = """
    sources:
      rain:
        driver: csv
        description: Rain at Exeter.
        args: {urlpath: "{{ CATALOG_DIR }}/rain.csv"}
"""

SECOND = """
    version: 2
    entries:
      rain:
        reader: intake.readers.readers:PandasCSV
        kwargs: {data: "{data(rain-file)}"}
        metadata: {description: Rain at Exeter.}
    data:
      rain-file:
        datatype: intake.readers.datatypes:CSV
        kwargs: {url: "{CATALOG_DIR}/rain.csv"}
"""

BOTH = {"first": FIRST, "second": SECOND}
"""One catalogue in Intake's two formats."""
