"""Homes to be moved, and the real stores that they move between."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from greyhub.homespace.migrate.locations import Location
from tests.homespace.filesystem.conftest import _credentials, _one_loader, place_of, stores

__all__ = ["_credentials", "_one_loader", "place_of", "stores"]

OLD = 1_600_000_000_123_456_789


def full(root: Path) -> Path:
    """A home with all that people have in theirs."""
    for path, content in {
        "notes.txt": b"notes",
        "empty": b"",
        "work/deep/er/data.bin": bytes(range(256)) * 400,
        "work/große Liste.csv": b"a,b\n",
        "odd/line\nbreak": b"odd",
        "odd/back\\slash": b"odd too",
        "odd/dot.": b"and this",
        "odd/ü [x] *?#%41 ": b"this as well",
        "big.bin": os.urandom(9 << 20),
        ".hidden/key": b"secret",
        ".venv/lib/x.py": b"pass",
    }.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (root / os.fsdecode(b"odd/\xff\xfe.dat")).write_bytes(b"no text")
    (root / "hollow" / "more").mkdir(parents=True)
    (root / "notes.txt").chmod(0o640)
    (root / ".hidden").chmod(0o700)
    (root / "work" / "run.sh").write_text("#!/bin/sh\n")
    (root / "work" / "run.sh").chmod(0o755)
    (root / "link").symlink_to("work/run.sh")
    (root / "dangling").symlink_to("/nowhere/at all")
    os.link(root / "notes.txt", root / "second name.txt")
    for file in root.rglob("*"):
        if file.is_file() and not file.is_symlink():
            os.utime(file, ns=(OLD, OLD))
    return root


def picture(root: Path) -> dict[str, tuple[object, ...]]:
    """All that a directory tree is, to be compared."""
    found: dict[str, tuple[object, ...]] = {}
    for each in sorted(root.rglob("*")):
        path = str(each.relative_to(root))
        if path.split("/")[0] == ".greyhub":
            continue
        status = each.lstat()
        if each.is_symlink():
            found[path] = ("link", os.readlink(each))
        elif each.is_dir():
            found[path] = ("folder", oct(status.st_mode & 0o7777))
        else:
            mode = oct(status.st_mode & 0o7777)
            found[path] = ("file", mode, status.st_mtime_ns, each.read_bytes())
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return full(tmp_path / "homes" / "ada")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture(params=["local", "s3", pytest.param("azure", marks=pytest.mark.slow)])
def far(request: pytest.FixtureRequest, place_of, tmp_path: Path) -> Location:
    """A home on another backend, which is not there yet."""
    if request.param == "local":
        return Location(str(tmp_path / "elsewhere" / "ada"))
    place = place_of(request.param)
    return Location(place.url(), place.options)
