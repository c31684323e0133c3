"""Whatever a file holds, the answer is a catalogue or one `CatalogError`."""

from __future__ import annotations

import json
import pickle
import tempfile
from contextlib import suppress
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from greyhub.data.catalog import Catalog
from greyhub.errors import CatalogError
from tests.data.support import opened

WORDS = st.sampled_from(
    [
        "csv",
        "yaml_file_cat",
        "netcdf",
        "{{ CATALOG_DIR }}/rain.csv",
        "{{ x }}",
        "{x}",
        "{x:%Q}",
        "{{x}}",
        "{ARCHIVE}",
        "{env(HOME)}",
        "env(HOME)",
        "{data(a)}",
        "data(b)",
        "{data(}",
        "{{",
        "}}{",
        "{{ x | length }}",
        "{{ 1 / 0 }}",
        "a",
        "str",
        "int",
        "mlist",
        "datetime",
        "intake.readers.readers:PandasCSV",
        "intake.readers.readers:YAMLCatalogReader",
        "intake.readers.datatypes:CSV",
        "intake.readers.datatypes:CatalogFile",
        "intake.readers.user_parameters:OptionsUserParameter",
        "intake.readers.user_parameters:NamedOptionsUserParameter",
        "intake.readers.user_parameters:MultiOptionUserParameter",
        "2001-02-03",
    ]
)
KEYS = st.sampled_from(
    """driver args parameters metadata description urlpath path type default min max allowed x
    cls reader kwargs data url datatype user_parameters dtype options imports name version a b
    """.split()  # noqa: SIM905
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | WORDS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ENTRY = VALUES | st.fixed_dictionaries(
    {},
    optional={
        "driver": WORDS | VALUES,
        "reader": WORDS | VALUES,
        "datatype": WORDS | VALUES,
        "args": st.dictionaries(KEYS, LEAVES, max_size=3) | VALUES,
        "kwargs": st.dictionaries(KEYS, LEAVES, max_size=3) | VALUES,
        "parameters": st.dictionaries(KEYS, VALUES, max_size=2) | VALUES,
        "user_parameters": st.dictionaries(KEYS, VALUES, max_size=2) | VALUES,
        "metadata": VALUES,
    },
)
NAMES = st.sampled_from(["a", "b", "c.d", ""]) | st.integers()
SECTION = VALUES | st.dictionaries(NAMES, ENTRY, max_size=4)
FILES = st.fixed_dictionaries(
    {"version": st.sampled_from([1, 1, 2, 2, None, "1"]), "sources": SECTION, "entries": SECTION},
    optional={
        "data": SECTION,
        "aliases": SECTION,
        "user_parameters": SECTION,
        "metadata": VALUES,
    },
)


def exercise(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.yaml"
        path.write_bytes(content)
        try:
            catalog = opened(str(path))
        except CatalogError as error:
            said = str(error)
        else:
            return use(pickle.loads(pickle.dumps(catalog)))
    assert said.startswith(str(path))


def use(catalog: Catalog) -> None:
    assert repr(catalog)
    assert catalog._repr_html_()
    assert not set(catalog) & set(catalog.broken)
    for name in catalog:
        assert json.dumps(catalog.describe(name), allow_nan=True)
        with suppress(CatalogError, ValueError):
            catalog[name]
    for name, fault in catalog.broken.items():
        assert isinstance(fault, CatalogError), name


@given(FILES)
@settings(deadline=None, max_examples=300)
def test_any_structure(body: dict[str, object]) -> None:
    exercise(yaml.safe_dump({key: each for key, each in body.items() if each is not None}).encode())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(deadline=None, max_examples=200)
def test_any_bytes(content: bytes) -> None:
    exercise(content)


@given(st.text(alphabet=" \n-:{}[]&*!<>|'\"%@`#,?ab", max_size=60))
@settings(deadline=None, max_examples=300)
def test_any_yaml(text: str) -> None:
    exercise(f"sources:\n  a: {text}\n".encode())
