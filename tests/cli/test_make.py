"""What `make run` says on a machine that lacks something, before it installs anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD = """\
#!/bin/sh
case "$*" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac
"""
WITHOUT_VENV = """\
#!/bin/sh
case "$*" in *ensurepip*) exit 1 ;; esac
"""
PLAIN = "#!/bin/sh\n"


@pytest.fixture
def clone(directory: Path) -> Path:
    """A clone, as far as make reads it, in a directory with a space in its name."""
    path = directory / "a clone"
    path.mkdir(mode=0o755)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, path)
    shutil.copytree(ROOT / "requirements", path / "requirements")
    return path


def command(clone: Path, name: str, script: str) -> str:
    """A command of that name, found before the system's."""
    path = clone.parent / "bin" / name
    path.parent.mkdir(exist_ok=True, mode=0o755)
    path.write_text(script)
    path.chmod(0o755)
    return str(path)


def run(clone: Path, *arguments: str, free: int = 2000) -> subprocess.CompletedProcess[str]:
    command(clone, "df", f"#!/bin/sh\nprintf 'of what\\ndisk 9 9 {free} 9%% /\\n'\n")
    path = f"{clone.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        arguments, cwd=clone, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )


def refused(clone: Path, python: str, free: int = 2000) -> str:
    """What `make run` says, having installed nothing."""
    before = sorted(clone.iterdir())
    done = run(clone, "make", "run", f"PYTHON={python}", free=free)
    assert done.returncode == 2
    assert sorted(clone.iterdir()) == before
    assert "\n  fix: " in done.stderr
    return done.stderr


def test_there_is_no_python(clone: Path) -> None:
    assert "there is no python3.99\n  fix: install Python 3.11" in refused(clone, "python3.99")


def test_python_is_too_old(clone: Path) -> None:
    old = command(clone, "python3.9", OLD)
    assert f"{old} is Python 3.9.2, and greyhub needs Python 3.11 or newer" in refused(clone, old)


def test_debians_python_without_its_package_for_environments(clone: Path) -> None:
    assert "apt install python3-venv" in refused(clone, command(clone, "python", WITHOUT_VENV))


def test_the_disk_is_full(clone: Path) -> None:
    said = refused(clone, command(clone, "python", PLAIN), free=1499)
    assert f"{clone} has 1499 MB free, and 1500 MB are needed" in said


@pytest.mark.root
def test_root_cannot_give_users_a_clone_that_is_closed_to_them(clone: Path) -> None:
    python = command(clone, "python", PLAIN)
    clone.chmod(0o700)
    said = refused(clone, python)
    assert f"these cannot read {clone}\n" in said
    assert "below /srv" in said
    clone.chmod(0o755)
    assert run(clone, "sh", "requirements/prerequisites.sh", python, "users").returncode == 0


@pytest.mark.root
def test_nor_a_python_that_is(clone: Path) -> None:
    python = Path(command(clone, "python", PLAIN))
    python.chmod(0o700)
    assert f"these cannot read {python}\n" in refused(clone, str(python))


@pytest.mark.root
def test_a_clone_of_somebody_elses(clone: Path) -> None:
    python = command(clone, "python", PLAIN)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    done = run(clone, *nobody, "sh", "requirements/prerequisites.sh", python)
    assert f"{clone} cannot be written\n  fix: clone it to a place of your own" in done.stderr


def test_a_machine_with_everything_is_told_nothing(clone: Path) -> None:
    done = run(clone, "sh", "requirements/prerequisites.sh", sys.executable, "users")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_there_is_no_package_index(clone: Path) -> None:
    python = command(
        clone,
        "python",
        '#!/bin/sh\ncase "$*" in "-m venv"*) mkdir -p .uv/bin; cp /bin/false .uv/bin/pip ;; esac\n',
    )
    done = run(clone, "make", "run", f"PYTHON={python}")
    assert done.returncode == 2
    assert "pip could not install uv, and says why above\n  fix: " in done.stderr
    assert not (clone / ".uv/bin/uv").exists()
