"""What ``greyhub conform new`` writes is a package that passes, and fails where it is broken."""

import os
import re
import subprocess
import sys
import tomllib

import pytest
from click.testing import CliRunner

from greyhub.cli import group
from greyhub.conformance.contract import SLOTS
from greyhub.conformance.new import slots

pytestmark = pytest.mark.processes


def written(slot, directory):
    """The package of a slot, as the command writes it."""
    name = f"acme-{slot}"
    done = CliRunner().invoke(group, ["conform", "new", slot, name, "-o", str(directory / name)])
    assert done.exit_code == 0, done.output
    return directory / name


def conform(package, *arguments):
    """``greyhub conform run`` in a package, as if it were installed."""
    project = tomllib.loads((package / "pyproject.toml").read_text())
    readme = (package / "README.md").read_text()
    target = re.search(r"tests\.test_conformance:\w+", readme)[0]
    assert project["project"]["name"] == package.name
    return subprocess.run(
        [sys.executable, "-m", "greyhub.conformance", "run", target, "--quiet", *arguments],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("slot", slots())
def test_it_is_an_installable_package_with_an_adapter_of_its_slot(slot, tmp_path):
    package = written(slot, tmp_path)
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    [(group_of_points, points)] = project["entry-points"].items()
    [(name, target)] = points.items()
    assert name == "acme"
    assert group_of_points.startswith("greyhub.")
    module, _, attribute = target.partition(":")
    asked = f"import {module}; print({module}.{attribute}.__name__)"
    said = subprocess.run(
        [sys.executable, "-c", asked], cwd=package, capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("Acme")
    text = "".join(path.read_text() for path in package.rglob("*") if path.is_file())
    assert f"toy{slot}" not in text
    assert "Toy" not in text
    assert "$" not in (package / "README.md").read_text()


@pytest.mark.parametrize("slot", slots())
def test_the_authors_file_has_at_most_fifteen_lines(slot, tmp_path):
    file = written(slot, tmp_path) / "tests/test_conformance.py"
    lines = [line for line in file.read_text().splitlines() if line.strip().strip("#")]
    assert len([line for line in lines if not line.strip().startswith("#")]) <= 15


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("slot", slots())
def test_it_passes_at_once_and_earns_the_badge(slot, tmp_path):
    package = written(slot, tmp_path)
    done = conform(package, "--certify", "--json", "report.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "conformant" in done.stdout
    assert (package / "report.json").exists()


def test_pytest_judges_it_too(tmp_path):
    package = written("homespace", tmp_path)
    some = "HOME-001 or HOME-010"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-k", some],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_one_line_broken_is_found_and_told(tmp_path):
    package = written("spawner", tmp_path)
    file = package / "acme_spawner/spawner.py"
    line = 'return 0 if found is None else found["status"]'
    assert line in file.read_text()
    file.write_text(file.read_text().replace(line, "return 0"))
    done = conform(package, "--clause", "SPAWNER-014")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED SPAWNER-014" in done.stdout
    assert "poll() = 0" in done.stdout
    assert "repeat    greyhub conform run" in done.stdout


@pytest.mark.parametrize(
    ("slot", "name", "says"),
    [
        ("sponer", "acme", "there is no start for 'sponer'"),
        ("spawner", "Acme Spawner", "is no name for a package"),
        ("spawner", "class", "is no name for a package"),
    ],
)
def test_what_cannot_be_written_is_said(slot, name, says, tmp_path):
    done = CliRunner().invoke(group, ["conform", "new", slot, name, "-o", str(tmp_path / "x")])
    assert done.exit_code == 3
    assert says in done.output
    assert not (tmp_path / "x").exists()


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "mine.py").write_text("mine")
    arguments = ["conform", "new", "homespace", "acme", "-o", str(tmp_path)]
    done = CliRunner().invoke(group, arguments)
    assert done.exit_code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_every_contract_has_a_start():
    assert slots() == sorted(SLOTS)
