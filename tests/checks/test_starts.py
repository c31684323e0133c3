"""A process that is started says what the tests in this one say, and what guards the file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checks.mistakes import MISTAKES
from tests.checks.starting import COMPOSE, NAME, refusal, write
from tests.support.waiting import MINUTE

pytestmark = pytest.mark.processes

REAL = (
    "a misspelt option of an adapter",
    "a number that is none, on the command line",
    "a key that is too short",
    "nobody may log in, as after the upgrade to JupyterHub 5",
    "a variable that is not set",
)


def jupyterhub(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if "JUPYTER" not in name}
    return subprocess.run(
        [sys.executable, "-m", "jupyterhub", *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=2 * MINUTE,
        env=environ,
    )


@pytest.mark.parametrize(
    "name", [REAL[0], *(pytest.param(each, marks=pytest.mark.slow) for each in REAL[1:])]
)
def test_a_process_refuses_in_the_same_words(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake = next(mistake for mistake in MISTAKES if mistake.name == name)
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path, mistake.config)
    ended = jupyterhub(tmp_path, "-f", str(file), *mistake.arguments)
    assert ended.returncode == 1
    assert refusal(file, *mistake.arguments) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAME]


def test_a_file_that_jupyterhub_does_not_read(tmp_path: Path) -> None:
    file = tmp_path / "greyhub_config.yaml"
    file.write_text("# greyhub\nGreyHub:\n  flavour: local\n")
    ended = jupyterhub(tmp_path, "-f", str(file))
    assert ended.returncode == 1
    assert f"JupyterHub does not read {file}" in ended.stderr
    assert "fix: rename it" in ended.stderr


def test_a_file_that_nobody_named(tmp_path: Path) -> None:
    write(tmp_path, "")
    ended = jupyterhub(tmp_path)
    assert ended.returncode == 1
    assert "there is a greyhub_config.py here, and nothing reads it" in ended.stderr
    assert "start with jupyterhub -f greyhub_config.py" in ended.stderr


def test_jupyterhub_without_greyhub_is_left_alone(tmp_path: Path) -> None:
    """Nothing of it is replaced, and only the entry point itself was imported."""
    (tmp_path / "jupyterhub_config.py").write_text(
        "import sys\n"
        "from jupyterhub.app import JupyterHub\n"
        "c.Spawner.mem_limt = '2G'\n"
        "print('load_config_file' in vars(JupyterHub))\n"
        "print(JupyterHub.python_config_loader_class.__module__)\n"
        "print(*sorted(name for name in sys.modules if name.startswith('grey' 'hub.')))\n"
        "sys.exit(7)\n"
    )
    ended = jupyterhub(tmp_path)
    assert ended.returncode == 7
    assert ended.stdout.split() == [
        "False",
        "traitlets.config.loader",
        "greyhub.jupyterhub_entry_point",
    ]
    assert "greyhub" not in ended.stderr


@pytest.mark.parametrize("named", ["-f={}", "--config={}", "--JupyterHub.config_file={}", "-f {}"])
def test_a_file_that_never_composes_is_refused_however_it_is_named(
    named: str, tmp_path: Path
) -> None:
    file = write(tmp_path, "c.GreyHub.flavour = 'local'", "")
    ended = jupyterhub(tmp_path, *named.format(file).split())
    assert ended.returncode == 1
    assert "never calls greyhub.compose(c)" in ended.stderr


def test_another_application_reads_the_file_with_its_own_directory(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    file = write(site, "c.ConfigurableHTTPProxy.should_start = False", COMPOSE)
    ended = jupyterhub(tmp_path, "upgrade-db", "-f", str(file))
    assert ended.returncode == 0, ended.stderr
    assert (site / "greyhub-state/hub").is_dir()
    assert not (tmp_path / "greyhub-state").exists()
