"""Files that are no catalogue: one error each, with file, line and words."""

from __future__ import annotations

import pytest

from greyhub.errors import CatalogError
from tests.data.support import Write, opened

MALFORMED = {
    "nothing": ("", 1, "is empty"),
    "a comment alone": ("# to do\n", 1, "is empty"),
    "a list": ("- rain\n- wind\n", 1, "is not a catalogue, but a list"),
    "prose": ("\nhello\n", 2, "is not a catalogue, but one line of text"),
    "not YAML": ("sources:\n  rain: {driver: csv\n  wind: x\n", 3, "is not YAML"),
    "a tab": ("sources:\n\train: 1\n", 2, "cannot start any token"),
    "two documents": ("sources: {}\n---\nsources: {}\n", 2, "another document"),
    "a name twice": (
        "sources:\n  rain: {driver: csv}\n  rain: {driver: csv}\n",
        3,
        "'rain' is there twice",
    ),
    "an unknown alias": ("sources:\n  rain: *wet\n", 2, "undefined alias"),
    "a date that is none": ("sources: {}\nwhen: 2001-13-45\n", 2, "month must be in 1..12"),
    "a version of the future": ("version: 3\nsources: {}\n", 1, "has version 3; greyhub reads"),
    "another program's file": ("version: '3.8'\nservices: {}\n", 1, "has version '3.8'"),
    "no sources": ("services: {}\n", 1, "it has no 'sources'"),
    "sources in format 2": ("version: 2\nsources: {}\n", 1, "leave out 'version: 2'"),
    "entries in format 1": ("entries: {}\n", 1, "write 'version: 2'"),
    "sources as a list": ("a: 1\nsources:\n  - rain\n", 2, "'sources' is a list, and must be"),
    "a tag that runs code": (
        "sources:\n  rain:\n    driver: !!python/object/apply:os.getcwd []\n",
        3,
        "!!python/object/apply:os.getcwd would run code",
    ),
    "a tag of another program": ("sources:\n  rain: !include x\n", 2, "!include means nothing"),
    "an alias within itself": ("sources: &all\n  rain: *all\n", 1, "has no end"),
    "a text too deep": ("sources: " + "[" * 100_000, 1, "nests deeper than 50"),
    "a text that swells": (
        "a0: &a0 [" + "x," * 9 + "]\n"
        + "".join(f"a{n}: &a{n} [" + f"*a{n - 1}," * 9 + "]\n" for n in range(1, 12))
        + "sources: {}\n",
        7,
        "its aliases make more than",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "words"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_file(write: Write, text: str, line: int, words: str) -> None:
    path = write(text.encode())
    with pytest.raises(CatalogError) as caught:
        opened(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"sources:\n  \x89PNG\r\n", 2, "is not text in UTF-8: it holds the byte 0x89"),
        (b"sources:\n  rain:\x00\n", 2, "is not text"),
        ("sources: {}\n".encode("utf-16"), 1, "is not text"),
    ],
)
def test_a_binary_file(write: Write, content: bytes, line: int, words: str) -> None:
    path = write(content)
    with pytest.raises(CatalogError, match=words) as caught:
        opened(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_a_file_that_is_not_there(write: Write) -> None:
    with pytest.raises(CatalogError) as caught:
        opened("/nowhere/catalog.yaml")
    assert str(caught.value).startswith("/nowhere/catalog.yaml: there is no such catalogue")


def test_a_directory(write: Write, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(CatalogError, match="this catalogue cannot be read: is a directory"):
        opened(str(tmp_path_factory.mktemp("folder")))


def test_a_byte_order_mark_is_no_mistake(write: Write) -> None:
    assert list(opened(write(b"\xef\xbb\xbfsources: {}\n"))) == []


def test_a_catalogue_without_datasets(write: Write) -> None:
    catalog = opened(write("sources:\n"))
    assert len(catalog) == 0
    assert repr(catalog) == "<catalog of 0 datasets>"


def test_merge_keys_are_no_repetition(write: Write) -> None:
    catalog = opened(
        write("""
        sources:
          rain: &rain {driver: csv, description: Rain, args: {urlpath: rain.csv}}
          wind: {<<: *rain, description: Wind}
        """)
    )
    assert catalog.describe("wind")["description"] == "Wind"
    assert catalog.describe("wind")["driver"] == "csv"
