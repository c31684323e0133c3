"""Data assets of the type ``mltable``: tables as an ``MLTable`` file describes them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from greyhub.data.azureml_assets import mltable
from greyhub.errors import CatalogError
from tests.data.azureml.workspace import Workspace


def opened(workspace: Workspace, said: str, **files: bytes | str) -> Any:
    """The asset whose file says so; ``a=`` is a.csv beside it."""
    workspace.put("t/MLTable", said)
    for name, content in files.items():
        workspace.put(f"t/{name}.csv", content)
    workspace.asset("t", "t", kind="mltable")
    return workspace.catalog()["t"]


def both(dataset: Any) -> list[pd.DataFrame]:
    """The table by pandas and by Dask, whose types are as Dask has said before."""
    lazy = dataset.to_dask()
    computed = lazy.compute(scheduler="synchronous")
    assert dict(lazy.dtypes) == dict(computed.dtypes)
    return [dataset.read(), computed.reset_index(drop=True)]


TABLE = """\
type: mltable
paths:
  - file: ./1.csv
  - pattern: ./more/*.csv
transformations:
  - read_delimited: {delimiter: ';', encoding: latin1, header: all_files_same_headers,
                     empty_as_string: false, include_path_column: false, path_column: Path}
  - keep_columns: [mm, day]
"""


def test_a_table_is_as_its_file_says(workspace: Workspace) -> None:
    workspace.put("t/1.csv", "day;mm;x\né;3;0\n".encode("latin-1"))
    workspace.put("t/more/2.csv", "day;mm;x\nb;4;0\n")
    workspace.put("t/other.csv", "day;mm;x\nc;5;0\n")
    dataset = opened(workspace, TABLE)
    assert workspace.connected().describe("t")["container"] == "pandas:DataFrame"
    assert dataset.to_dask().npartitions == 2
    for found in both(dataset):
        assert list(found.columns) == ["mm", "day"]
        assert (list(found["mm"]), list(found["day"])) == ([3, 4], ["é", "b"])


def test_json_lines_of_another_datastore_are_read(workspace: Workspace) -> None:
    workspace.put("lines/1.jsonl", '{"mm": 3}\n{"mm": 5}\n')
    said = f"paths: [{{folder: '{workspace.uri('lines/')}'}}]\ntransformations: [read_json_lines]"
    for found in both(opened(workspace, said)):
        assert list(found["mm"]) == [3, 5]


def test_parquet_of_several_paths_is_a_partition_each(workspace: Workspace) -> None:
    paths = []
    for number in range(3):
        pd.DataFrame({"mm": [number], "x": [0]}).to_parquet(workspace.place / "one")
        workspace.put(f"t/{number}.parquet", (workspace.place / "one").read_bytes())
        paths.append({"file": f"./{number}.parquet"})
    said = f"paths: {paths}\ntransformations: [read_parquet, {{drop_columns: x}}]"
    dataset = opened(workspace, said)
    assert dataset.to_dask().npartitions == 3
    for found in both(dataset):
        assert found.to_dict("list") == {"mm": [0, 1, 2]}


def test_files_without_a_header_have_numbered_columns(workspace: Workspace) -> None:
    steps = "[{read_delimited: {header: no_header}}, {keep_columns: Column2}]"
    said = f"paths: [{{file: a.csv}}]\ntransformations: {steps}"
    for found in both(opened(workspace, said, a="x,1\ny,2\n")):
        assert found.to_dict("list") == {"Column2": [1, 2]}


CONVERT = """\
paths: [{file: a.csv}, {file: b.csv}]
transformations:
- read_delimited
- convert_column_types:
  - {columns: number, column_type: int}
  - {columns: [part], column_type: float}
  - {columns: code, column_type: string}
  - {columns: wet, column_type: {boolean: {true_values: [yes!], false_values: [no!]}}}
  - {columns: dry, column_type: {boolean: {mismatch_as: 'false'}}}
  - {columns: day, column_type: {datetime: {formats: ['%d/%m/%Y', '%Y%m%d']}}}
  - {columns: at, column_type: datetime}
"""


def test_columns_are_converted(workspace: Workspace) -> None:
    head = "number,part,code,wet,dry,day,at\n"
    made = {
        "a": f"{head}1,1,007,yes!,true,31/12/2020,2020-01-01T12:00:00+02:00\n",
        "b": f"{head},2.5,x,no!,what,20210101,2020-01-01\n,,,,,,\n",
    }
    for found in both(opened(workspace, CONVERT, **made)):
        filled = found.astype(object).where(found.notna(), None)
        assert filled.to_dict("list") == {
            "number": [1, None, None],
            "part": [1.0, 2.5, None],
            "code": ["007", "x", None],
            "wet": [True, False, None],
            "dry": [True, False, None],
            "day": [pd.Timestamp(2020, 12, 31), pd.Timestamp(2021, 1, 1), None],
            "at": [pd.Timestamp(2020, 1, 1, 10), pd.Timestamp(2020, 1, 1), None],
        }
        assert list(map(str, found.dtypes)) == [
            "Int64", "float64", "str", "boolean", "boolean", "datetime64[us]", "datetime64[us]",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "wrong"), [("int", "one"), ("boolean", "maybe"), ("datetime", "2020-13-01")]
)
def test_a_value_that_cannot_be_converted_is_named(
    workspace: Workspace, column: str, wrong: str
) -> None:
    step = f"{{convert_column_types: [{{columns: x, column_type: {column}}}]}}"
    said = f"paths: [{{file: a.csv}}]\ntransformations: [read_delimited, {step}]"
    dataset = opened(workspace, said, a=f"x\n{wrong}\n")
    for read in (dataset.read, dataset.to_dask().compute):
        with pytest.raises(ValueError, match=f"column 'x' is not all {column}.*{wrong}"):
            read()


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ("{take: 3}", [0, 1, 2]),
        ("{skip: 3}", [3, 4, 5]),
        ("{skip: 1}, {take: 3}", [1, 2, 3]),
        ("{take: 4}, {skip: 3}", [3]),
        ("{take: 0}", []),
        ("{skip: 9}", []),
    ],
)
def test_rows_are_counted_over_all_files(workspace: Workspace, steps: str, left: list[int]) -> None:
    said = f"paths: [{{pattern: '*.csv'}}]\ntransformations: [read_delimited, {steps}]"
    dataset = opened(workspace, said, a="n\n0\n1\n", b="n\n2\n", c="n\n3\n4\n5\n")
    for found in both(dataset):
        assert list(found["n"]) == left


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ("[read_delta_lake]", "read_delta_lake"),
        ("[{read_delimited: {header: from_first_file}}]", "header: from_first_file"),
        ("[{read_delimited: {include_path_column: true}}]", "include_path_column: True"),
        ("[{read_delimited: {delimiter: '||'}}]", r"delimiter: \|\|"),
        ("[{read_json_lines: {invalid_lines: drop}}]", "invalid_lines: drop"),
        ("[read_parquet, {filter: 'col(\"mm\") > 3'}]", "filter"),
        ("[read_parquet, {take_random_sample: {probability: 0.1}}]", "take_random_sample"),
        (
            "[read_parquet, {extract_columns_from_partition_format: '{a}'}]",
            "extract_columns_from_partition_format",
        ),
        (
            "[read_parquet, {convert_column_types: [{columns: a, column_type: stream_info}]}]",
            "stream_info",
        ),
        (
            "[read_parquet, {convert_column_types: "
            "[{columns: a, column_type: {datetime: {date_constant: x}}}]}]",
            "date_constant",
        ),
    ],
)
def test_what_only_azures_own_library_does_is_said(steps: str, named: str) -> None:
    said = f"paths: [{{file: a}}]\ntransformations: {steps}"
    with pytest.raises(ValueError, match=rf"{named}, which only Azure's own library"):
        mltable.parse(said.encode())


@pytest.mark.parametrize(
    "step",
    [
        "{take: -1}", "{skip: true}", "{take: 1.5}", "{keep_columns: 3}", "{drop_columns: []}",
        "{convert_column_types: []}", "{convert_column_types: [{columns: a}]}", "{a: 1, b: 2}",
        "{convert_column_types: {columns: a, column_type: int}}",
    ],
)  # fmt: skip
def test_a_transformation_that_is_written_wrongly_is_said(step: str) -> None:
    with pytest.raises(ValueError, match="its MLTable file"):
        mltable.parse(f"paths: [{{file: a}}]\ntransformations: [read_parquet, {step}]".encode())


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "./a/../../b.csv"])
def test_an_mltable_leads_nowhere_else(workspace: Workspace, path: str) -> None:
    said = f"paths: [{{file: '{path}'}}]\ntransformations: [read_delimited]\n"
    workspace.put("t/MLTable", said)
    workspace.asset("t", "t", kind="mltable")
    with pytest.raises(CatalogError, match="leads out of the asset"):
        workspace.catalog()["t"]


BOMB = "\n".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 9))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"x0: &x0 [a]\n{BOMB}\npaths: [*x8]\ntransformations: [read_delimited]", "aliases make"),
        ("paths: !!python/object/apply:os.system [true]", "python/object"),
        ("paths: [{file: a.csv}]\ntransformations: [read_delimited, {keep_columns: 3}]", "columns"),
        ("\0", "no YAML"),
        ("[]", "no paths"),
    ],
)
def test_a_file_that_is_no_mltable_is_refused(workspace: Workspace, said: str, told: str) -> None:
    workspace.put("t/MLTable", said)
    workspace.asset("t", "t", kind="mltable")
    with pytest.raises(CatalogError, match=told) as caught:
        workspace.catalog()["t"]
    assert len(str(caught.value)) < 1000
