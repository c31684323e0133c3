"""The samples in ``config/`` do what their comments say."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import iris_sample_data
import pytest
from traitlets.config.loader import PyFileConfigLoader

from greyhub.homespace.local import LocalHomespace
from greyhub.hub import GreyHub

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def local(tmp_path: Path) -> GreyHub:
    """The adapters of ``config/local``, with its state in a fresh directory."""
    shutil.copytree(CONFIG / "local", tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "greyhub_config.py").read_text().replace("greyhub.compose(c)", "")
    (tmp_path / "greyhub_config.py").write_text(text)
    config = PyFileConfigLoader("greyhub_config.py", path=str(tmp_path)).load_config()
    hub = GreyHub(directory=tmp_path, config=config)
    assert hub.problems == []
    return hub


def test_its_data(local: GreyHub) -> None:
    data = local.adapters["data"]
    data.contribute()
    assert data.label() == "13 datasets in 1 catalogue"


async def test_every_dataset_opens_and_says_its_licence(local: GreyHub) -> None:
    data = local.adapters["data"]
    catalog = data.connect(await data.ticket(None))
    assert catalog.broken == {}
    assert len(catalog) == 13
    for name in catalog:
        with catalog[name].read() as dataset:
            assert dataset.sizes, name
        said = catalog.describe(name)
        assert "Open Government Licence" in said["description"]
        assert said["metadata"]["license"] == "Open Government Licence"


def test_every_netcdf_file_of_the_package_is_there(local: GreyHub) -> None:
    data = local.adapters["data"]
    catalog = data.connect(asyncio.run(data.ticket(None)))
    named = [Path(catalog[name].data.url) for name in catalog]
    opened = {file for path in named for file in path.parent.glob(path.name)}
    assert opened == set(Path(iris_sample_data.path).rglob("*.nc"))


def test_a_new_home_begins_with_the_tutorial(local: GreyHub) -> None:
    homes = local.adapters["homespace"]
    assert isinstance(homes, LocalHomespace)
    home = homes.path("ada")
    homes.make(home, None)
    (notebook,) = home.rglob("*.ipynb")
    assert notebook.name == "Warming of North America.ipynb"
    assert os.access(notebook, os.W_OK)
