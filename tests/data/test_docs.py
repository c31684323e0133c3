"""Every snippet of ``docs/how-to/data.md`` is tried."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from greyhub.data import DataAdapter
from greyhub.hub import GreyHub

TEXT = (Path(__file__).parents[2] / "docs/how-to/data.md").read_text()
SNIPPETS = re.findall(r"```(yaml|python)\n# (\S+)\n(.*?)```", TEXT, re.DOTALL)


def test_all_snippets_are_found() -> None:
    assert len(SNIPPETS) == TEXT.count("```") / 2
    assert len(SNIPPETS) > 10


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the config file, with the data that the snippets speak of."""
    for name in ("rain", "rain-2000", "rain-2001"):
        (tmp_path / f"{name}.csv").write_text("day,mm\n1,3\n2,5\n")
    return tmp_path


async def test_the_snippets_in_their_order(platform: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog: Any = None
    results = []

    class Hub:
        @property
        def data(self) -> Any:
            return catalog

    monkeypatch.setattr("greyhub.connect", Hub)
    notebook: dict[str, Any] = {}
    for _, name, content in SNIPPETS:
        if name.endswith(".yaml"):
            (platform / name).write_text(content)
            catalog = await opened(platform, {"catalogs": [name], "parameters": PARAMETERS})
            assert catalog.broken == {}
            assert len(catalog) == 1
        elif name == "greyhub_config.py":
            config = Config()
            exec(content.replace("/srv/archive", str(platform)), {"c": config})
            catalog = await opened(platform, config.LocalData)
            assert catalog.broken == {}
            for dataset in catalog:
                assert len(catalog[dataset].read()) == 2
        else:
            *statements, last = content.strip().splitlines()
            exec("\n".join(statements), notebook)
            results.append(eval(last, notebook))
    assert [len(each) for each in results] == [2, 2, 2, 0]


PARAMETERS = {"ARCHIVE": "/srv/archive"}


async def opened(platform: Path, options: Any) -> Any:
    config = Config({"LocalData": options})
    adapter = GreyHub(directory=platform, config=config).adapters["data"]
    assert isinstance(adapter, DataAdapter)
    adapter.contribute()
    return adapter.connect(await adapter.ticket(None))


def test_the_expression_that_it_shows(platform: Path) -> None:
    from greyhub.data.catalog import open_catalogs

    assert "{{ '%02d' % month }}" in TEXT
    (platform / "c.yaml").write_text(
        "sources: {rain: {driver: csv, args: {urlpath: \"rain-20{{ '%02d' % month }}.csv\"}, "
        "parameters: {month: {type: int, description: x, default: 1}}}}"
    )
    catalog = open_catalogs([("", str(platform / "c.yaml"))], {})
    assert len(catalog["rain"].read()) == 2
