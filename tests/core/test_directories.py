"""Users pass through what the hub makes, whatever its umask is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from greyhub.directories import make_passable, temporary_directory
from greyhub.homespace.permissions import make_private
from tests.support.hubs import running


@pytest.fixture(params=[0o000, 0o022, 0o027, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_modes_are_as_they_were_meant(umask: int, tmp_path: Path) -> None:
    make_passable(tmp_path / "a/b/c")
    assert [mode(tmp_path / path) for path in ("a", "a/b", "a/b/c")] == [0o755, 0o755, 0o711]


def test_what_is_there_keeps_its_mode(umask: int, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o750)
    make_passable(tmp_path / "a/b")
    assert [mode(tmp_path / path) for path in ("a", "a/b")] == [0o750, 0o711]
    make_passable(tmp_path / "a")
    assert mode(tmp_path / "a") == 0o750


def test_a_private_directory_is_its_owners_alone(umask: int, tmp_path: Path) -> None:
    make_private(tmp_path / "homes/ada", None, "c.X.y")
    assert mode(tmp_path / "homes") == 0o711
    assert mode(tmp_path / "homes/ada") == 0o700


def test_a_temporary_directory_is_the_same_when_asked_again(
    umask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first = Path(temporary_directory("spill"))
    assert first.parent == tmp_path
    assert mode(first) & 0o077 == 0
    assert Path(temporary_directory("spill")) == first


@pytest.mark.parametrize("made", ["open to all", "a link", "a file"])
def test_a_temporary_directory_that_others_prepared_is_not_used(
    made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    prepared, trap = tmp_path / f"spill-{os.geteuid()}", tmp_path / "trap"
    trap.mkdir(0o700)
    if made == "a link":
        prepared.symlink_to(trap)
    elif made == "a file":
        prepared.touch(0o600)
    else:
        prepared.mkdir()
        prepared.chmod(0o777)
    found = Path(temporary_directory("spill")).resolve()
    assert found not in (prepared, trap)
    assert mode(found) == 0o700


@pytest.mark.root
def test_root_makes_a_users_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "spill-2000001").mkdir(0o700)  # root's: it is not this user's own
    for uid in (2_000_001, 2_000_002):
        found = Path(temporary_directory("spill", uid))
        assert (found.stat().st_uid, mode(found)) == (uid, 0o700)


MAKES_ONE = """\
import sys, tempfile
from greyhub.directories import process_directory
tempfile.tempdir = sys.argv[1]
print(process_directory("server"), flush=True)
sys.stdin.read()
"""


def test_a_directory_goes_with_its_process_also_one_that_was_killed(tmp_path: Path) -> None:
    def process() -> tuple[subprocess.Popen[str], Path]:
        made = subprocess.Popen(
            [sys.executable, "-c", MAKES_ONE, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert made.stdout
        return made, Path(made.stdout.readline().rstrip())

    (killed, left), (lives, used) = process(), process()
    (tmp_path / "server-link").symlink_to(used)
    for each in (left, used):
        (each / "file").touch()
        assert mode(each) & 0o077 == 0
    killed.kill()
    killed.communicate()
    assert left.exists()

    third, own = process()
    assert not left.exists()
    assert (used / "file").exists()
    third.communicate()
    lives.communicate()
    assert not own.exists()
    assert not used.exists()


@pytest.mark.root
@pytest.mark.parametrize("umask", [0o027, 0o077], indirect=True)
def test_a_hub_of_root_under_a_closed_umask_starts_servers(umask: int, directory: Path) -> None:
    state = directory / "srv/greyhub/state"
    with running(directory, f"c.GreyHub.state_dir = {str(state)!r}", umask=umask) as hub:
        hub.spawn("ada")
        assert (state / "homes/ada").stat().st_uid != 0
