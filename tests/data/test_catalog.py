"""What ``hub.data`` is like to use: names, looks, reloading, sending it to a worker."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from greyhub.data import catalog as module
from greyhub.data.catalog import UnknownDataset
from greyhub.errors import CatalogError
from tests.data.support import BOTH, FIRST, SECOND, Write, opened


def test_an_unknown_name(write: Write) -> None:
    catalog = opened(write(FIRST))
    with pytest.raises(KeyError) as caught:
        catalog["rian"]
    assert str(caught.value) == "there is no dataset 'rian'; did you mean 'rain'?"
    assert isinstance(caught.value, CatalogError)


@pytest.mark.parametrize(
    "name", ["Rain", " rain", "rain ", "", "../rain", "__class__", "read", "rain.csv", "sources"]
)
def test_a_name_is_not_bent(write: Write, name: str) -> None:
    catalog = opened(write(FIRST))
    assert name not in catalog
    with pytest.raises(UnknownDataset, match="there is no dataset"):
        catalog[name]
    assert catalog.get(name) is None


@pytest.mark.parametrize("name", [0, None, ("rain",), ["rain"]])
def test_a_name_is_text(write: Write, name: object) -> None:
    catalog = opened(write(FIRST))
    with pytest.raises(KeyError, match="there is no dataset"):
        catalog[name]  # type: ignore[index]


def test_a_name_far_from_all_others(write: Write) -> None:
    with pytest.raises(KeyError, match="no dataset 'zzz'; there are 1 dataset"):
        opened(write(FIRST))["zzz"]


def test_it_is_read_only(write: Write) -> None:
    catalog = opened(write(FIRST))
    with pytest.raises(TypeError):
        catalog["wind"] = 1  # type: ignore[index]
    with pytest.raises(TypeError):
        del catalog["rain"]  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        catalog.broken["rain"] = CatalogError()  # type: ignore[index]


def test_its_looks(write: Write) -> None:
    text = FIRST.rstrip() + "\n      bad: {}\n      snow: {driver: csv}\n"
    catalog = opened(write(text.replace("Rain at", "<b>Rain</b> at")))
    assert repr(catalog).splitlines() == [
        "<catalog of 2 datasets>",
        "  rain  <b>Rain</b> at Exeter.",
        "  snow  ",
        "1 cannot be opened here: bad; see hub.data.broken",
    ]
    html = catalog._repr_html_()
    assert "<strong>2 datasets</strong>" in html
    for title in ("name", "description", "driver"):
        assert f">{title}</th>" in html
    assert "&lt;b&gt;Rain&lt;/b&gt; at Exeter." in html
    assert "<b>" not in html
    assert ">csv</td>" in html
    assert "1 cannot be opened here: bad" in html
    assert catalog._ipython_key_completions_() == ["rain", "snow"]


def test_the_looks_of_many(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHOWN", 2)
    catalog = opened(write("sources:\n" + "".join(f"  s{n}: {{driver: csv}}\n" for n in range(5))))
    assert repr(catalog).splitlines()[-1] == "and 3 more: list(hub.data)"
    assert "and 3 more" in catalog._repr_html_()


@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
def test_reload(write: Write, folder: Path, text: str) -> None:
    path = write(text)
    catalog = opened(path)
    reader = catalog["rain"]
    write(text.replace("rain:", "rainfall:").replace("rain.csv", "wind.csv"))
    assert list(catalog) == ["rain"]
    catalog.reload()
    assert list(catalog) == ["rainfall"]
    assert list(catalog["rainfall"].read()) == ["day", "knots"]
    assert list(reader.read()) == ["day", "mm"]  # what was opened stays what it was


def test_reload_of_what_has_become_wrong(write: Write) -> None:
    catalog = opened(write(FIRST))
    write("sources: [")
    with pytest.raises(CatalogError, match="is not YAML"):
        catalog.reload()
    assert len(catalog["rain"].read()) == 3


def test_a_reload_beside_readers(write: Write) -> None:
    catalog = opened(write(FIRST))
    failed: list[Exception] = []
    done = threading.Event()

    def use() -> None:
        while not done.wait(0.001):  # so that the one who reloads has its turn
            try:
                names = list(catalog)
                if len(names) != 1 or not repr(catalog) or len(catalog) != 1:
                    raise AssertionError(names)
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(10):
        write(FIRST.replace("rain:", "rain:" if number % 2 else "wind:"))
        catalog.reload()
    done.set()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
def test_it_travels_to_a_worker(write: Write, text: str, tmp_path: Path) -> None:
    catalog = opened(write(text.rstrip() + "\n") if "sources" in text else write(text))
    sent, reader = tmp_path / "sent", tmp_path / "reader"
    sent.write_bytes(pickle.dumps(catalog))
    reader.write_bytes(pickle.dumps(catalog["rain"]))
    script = (
        "import pickle, sys\n"
        "from pathlib import Path\n"
        "catalog, reader = (pickle.loads(Path(each).read_bytes()) for each in sys.argv[1:])\n"
        "print(list(catalog), len(catalog['rain'].read()), len(reader.read()))\n"
    )
    # The worker's file system need not have the catalogue, only the data.
    (tmp_path / "catalog.yaml").unlink()
    command = [sys.executable, "-c", script, str(sent), str(reader)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['rain'] 3 3"


def test_its_faults_travel_too(write: Write) -> None:
    catalog = pickle.loads(pickle.dumps(opened(write(FIRST.rstrip() + "\n      bad: 7\n"))))
    with pytest.raises(CatalogError, match=r"catalog\.yaml:6: 'bad' is no mapping"):
        catalog["bad"]


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import greyhub.data", ("intake", "jinja2", "fsspec", "greyhub.data.catalog")),
        ("import greyhub.data.local", ("intake", "jinja2", "fsspec", "greyhub.data.catalog")),
        ("import greyhub.data.catalog_check", ("intake", "jinja2", "fsspec", "pandas")),
        ("import greyhub.data.catalog", ("intake", "jinja2", "pandas", "xarray", "dask")),
    ],
)
def test_imports_are_late(code: str, absent: tuple[str, ...]) -> None:
    asked = f"{code}; import sys; print([name for name in {absent!r} if name in sys.modules])"
    command = [sys.executable, "-c", asked]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_listing_imports_no_driver(write: Write) -> None:
    first, second = write(FIRST, "a.yaml"), write(SECOND.replace("rain:", "b:"), "b.yaml")
    script = (
        "import sys\n"
        "from greyhub.data.catalog import open_catalogs\n"
        f"catalog = open_catalogs([('', {first!r}), ('', {second!r})], {{}})\n"
        "print(list(catalog), [name for name in ('pandas', 'xarray') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['rain', 'b'] []"
