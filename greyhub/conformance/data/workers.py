"""DATA-006, 007: catalogues and datasets in Dask's worker processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.data.case import DataCase
from greyhub.conformance.data.content import RAIN
from greyhub.conformance.data.datasets import Parameter, as_csv, lines, plain, table


@clause("DATA-006", MUST, needs="dask", hooks="publish damage")
def dask_reads_it_in_parts(case: DataCase) -> None:
    """By Dask it is lazy, in parts as its files are, and computed elsewhere it is the same.

    Elsewhere is a worker's process, which has not the notebook's environment.
    While it is made, a file that is not its first cannot be read.
    """
    from dask.base import is_dask_collection

    parts = [[f"{number}/{line}" for line in range(50)] for number in range(3)]
    if case.suite.kind == "lines":
        whole: Any = [line for part in parts for line in part]
        published = lines("parts", *parts)
    else:
        whole = {"line": [line for part in parts for line in part]}
        files = {
            f"data/parts-{number}.csv": "".join(f"{line}\n" for line in ("line", *part)).encode()
            for number, part in enumerate(parts)
        }
        published = table("parts", {}).but(place="data/parts-*.csv", files=files)
    case.publish(parts=published)
    catalog = case.catalog()
    # What cannot be read yet shows who reads.
    with case.damage(
        sorted(published.files)[1], "truncated" if case.claims("remote") else "forbidden"
    ):
        lazy = catalog.lazy("parts")
    case.require(is_dask_collection(lazy), f"it is no collection of Dask's, but {lazy!r}")
    number = lazy.npartitions
    case.require(number >= 3, f"three files are {number} partitions")
    case.same(plain(lazy), whole, "computed here")
    found = case.in_worker("the lazy collection", plain, lazy)
    case.same(found, whole, "computed in a worker")
    case.same(catalog.read("parts"), whole, "read at once")


@clause("DATA-007", MUST, hooks="publish", guards="secrets")
def it_goes_to_workers(case: DataCase) -> None:
    """A catalogue and its datasets are pickled to a worker, without the server's tokens.

    What was opened here is read there, with the values that were chosen; the catalogue
    lists and opens there, too.
    """
    import cloudpickle  # type: ignore[import-untyped,unused-ignore]

    chosen: dict[str, int] = {"year": 2021} if case.claims("parameters") else {}
    rain = table("rain", RAIN)
    if chosen:
        rain = rain.but(
            place="data/rain-{year}.csv",
            files={"data/rain-2020.csv": b"n\n1\n", "data/rain-2021.csv": as_csv(RAIN)},
            parameters=(Parameter("year", default=2020, allowed=(2020, 2021)),),
        )
    case.publish(rain=rain)
    catalog = case.catalog()
    dataset = catalog.open("rain", **chosen)
    suite = case.suite
    for what, value in (("the catalogue", catalog.catalog), ("a dataset", dataset)):
        pickled = case.call(f"pickle of {what}", cloudpickle.dumps, value)
        held = [name for name, token in suite.tokens.items() if token.encode() in pickled]
        case.require(not held, f"the pickle of {what} holds {', '.join(held)}")
    catalog.all_of(dataset)
    found = case.in_worker(
        "a catalogue with a dataset",
        _use,
        (suite.names, suite.open, suite.read),
        catalog.catalog,
        dataset,
        chosen,
    )
    case.require(found[0] == ["rain"], f"in a worker, it lists {found[0]}")
    case.same(found[1], RAIN, "what was opened here, read in a worker")
    case.same(found[2], RAIN, "what was opened in a worker")


def _use(how: Iterable[Any], catalog: Any, dataset: Any, chosen: dict[str, int]) -> tuple[Any, ...]:
    names, open_, read = how
    again = open_(catalog, "rain", **chosen)
    return sorted(names(catalog)), plain(read(dataset)), plain(read(again))
