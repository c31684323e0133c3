"""greyhub as pip installs it, without a clone: the wheel, and what it brings."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """greyhub's wheel, built by its own build backend."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [made] = directory.glob("greyhub-*.whl")
    return made


def test_the_wheel_holds_all_of_the_package(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("greyhub/")}
    there = {
        str(path.relative_to(ROOT)).replace("examples/", "greyhub/conformance/examples/", 1)
        for folder in ("greyhub", "examples")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == there


def test_an_example_comes_out_of_the_wheel(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    subprocess.run(
        [sys.executable, "-m", "greyhub.conformance", "new", "homespace", "acme-homes"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=True,
    )
    written = tmp_path / "acme-homes/tests/test_conformance.py"
    assert "from acme_homes import AcmeHomespace" in written.read_text()


def test_the_tutorial_comes_out_of_the_wheel_and_is_right(wheel: Path, directory: Path) -> None:
    site, work = directory / "site", directory / "work"
    work.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=work,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    assert str(site) in run("-c", "import greyhub; print(greyhub.__file__)")
    said = run("-m", "greyhub.cli", "init", "--tutorial")
    assert "catalog.yaml" in said
    assert "pip install" not in said
    assert [path.name for path in (work / "welcome").iterdir()] == [
        "Warming of North America.ipynb"
    ]
    assert "13 datasets" in run("-m", "greyhub.cli", "check", "--strict", "--live")
