"""The tutorial, executed in the environment that a real spawn gives."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.hubs import running
from tests.support.waiting import MINUTE

SAMPLE = Path(__file__).parents[2] / "config/local"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tutorial_runs_in_the_environment_of_a_spawned_server(directory: Path) -> None:
    config = f"""\
    import iris_sample_data
    c.LocalHomespace.welcome = {str(SAMPLE / "welcome")!r}
    c.LocalData.catalogs = [{str(SAMPLE / "catalog.yaml")!r}]
    c.LocalData.parameters = {{"IRIS": iris_sample_data.path}}
    """
    with running(directory, config) as hub:
        hub.spawn("ada")
        environ = hub.environment("ada")
        home = Path(hub.ticket("ada", "homespace").data["path"])
        (tutorial,) = home.glob("*.ipynb")
        notebook = nbformat.read(tutorial, as_version=4)
        before = set(home.iterdir())
        NotebookClient(notebook, timeout=4 * MINUTE, kernel_name="python3").execute(
            env={**environ, "HOME": str(home)}, cwd=str(home)
        )
        figures = [
            output
            for cell in notebook.cells
            for output in cell.get("outputs", [])
            if "image/png" in output.get("data", {})
        ]
        assert figures
        assert {path.suffix for path in set(home.iterdir()) - before} >= {".png"}
